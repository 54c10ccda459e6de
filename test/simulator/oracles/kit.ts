/** Kernels that are damaged on purpose, and what the oracles say of them, one rule at a time. */
import path from 'node:path';
import { loadParser } from '../../../server/simulator-host.ts';
import type { CParser } from '../../../simulator/c/parser.ts';
import { featuresOf, versionNumber } from '../../../simulator/kernel/features.ts';
import type { Kernel } from '../../../simulator/kernel/kernel.ts';
import type { Rule } from '../../../simulator/oracles/rules.ts';

const root = path.resolve(import.meta.dirname, '../../../simulator');

interface Form {
	readonly chooseArch: typeof import('../../../simulator/arch/index.ts').chooseArch;
	readonly bindKernel: typeof import('../../../simulator/kernel/build.ts').bindKernel;
	readonly createMachine: typeof import('../../../simulator/kernel/machine.ts').createRecordingMachine;
	readonly explore: typeof import('../../../simulator/explore/explore.ts').explore;
	readonly runScenario: typeof import('../../../simulator/scenarios/run.ts').runScenario;
	readonly ScenarioBook: typeof import('../../../simulator/scenarios/book.ts').ScenarioBook;
	readonly suspends: ReadonlySet<string>;
}

let parser: CParser | null = null;
let form: Form | null = null;

/** The suspendable form of the simulator: made by the plugin of the tests. */
async function suspendable(): Promise<Form> {
	if (form !== null) return form;
	const load = async <T>(file: string): Promise<T> => (await import(/* @vite-ignore */ `${root}/${file}?suspendable`)) as T;
	const { bindKernel } = await load<typeof import('../../../simulator/kernel/build.ts')>('kernel/build.ts');
	const { chooseArch } = await load<typeof import('../../../simulator/arch/index.ts')>('arch/index.ts');
	const { createRecordingMachine } = await load<typeof import('../../../simulator/kernel/machine.ts')>('kernel/machine.ts');
	const { explore } = await load<typeof import('../../../simulator/explore/explore.ts')>('explore/explore.ts');
	const { runScenario } = await load<typeof import('../../../simulator/scenarios/run.ts')>('scenarios/run.ts');
	const { ScenarioBook } = await load<typeof import('../../../simulator/scenarios/book.ts')>('scenarios/book.ts');
	const { SUSPENDS } = await load<typeof import('../../../simulator/schedule/form.ts')>('schedule/form.ts');
	return (form = { chooseArch, bindKernel, createMachine: createRecordingMachine, explore, runScenario, ScenarioBook, suspends: SUSPENDS });
}

/** What may be done to a kernel. */
export interface Damage {
	readonly k: Kernel;
	/** The symbol does nothing and gives `value`, from its nth call (from 0) on, or always. */
	skip(symbol: keyof Kernel, value?: number): void;
	/** The symbol does something else; a generator may wait. */
	replace(symbol: keyof Kernel, by: (...args: number[]) => unknown): void;
	/** Something is done before the symbol. It may not wait. */
	before(symbol: keyof Kernel, act: (...args: number[]) => void): void;
	/** The symbol does what it does, and something is done after it; that gets its value. */
	after(symbol: keyof Kernel, act: (value: number, ...args: number[]) => void): void;
}

type Fn = (...args: number[]) => unknown;

function damageOf(k: Kernel, suspends: ReadonlySet<string>): Damage {
	const table = k as unknown as Record<string, Fn>;
	// A function in stages is one that waits in either form.
	const waits = (symbol: string): boolean => suspends.has(symbol) || (table[symbol] as Fn).constructor.name === 'GeneratorFunction';
	const set = (symbol: string, by: Fn): void => {
		table[symbol] = waits(symbol)
			? function* (...args: number[]) {
					const made = by(...args);
					return typeof made === 'object' && made !== null && 'next' in made ? yield* made as Generator<never, unknown, void> : made;
				}
			: by;
	};
	return {
		k,
		skip: (symbol, value = 0) => set(symbol, () => value),
		replace: (symbol, by) => set(symbol, by),
		before(symbol, act) {
			const original = table[symbol] as Fn;
			table[symbol] = (...args) => {
				act(...args);
				return original(...args);
			};
		},
		after(symbol, act) {
			const original = table[symbol] as Fn;
			table[symbol] = waits(symbol)
				? function* (...args: number[]) {
						const value = (yield* original(...args) as Generator<never, number, void>) as number;
						act(value, ...args);
						return value;
					}
				: (...args) => {
						const value = original(...args) as number;
						act(value, ...args);
						return value;
					};
		},
	};
}

export interface Case {
	/** A scenario in the scenario language, without its head. */
	readonly program: string;
	readonly damage: (d: Damage) => void;
	readonly version?: string;
	readonly arch?: string;
	readonly steps?: number;
}

/** Looks at the interleavings of the program on the damaged kernel. Gives kinds and messages, each once. */
export async function harm({ program, damage, version = '6.12', arch = 'x86-64', steps = 2500 }: Case, ...off: Rule[]): Promise<string[]> {
	parser ??= await loadParser();
	const made = await suspendable();
	const choice = made.chooseArch(arch, version);
	if (choice === undefined) throw new Error(arch);
	const book = new made.ScenarioBook();
	const problems = book.define([{ file: 'test', text: `scenario test\nfamily test\ndoc test\n${program}` }]);
	const scenario = book.find('test');
	if (scenario === undefined) throw new Error(problems.map(({ message }) => message).join('; '));
	const k = made.bindKernel(parser, [made.createMachine(), choice.arch, versionNumber(choice.version), featuresOf(version)], false, []);
	damage(damageOf(k, made.suspends));
	const left = new Set(off);
	const { violations } = made.explore(k, () => made.runScenario(k, scenario, '', 1_000_000, version, left), { steps, seed: 1, firstOnly: true });
	return [...new Set(violations.map((v) => `${v.kind}: ${v.message}`))];
}

export const nothing = (): void => undefined;
