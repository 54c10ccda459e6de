/**
 * The dozen hooks of the fault path are written as named stages over one frame of C-visible locals, in the shape of the
 * kernel's own control flow. A fragment of a patch takes the place of the stages that it covers; everything around it stays.
 * `anchors` are the identifiers by which a piece of C is recognised as this stage: calls, flags, locals it assigns.
 */
import { type Param, parseSignature, parseType, type Signature } from '../c/types.ts';
import type { Feature } from '../kernel/features.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Co } from '../schedule/scheduler.ts';

export type StageNode =
	| {
			readonly n: 'run';
			readonly name: string;
			readonly anchors: readonly string[];
			readonly run: StageFn;
			readonly waits: boolean;
			/** The local that takes the result, and how. */
			readonly into?: { readonly local: string; readonly op: '=' | '|=' };
	  }
	| { readonly n: 'return'; readonly name: string; readonly anchors: readonly string[]; readonly run: StageFn; readonly waits: boolean }
	| {
			readonly n: 'if';
			readonly name: string;
			readonly anchors: readonly string[];
			readonly run: StageFn;
			readonly waits: boolean;
			readonly then: readonly StageNode[];
			readonly else: readonly StageNode[];
	  }
	| {
			readonly n: 'while';
			readonly name: string;
			readonly anchors: readonly string[];
			readonly run: StageFn;
			readonly waits: boolean;
			readonly then: readonly StageNode[];
	  }
	| { readonly n: 'label'; readonly name: string }
	| { readonly n: 'goto'; readonly name: string; readonly label: string };

type StageFn = (kernel: never, frame: never) => unknown;

/** Kernel function written in stages. `F` is the type of its call. */
export interface Staged<F> {
	readonly staged: true;
	readonly signature: Signature;
	readonly locals: readonly Param[];
	/** The stages of the kernel that has the features for which `has` is true. */
	nodes(has: (feature: Feature) => boolean): readonly StageNode[];
	/** The form that kernels with `feature` have instead. */
	readonly newer?: { readonly feature: Feature; readonly form: Staged<F> };
	/** Never set; carries the type. */
	readonly call?: F;
}

/** Builders of the stages of one function, typed by its frame. */
export interface StageBuilder<Frame> {
	run(name: string, anchors: string, run: (k: Kernel, f: Frame) => unknown): StageNode;
	/** Calls what may wait and puts its result into a local; without `local` the result is dropped. */
	call(name: string, anchors: string, local: (keyof Frame & string) | '', op: '=' | '|=', run: (k: Kernel, f: Frame) => Co<unknown>): StageNode;
	ret(name: string, anchors: string, run: (k: Kernel, f: Frame) => number): StageNode;
	/** Returns what a call that may wait returns. */
	tail(name: string, anchors: string, run: (k: Kernel, f: Frame) => Co<number>): StageNode;
	when(name: string, anchors: string, test: (k: Kernel, f: Frame) => unknown, then: readonly StageNode[], otherwise?: readonly StageNode[]): StageNode;
	loop(name: string, anchors: string, test: (k: Kernel, f: Frame) => unknown, body: readonly StageNode[]): StageNode;
	label(name: string): StageNode;
	jump(label: string): StageNode;
}

const GeneratorFunction = Object.getPrototypeOf(function* () {}).constructor as { readonly name: string };

/** Whether a function is a coroutine: it may wait. */
export function mayWait(fn: (...args: never[]) => unknown): boolean {
	return fn.constructor.name === GeneratorFunction.name;
}

/**
 * Declares a staged function.
 * @param declaration its C declaration. @param locals C-visible locals: name to C type.
 */
export function staged<Frame, F>(
	declaration: string,
	locals: Readonly<Record<string, string>>,
	nodes: (s: StageBuilder<Frame>, has: (feature: Feature) => boolean) => readonly StageNode[],
): Staged<F> {
	const names = (anchors: string): string[] => anchors.split(' ').filter((a) => a !== '');
	const builder: StageBuilder<Frame> = {
		run: (name, anchors, run) => ({ n: 'run', name, anchors: names(anchors), run, waits: mayWait(run) }),
		call: (name, anchors, local, op, run) => ({ n: 'run', name, anchors: names(anchors), run, waits: true, ...(local === '' ? {} : { into: { local, op } }) }),
		ret: (name, anchors, run) => ({ n: 'return', name, anchors: names(anchors), run, waits: mayWait(run) }),
		tail: (name, anchors, run) => ({ n: 'return', name, anchors: names(anchors), run, waits: true }),
		when: (name, anchors, run, then, otherwise = []) => ({ n: 'if', name, anchors: names(anchors), run, waits: mayWait(run), then, else: otherwise }),
		loop: (name, anchors, run, then) => ({ n: 'while', name, anchors: names(anchors), run, waits: mayWait(run), then }),
		label: (name) => ({ n: 'label', name }),
		jump: (label) => ({ n: 'goto', name: `goto ${label}`, label }),
	};
	const declared: Param[] = Object.entries(locals).map(([name, text]) => {
		const type = parseType(text);
		if (type === undefined) throw new Error(`${declaration}: unknown type of ${name}: ${text}`);
		return { name, type };
	});
	return { staged: true, signature: parseSignature(declaration), locals: declared, nodes: (has) => nodes(builder, has) };
}
