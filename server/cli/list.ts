import type { Simulator } from '../../simulator/index.ts';
import { rules } from '../review/rules.ts';
import type { Arguments } from './arguments.ts';
import { CLEAN, type Host, UNUSABLE, UsageError } from './host.ts';
import { unknownName } from './nearest.ts';
import { openSimulator } from './open-simulator.ts';
import { kernelOption, oneOf } from './values.ts';

const WHATS = ['scenarios', 'hooks', 'policies', 'arch', 'abi', 'rules', 'metrics'] as const;

/** A line of a list: a name and what there is to say about it. */
type Item = readonly [name: string, text: string];

/** Prints one table of what there is, as aligned text or as JSON. */
export async function listCommand(args: Arguments, host: Host): Promise<number> {
	const format = oneOf(args, 'format', ['text', 'json'], 'text');
	const kernel = kernelOption(args) ?? '6.12';
	const [what, ...more] = args.operands;
	if (what === undefined) throw new UsageError(`list: one of ${WHATS.join(', ')}`);
	const known = WHATS.find((name) => name === what);
	if (known === undefined || more.length > 0) throw new UsageError(more.length > 0 ? 'list takes one name' : unknownName('list', what, WHATS));
	if (args.options.has('kernel') && known !== 'arch') throw new UsageError('list: --kernel goes with arch only');
	const { sim, broken } = await openSimulator(host);
	if (format === 'json') host.out(`${JSON.stringify(data(known, sim, kernel), null, 2)}\n`);
	else host.out(aligned(items(known, sim, kernel)));
	return broken ? UNUSABLE : CLEAN;
}

function data(what: (typeof WHATS)[number], sim: Simulator, kernel: string): unknown {
	if (what === 'scenarios') return sim.scenarios();
	if (what === 'hooks') return sim.hooks();
	if (what === 'policies') return sim.policies();
	if (what === 'arch') return sim.architectures(kernel);
	if (what === 'abi') return sim.abi();
	return what === 'rules' ? rules() : sim.metrics();
}

function items(what: (typeof WHATS)[number], sim: Simulator, kernel: string): Item[] {
	switch (what) {
		case 'scenarios':
			return sim.scenarios().map(({ name, doc, variants, file }) => {
				const forms = variants.some(Boolean) ? `variants: ${variants.filter(Boolean).join(', ')}` : '';
				return [name, joined(joined(doc, forms), file ?? '')];
			});
		case 'hooks':
			return sim.hooks().map(({ name, file, stages, scenarios }) => [name, `${file}; ${stages.length} stages; ${scenarios.length} scenarios`]);
		case 'policies':
			return sim.policies().map(({ name, base, doc }) => [name, joined(doc, base === null ? '' : `on ${base}`)]);
		case 'arch': {
			const { present, absent } = sim.architectures(kernel);
			return [...present.map(({ name, doc }): Item => [name, doc]), ...absent.map(({ name, since }): Item => [name, `not in ${kernel}: since ${since}`])];
		}
		case 'abi':
			return sim.abi().map(({ name, kind, doc }) => [name, `${kind}: ${doc}`]);
		case 'rules':
			return rules().map(({ id, severity, doc }) => [id, `${severity ?? 'note'}: ${doc}`]);
		case 'metrics':
			return sim.metrics().map(({ id, doc, rule }) => [id, joined(doc, rule === null ? '' : `rule: ${rule}`)]);
	}
}

function joined(doc: string, more: string): string {
	return more === '' ? doc : `${doc.replace(/\.$/, '')}; ${more}`;
}

function aligned(list: readonly Item[]): string {
	const width = Math.max(0, ...list.map(([name]) => name.length));
	return list.map(([name, text]) => `${name.padEnd(width)}  ${text}\n`).join('');
}
