import type { Placement, RunRequest, RunResult, SimChange, Simulator, StackEntry } from '../../../simulator/index.ts';

/**
 * A simulator whose kernel is the text of the stack: a line `name(3);` counts 3 of the metric that `name` stands for.
 * A condition in front, `on(arm64) flush(8);`, limits it to an architecture, a scenario, a variant or a policy.
 * After `arm();`, `on(armed)` holds as well. `stale();` is a violation, `unknown();` ends the run, `oops();` is a violation of that kind; anything else only runs.
 */
export interface FakeSimulator extends Simulator {
	readonly requests: RunRequest[];
}

const METRICS = [
	['tlb.flush', 'tlb-flush', 'warning', 'flush'],
	['tlb.local', 'tlb-flush', 'warning', 'local'],
	['fault.minor', 'cost-change', 'warning', 'minor'],
	['fault.extra', 'extra-fault', 'warning', 'extra'],
	['folio.leaked', 'folio-leak', 'error', 'leak'],
	['table.leaked', 'table-leak', 'error', 'table'],
	['lock.vma.read', 'cost-change', 'warning', 'vma_read'],
	['lock.vma.wait', 'lock-wait', 'warning', 'wait'],
	['lock.mmap.wait', 'lock-wait', 'warning', 'mmap_wait'],
	['cacheline.shared', 'cost-change', 'warning', 'shared'],
	['time.cycles', 'cost-change', 'warning', 'cycles'],
] as const;

const HOOKS = ['do_fault', 'do_swap', 'do_hidden'];

export function fakeSimulator(): FakeSimulator {
	const requests: RunRequest[] = [];
	return {
		requests,
		treePaths: [],
		attach: () => undefined,
		place,
		run(request) {
			requests.push(request);
			return run(request);
		},
		builds: () => true,
		explore: () => ({
			applies: true,
			ended: false,
			notes: [],
			executions: 1,
			steps: 1,
			method: 'exhaustive',
			exhausted: true,
			preemptions: null,
			violations: [],
			executed: new Map(),
		}),
		trace: () => ({ steps: [], head: 0, leftOut: 0, program: [], calls: [], applies: true }),
		define: () => [],
		scenarios: () => [
			{ name: 'touch', family: 'fault', doc: 'Touches pages.', variants: ['', 'aged', 'never'], exercises: ['do_fault'], concurrent: false },
			{ name: 'storm', family: 'fault', doc: 'Touches many pages.', variants: [], exercises: ['do_fault', 'do_swap'], concurrent: false },
			{ name: 'hidden', family: 'fault', doc: 'Reaches the hidden path.', variants: [''], exercises: ['do_hidden'], concurrent: false },
		],
		policies: () => [
			{ name: 'mainline', doc: 'What shipped.', base: null, touches: [], names: [], scenarios: [] },
			{ name: 'useless', doc: 'Reaches nothing new.', base: null, touches: ['do_hidden'], names: [], scenarios: [] },
			{ name: 'spf', doc: 'Speculative faults.', base: '5.17', touches: ['do_hidden', 'do_swap'], names: ['SPF'], scenarios: ['storm'] },
		],
		architectures: (kernel) => {
			const all = [
				{ name: 'x86-64', doc: 'x86.', since: '5.0' },
				{ name: 'arm64', doc: 'Arm.', since: '5.0' },
				{ name: 'loongarch', doc: 'Loongson.', since: '5.19' },
			];
			const there = (since: string) => since.localeCompare(kernel, 'en', { numeric: true }) <= 0;
			return { present: all.filter((a) => there(a.since)), absent: all.filter((a) => !there(a.since)) };
		},
		metrics: () => METRICS.map(([id, rule, harm, unit]) => ({ id, doc: `Counts ${unit}.`, rule, harm, unit })),
		explain: (name) => (name === 'pte_none' ? ENTRY : undefined),
		abi: () => [ENTRY],
		hooks: () => HOOKS.map((name) => ({ name, file: 'mm/memory.c', stages: [], scenarios: ['touch'] })),
	};
}

const ENTRY = {
	name: 'pte_none',
	kind: 'function',
	signature: 'bool pte_none(pte_t pte)',
	doc: 'True for an empty entry.',
	perArch: { arm64: 'All bits zero.' },
	since: null,
	until: null,
} as const;

function place(change: SimChange): Placement {
	const code = (side: SimChange['before']) => (side ?? []).filter((l) => l.changed && l.text.includes(';')).map((l) => l.line);
	const codeLines = { before: code(change.before), after: code(change.after) };
	if (HOOKS.includes(change.name))
		return {
			hook: change.name,
			hooks: [change.name],
			mode: change.whole ? 'function' : 'fragment',
			notes: [],
			codeLines,
			modelStandsIn: change.before === null,
		};
	return {
		hook: null,
		hooks: [],
		mode: 'none',
		notes: [{ rule: 'not-mapped', line: null, message: `${change.name} is not mapped` }],
		codeLines,
		modelStandsIn: false,
	};
}

function run(request: RunRequest): RunResult {
	const metrics: Record<string, number> = Object.fromEntries(METRICS.map(([id]) => [id, 0]));
	const executed = new Map<number, number>();
	const events = new Map<number, Record<string, number>>();
	const state = {
		...request,
		armed: '',
		metrics,
		executed,
		events,
		violations: [] as RunResult['violations'][number][],
		notes: [] as RunResult['notes'][number][],
	};
	for (const entry of request.stack) interpret(entry, state);
	const waits = metrics['lock.vma.wait'] ? [{ who: 'writer-a', on: 'vma-lock', cycles: metrics['lock.vma.wait'] }] : [];
	const { violations, notes } = state;
	return { metrics, waits, violations, notes, applies: request.variant !== 'never', ended: notes.length > 0, executed, events, called: [] };
}

function interpret(
	{ change, side }: StackEntry,
	state: RunRequest & {
		armed: string;
		metrics: Record<string, number>;
		executed: Map<number, number>;
		events: Map<number, Record<string, number>>;
		violations: RunResult['violations'][number][];
		notes: RunResult['notes'][number][];
	},
): void {
	for (const { text, line } of change[side] ?? []) {
		const call = /^\s*(?:on\(([\w@.-]+)\)\s+)?(\w+)\((\d*)\);/.exec(text);
		if (call === null || (call[1] !== undefined && ![state.arch, state.scenario, state.variant, state.policy, state.armed].includes(call[1]))) continue;
		state.executed.set(line, (state.executed.get(line) ?? 0) + 1);
		const n = call[3] === '' ? 1 : Number(call[3]);
		const metric = METRICS.find(([, , , word]) => word === call[2])?.[0];
		if (metric !== undefined) {
			state.metrics[metric] = (state.metrics[metric] ?? 0) + n;
			if (!metric.endsWith('.leaked')) state.events.set(line, { ...state.events.get(line), [metric]: n });
		} else if (call[2] === 'stale') state.violations.push({ kind: 'stale-read', schedule: '0.1', line, message: 'CPU 1 read a page through a stale entry.' });
		else if (call[2] === 'arm') state.armed = 'armed';
		else if (call[2] === 'lost') state.violations.push({ kind: 'leak', schedule: '0', line: null, message: 'A folio is left over.' });
		else if (call[2] === 'oops') state.violations.push({ kind: 'oops', schedule: '0', line, message: 'NULL pointer' });
		else if (call[2] === 'unknown') state.notes.push({ rule: 'not-modelled', line, message: 'unknown is not modelled.' });
	}
}
