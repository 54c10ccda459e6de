import type { Simulator } from '../../simulator/index.ts';
import type { Note } from './report.ts';
import type { Pair, RunMemory } from './run-memory.ts';
import type { PlacedUnit } from './units.ts';

/**
 * The code before the change is executed and not assumed; where the model has the same function, both should agree. Says
 * where they do not. One architecture is compared: text and model differ by version, rarely by architecture.
 */
export function disagreements(unit: PlacedUnit, pairs: readonly Pair[], bench: RunMemory, sim: Simulator): Note[] {
	if (unit.base !== 'kernel' || unit.before.every(({ change }) => change.before === null)) return [];
	const arch = pairs[0]?.request.arch;
	// Of a kernel tree more runs than the change: modelled cycles belong to the model's own functions.
	const onTree = unit.changes.some(({ change }) => change.from !== undefined);
	const counted = sim.metrics().filter(({ rule, unit: of }) => rule !== null && !(onTree && of === 'cycles'));
	for (const { request, before } of pairs) {
		if (request.arch !== arch || before.ended) continue;
		const model = bench.run({ ...request, stack: [] });
		const metric = counted.find(({ id }) => (before.metrics[id] ?? 0) !== (model.metrics[id] ?? 0));
		if (metric === undefined) continue;
		const first = unit.changes.find(({ change }) => change.before !== null);
		const names = [...unit.hooks].join(', ');
		const where = request.variant === '' ? request.scenario : `${request.scenario} (${request.variant})`;
		const message = `The code before the change and the model of ${names} in ${request.kernel} differ: ${metric.id} is ${before.metrics[metric.id]} with the code and ${model.metrics[metric.id]} with the model in ${where}. Either the kernel version or the model is not the one of the patch.`;
		return [{ rule: 'model-disagrees', line: first?.change.line ?? 1, hunks: unit.hunks, message }];
	}
	return [];
}
