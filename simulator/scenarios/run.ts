import { PTE_HUGE, PTE_PRESENT } from '../abi/flags.ts';
import { vm_area_struct } from '../abi/structs.ts';
import { BudgetSpent, NoProgress, NotModelled, Oops } from '../c/runtime.ts';
import type { LockWait, SimNote } from '../index.ts';
import { NEWEST_KERNEL, versionNumber } from '../kernel/features.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { chainOf } from '../kernel/wait-chain.ts';
import { walk } from '../machine/mmu.ts';
import { Oracles } from '../oracles/oracles.ts';
import { NO_RULES, type Rule } from '../oracles/rules.ts';
import { type Scenario, Stage } from './scenario.ts';

export interface Outcome {
	readonly applies: boolean;
	readonly ended: boolean;
	readonly notes: readonly SimNote[];
	readonly waits: readonly LockWait[];
	/** Symbols that ran before everything was torn down; empty unless the kernel tracks them. */
	readonly called: readonly string[];
}

/**
 * Runs one scenario to its end on a kernel of mm version `version`, then tears everything down and counts what is left over. `off`: rules
 * of the oracles that are left out.
 */
export function runScenario(
	k: Kernel,
	scenario: Scenario,
	variant: string,
	budget: number,
	version = NEWEST_KERNEL,
	off: ReadonlySet<Rule> = NO_RULES,
): Outcome {
	k.reset(budget);
	const oracles = new Oracles(k, off);
	k.oracles = oracles;
	if (scenario.applies !== undefined && !scenario.applies(k, variant, versionNumber(version)))
		return { applies: false, ended: false, notes: [], waits: [], called: [] };
	const stage = new Stage(k);
	const notes: SimNote[] = [];
	let called: readonly string[] | null = null;
	try {
		stage.alone(() => scenario.start(stage, variant));
		const stuck = k.sched.run();
		k.counters.measuring = false;
		k.rt.line = 0;
		called = [...k.called];
		if (stuck.length > 0) oracles.stuck(stuck);
		else {
			stage.alone(() => scenario.check?.(stage, variant));
			stage.alone(() => oracles.teardown());
		}
	} catch (error) {
		const ended = endOf(k, error, notes);
		k.counters.measuring = false;
		return { applies: true, ended, notes, waits: waitsOf(k), called: called ?? [...k.called] };
	}
	return { applies: true, ended: false, notes, waits: waitsOf(k), called: called ?? [] };
}

/** Versions and architectures whose runs tell what a scenario calls: the oldest and newest forms of the fault path, with and without hardware flags. */
const TELLING: readonly (readonly [kernel: string, arch: string])[] = [
	['5.8', 'x86-64'],
	['5.12', 'arm64-no-hafdbs'],
	['6.4', 'x86-64'],
	[NEWEST_KERNEL, 'x86-64'],
	[NEWEST_KERNEL, 'arm64-no-hafdbs'],
];

/** Symbols that the scenario's programs call, in any variant. `kernelOf` gives a kernel that tracks its calls. */
export function calledBy(scenario: Scenario, kernelOf: (kernel: string, arch: string) => Kernel): readonly string[] {
	const called = new Set<string>();
	for (const [version, arch] of TELLING) {
		const k = kernelOf(version, arch);
		for (const variant of scenario.variants) for (const symbol of runScenario(k, scenario, variant, TELLING_BUDGET, version).called) called.add(symbol);
	}
	return [...called].sort();
}

/** Steps of C that such a run may take; it runs none. */
const TELLING_BUDGET = 100_000;

/** Turns what stopped a run into a note or a violation. Returns whether the run gives no finding. Rethrows what is our own fault. */
function endOf(k: Kernel, error: unknown, notes: SimNote[]): boolean {
	if (error instanceof NotModelled) notes.push({ rule: 'not-modelled', line: error.line || null, message: error.message });
	else if (error instanceof BudgetSpent)
		notes.push({ rule: 'budget', line: error.line || null, message: 'the step budget of the run is spent; it ended there' });
	else if (error instanceof NoProgress || error instanceof Oops) {
		k.rt.line = error.line;
		k.violate(error instanceof Oops ? 'oops' : 'no-progress', error.message);
		return false;
	} else if (error instanceof RangeError) notes.push({ rule: 'budget', line: null, message: `${error.message}; the run ended there` });
	else throw error;
	return true;
}

function waitsOf(k: Kernel): LockWait[] {
	return k.sched
		.tasks()
		.filter((t) => !t.hidden)
		.flatMap((t) =>
			[...t.waited].map(([on, cycles]) => {
				const behind = cycles > 0 ? chainOf(t, on) : [];
				return { who: t.name, on, cycles, ...(behind.length > 0 ? { behind } : {}) };
			}),
		);
}

/** PMD-sized folios of a mapping that small entries map although one PMD entry could. */
export function missedHuge(k: Kernel, mm: number, vma: number): number {
	let missed = 0;
	const end = k.mem.r64(vma + vm_area_struct.vm_end);
	for (let haddr = Math.ceil(k.mem.r64(vma + vm_area_struct.vm_start) / 2097152) * 2097152; haddr < end; haddr += 2097152) {
		if (!k.transhuge_vma_suitable(vma, haddr)) continue;
		const { pmd, pte } = walk(k.frames, k.pgd(mm), haddr / 4096);
		if (pmd === 0 || pte === 0) continue;
		const entry = k.mem.r64(pmd);
		if (entry & PTE_PRESENT && (entry & PTE_HUGE) === 0) missed++;
	}
	return missed;
}
