import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { loadParser } from '../../../server/simulator-host.ts';
import { chooseArch } from '../../../simulator/arch/index.ts';
import { bindKernel } from '../../../simulator/kernel/build.ts';
import { featuresOf, versionNumber } from '../../../simulator/kernel/features.ts';
import type { Kernel } from '../../../simulator/kernel/kernel.ts';
import { createMachine } from '../../../simulator/kernel/machine.ts';
import { builtinScenarios } from '../../../simulator/scenarios/builtin/index.ts';
import { calledBy } from '../../../simulator/scenarios/run.ts';

/** Families that are about faults. What nearly every scenario calls is called by them for its own sake. */
const FAULTS = new Set(['faults', 'fault-around', 'cow', 'swap', 'locks']);
/** Part of the scenarios above which a symbol is called by nearly all. */
const NEARLY_ALL = 0.7;

const LISTS = new URL('../../../simulator/scenarios/builtin/exercises.json', import.meta.url);

/** With FAULTLINE_WRITE=1 the lists are written anew: after a change of the scenarios, or of the kernel if it calls less than it did. */
it('what a scenario is listed to exercise it calls, and what C code can replace is listed wherever it is called', async () => {
	const parser = await loadParser();
	const machine = createMachine();
	const kernels = new Map<string, Kernel>();
	const kernelOf = (version: string, arch: string): Kernel => {
		const choice = chooseArch(arch, version);
		if (choice === undefined) throw new RangeError(arch);
		const known = kernels.get(`${version} ${arch}`) ?? bindKernel(parser, [machine, choice.arch, versionNumber(version), featuresOf(version)], true, []);
		kernels.set(`${version} ${arch}`, known);
		return known;
	};
	const called = builtinScenarios().map((s) => ({ ...s, symbols: calledBy(s, kernelOf) }));
	if (process.env.FAULTLINE_WRITE === '1') writeFileSync(LISTS, `${JSON.stringify(listsOf(called), null, '\t')}\n`);
	const lists = JSON.parse(readFileSync(LISTS, 'utf8')) as Record<string, string>;
	const listed = new Map(called.map(({ name }) => [name, new Set(lists[name]?.split(' '))]));
	expect(
		called.flatMap(({ name, symbols }) =>
			[...(listed.get(name) ?? [])].filter((symbol) => !symbols.includes(symbol)).map((symbol) => `${name} does not call ${symbol}`),
		),
	).toEqual([]);
	const somewhere = new Set([...listed.values()].flatMap((symbols) => [...symbols]));
	expect([...new Set(called.flatMap(({ symbols }) => symbols))].filter((symbol) => !somewhere.has(symbol))).toEqual([]);
}, 60_000);

function listsOf(called: readonly { readonly name: string; readonly family: string; readonly symbols: readonly string[] }[]): Record<string, string> {
	const callers = new Map<string, number>();
	for (const { symbols } of called) for (const symbol of symbols) callers.set(symbol, (callers.get(symbol) ?? 0) + 1);
	const telling = (family: string, symbol: string): boolean => FAULTS.has(family) || (callers.get(symbol) ?? 0) <= called.length * NEARLY_ALL;
	return Object.fromEntries(called.map(({ name, family, symbols }) => [name, symbols.filter((symbol) => telling(family, symbol)).join(' ')]));
}
