/** State of the emission of one function: its text so far, its locals, and what it links to. */
import type { CProblem } from './ast.ts';
import type { CConfig } from './conditions.ts';
import type { Linkage } from './link.ts';
import { alignOf, type CType, sizeOf } from './types.ts';
import { BAD, type Val } from './values.ts';

/** Where a C local lives. A wide integer takes the variable and its twin for the high half. */
export type Local =
	| { readonly s: 'var'; readonly type: CType; readonly name: string; readonly high: string }
	| { readonly s: 'frame'; readonly type: CType; readonly key: number }
	/** At a fixed offset in the function's stack memory. */
	| { readonly s: 'stack'; readonly type: CType; readonly offset: number }
	| { readonly s: 'static'; readonly type: CType; readonly name: string };

/** Where break and continue go: a JavaScript label, or a case of the machine that a function with free gotos becomes. */
export interface JumpTarget {
	readonly breakTo: string;
	readonly continueTo: string | null;
}

export interface EmitOptions {
	readonly link: Linkage;
	readonly ret: CType;
	readonly waits: boolean;
	/** The function waits in what it calls last only, and hands over what that call gives: see `tail.ts`. */
	readonly tail: boolean;
	readonly config: CConfig;
	/** Names of frame locals, by the name that C gives them; the position is their key. */
	readonly frame: ReadonlyMap<string, { readonly key: number; readonly type: CType }>;
	/** Names of locals whose address is taken somewhere. */
	readonly addressed: ReadonlySet<string>;
	/** The function has a loop or a backward goto: effects are counted. */
	readonly loops: boolean;
}

/** Bound when the function is instantiated; the emitted code calls it `x<position>`. */
export type External = (k: object) => unknown;

/** Characters of JavaScript that one function may become. */
const MAX_TEXT = 2_000_000;

/** The function is no code that people wrote. */
export class TooLong extends Error {}

export class Emit {
	out: string[] = [];
	readonly problems: CProblem[] = [];
	/** What ends the run, by the emitted name of its words. */
	readonly traps = new Map<string, string>();
	readonly assumptions = new Map<string, { line: number; name: string; message: string }>();
	readonly externals: External[] = [];
	readonly #linked = new Map<string, string>();
	/** Declarations at the head of the function. */
	readonly hoisted: string[] = [];
	/** Declarations outside of it, and what runs before its first statement in a run. */
	readonly statics: { readonly name: string; readonly type: CType }[] = [];
	readonly staticInits: string[] = [];
	/** Types that the function itself declares. */
	readonly localTypes = new Map<string, CType>();
	/** Keys of the frame that live in the function's stack memory. */
	readonly frameMemory = new Map<number, Extract<Local, { s: 'stack' }>>();
	/** Document lines that hold code. */
	readonly lines = new Map<number, number>();
	readonly scopes: Map<string, Local>[] = [new Map()];
	readonly targets: JumpTarget[] = [];
	/** Where each label is: the text of the jump to it, and whether it is behind the place that is being emitted. */
	readonly labels = new Map<string, { readonly jump: string; placed: boolean; readonly counter: string | null }>();
	/** Every variable of the emitted function that holds a C local. */
	readonly variables: string[] = [];
	stackBytes = 0;
	/** Whether the code says where in a tree it is. */
	places = false;
	statements = 0;
	#names = 0;
	#written = 0;
	#line = -1;
	#returned: string | null = null;

	constructor(
		readonly options: EmitOptions,
		/** Labels that a goto names. */
		readonly usedLabels: ReadonlySet<string>,
	) {}

	get link(): Linkage {
		return this.options.link;
	}

	put(code: string): void {
		this.#room(code);
		this.out.push(code);
	}

	#room(code: string): void {
		this.#written += code.length;
		if (this.#written > MAX_TEXT) throw new TooLong();
	}

	/** A fresh name with a fixed prefix. */
	fresh(prefix: string): string {
		return prefix + this.#names++;
	}

	temp(code: string): string {
		const name = this.fresh('t');
		this.#room(code);
		this.out.push(`const ${name}=${code};`);
		return name;
	}

	/** Runs `emit` and returns what it put out, without putting it out. */
	capture(emit: () => void): string {
		const outer = this.out;
		this.out = [];
		emit();
		const text = this.out.join('');
		this.out = outer;
		return text;
	}

	/** Runs `emit` for what it finds out, and drops its text. */
	discard(emit: () => void): string {
		const line = this.#line;
		const checked = [...this.checked];
		const text = this.capture(emit);
		this.#line = line;
		this.checked.clear();
		for (const [key, index] of checked) this.checked.set(key, index);
		return text;
	}

	/** Code of this document line follows. */
	at(line: number): void {
		if (line === this.#line) return;
		this.#line = line;
		if (line <= 0) {
			// Code of the model runs on behalf of the line that called it; what is below zero is a place in a kernel tree.
			this.put(line === 0 ? 'rt.line=L;' : `rt.line=L;rt.place=${-line};`);
			this.places ||= line < 0;
			return;
		}
		this.#count(line);
		this.put(`rt.line=${line};`);
	}

	#count(line: number): void {
		let index = this.lines.get(line);
		if (index === undefined) {
			index = this.lines.size;
			this.lines.set(line, index);
		}
		this.put(`N[${index}]++;`);
	}

	/** Addresses that were checked since control or memory last could change, with their index in the view of their width. */
	readonly checked = new Map<string, string>();

	/** Control may come from elsewhere to what follows, or a JavaScript block ends. */
	forgetLine(): void {
		this.checked.clear();
		this.#line = -1;
	}

	/** After a wait other tasks have run. */
	restoreLine(): void {
		if (this.#line >= 0) this.put(`rt.line=${this.#line > 0 ? this.#line : 'L'};`);
	}

	/** A store, or a call that may have changed something. */
	effect(): void {
		if (this.options.loops) this.put('q++;');
	}

	/** Code that ends the run when it is reached. `what` never reaches the emitted text. */
	trap(what: string): Val {
		const name = this.external(() => what, `trap:${what}`);
		this.traps.set(name, what);
		this.put(`rt.notModelled(${name});`);
		return BAD;
	}

	problem(line: number, message: string): void {
		this.problems.push({ line, message });
	}

	/** The emitted name of something bound at instantiation; equal keys share it. */
	external(bind: External, key: string | null = null): string {
		const known = key === null ? undefined : this.#linked.get(key);
		if (known !== undefined) return known;
		const name = `x${this.externals.length}`;
		this.externals.push(bind);
		if (key !== null) this.#linked.set(key, name);
		return name;
	}

	scoped(emit: () => void): void {
		this.scopes.push(new Map());
		emit();
		this.scopes.pop();
	}

	lookup(name: string): Local | undefined {
		for (let i = this.scopes.length - 1; i >= 0; i--) {
			const local = this.scopes[i]?.get(name);
			if (local !== undefined) return local;
		}
		return undefined;
	}

	declare(name: string, local: Local): Local {
		this.scopes.at(-1)?.set(name, local);
		return local;
	}

	/** Where a local of the frame lives: in memory, if its address is taken, and in the frame's object otherwise. */
	frameLocal(name: string, key: number, type: CType): Local {
		const known = this.frameMemory.get(key);
		if (known !== undefined) return known;
		if (!this.options.addressed.has(name)) return { s: 'frame', key, type };
		const size = Math.max(8, sizeOf(type));
		const local = this.stack(type, size, Math.max(8, alignOf(type)));
		this.frameMemory.set(key, local);
		return local;
	}

	/** Where a struct that is returned lies until the caller has copied it. */
	returnArea(type: CType): string {
		if (this.#returned === null) {
			this.#returned = this.fresh('g');
			this.statics.push({ name: this.#returned, type });
		}
		return this.#returned;
	}

	/** Variables for a value of the type, declared at the head. */
	variable(type: CType): Extract<Local, { s: 'var' }> {
		const id = this.fresh('');
		const local = { s: 'var', type, name: `v${id}`, high: `w${id}` } as const;
		const wide = type.k === 'int' && type.size === 8;
		this.hoisted.push(wide ? `${local.name}=0,${local.high}=0` : `${local.name}=0`);
		this.variables.push(local.name);
		if (wide) this.variables.push(local.high);
		return local;
	}

	/** Room in the function's stack memory. */
	stack(type: CType, size: number, align: number): Extract<Local, { s: 'stack' }> {
		const offset = Math.ceil(this.stackBytes / align) * align;
		// An empty struct has an address of its own too.
		this.stackBytes = offset + Math.max(1, size);
		return { s: 'stack', type, offset };
	}
}
