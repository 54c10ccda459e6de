/** The search through interleavings: how fast it is on small scenarios, and two races of them beside the same races modelled for spin. */
import type { ExploreResult, Simulator } from '../simulator/index.ts';
import { commandMs } from './cpu-time.ts';
import { spinFigures } from './spin.ts';

type Line = (text: string) => void;

interface Explored {
	readonly scenario: string;
	readonly variant?: string;
	readonly policy: string;
	readonly kernel: string;
}

/** Two or three CPUs, a page or two. Those with harm come with what repairs it. */
const SCENARIOS: readonly Explored[] = [
	{ scenario: 'spf-munmap', policy: 'spf-split-ptlocks', kernel: '5.17' },
	{ scenario: 'spf-munmap', policy: 'spf', kernel: '5.17' },
	{ scenario: 'spf-notifier', policy: 'spf-no-notifier-lock', kernel: '5.17' },
	{ scenario: 'spf-notifier', policy: 'spf', kernel: '5.17' },
	...['luf-no-pending', 'luf', 'mainline'].map((policy) => ({ scenario: 'reclaim-munmap-remap', variant: '1', policy, kernel: '6.10' })),
	{ scenario: 'swapin-io', variant: 'no-writer', policy: 'mainline', kernel: '6.12' },
	{ scenario: 'swapin-io', variant: 'writer-same-vma', policy: 'mainline', kernel: '6.12' },
	{ scenario: 'mprotect-race', policy: 'mainline', kernel: '6.12' },
];
const STEPS = 100_000;
/** Runs of each figure, the middle one is printed. */
const ROUNDS = 5;

const TITLES = ['scenario, policy', 'runs', 'steps', 'looked at', 'steps/s', 'runs/s', 'first ms', 'all ms', 'wall ms', 'schedule (switches)'];
const WIDTHS = [52, 6, 8, 22, 9, 7, 10, 10, 10, 0];

/** @param self how to start this program again; it is given further words. */
export function benchExplore(sim: Simulator, root: string, self: readonly string[], line: Line): void {
	line(`Milliseconds of CPU time, but for wall. A run begins with an empty machine and repeats its prefix. At most ${STEPS} steps.`);
	row(line, TITLES);
	const races = sim.scenarios().filter(({ family }) => family === 'race');
	for (const one of [...SCENARIOS, ...races.map(({ name }) => ({ scenario: name, policy: 'mainline', kernel: '6.12' }))]) {
		if (!sim.scenarios().some(({ name }) => name === one.scenario)) continue;
		exploreRow(sim, one, line);
	}
	line('');
	line('Two races beside spin: milliseconds of CPU time, middle of five; `cold` is a process of its own from its start, for spin with spin -a and cc.');
	for (const { model, harmful, repaired } of MODELS) {
		const found = timed(() => sim.explore(request(harmful, true)));
		const whole = timed(() => sim.explore(request(repaired)));
		const [first, all] = [harmful, repaired].map((one, i) =>
			commandMs([...self, 'explore-one', one.scenario, one.variant ?? '', one.policy, one.kernel, i === 0 ? 'first' : 'all'], ROUNDS),
		);
		line(model);
		line(
			`  faultline  first violation: cold ${ms(first)}, warm ${ms(found.cpu)}; exhausted: cold ${ms(all)}, warm ${ms(whole.cpu)}${whole.value.exhausted ? '' : ' (not exhausted)'}`,
		);
		line(
			`             runs ${found.value.executions} and ${whole.value.executions}, steps ${found.value.steps} and ${whole.value.steps}; ${shown(found.value)}`,
		);
		for (const text of spinFigures(root, model, ROUNDS)) line(`  spin       ${text}`);
	}
}

/** A race as our scenario and as a model in bench/spin. */
const MODELS: readonly { readonly model: string; readonly harmful: Explored; readonly repaired: Explored }[] = [
	{
		model: 'reclaim-munmap-remap',
		harmful: { scenario: 'reclaim-munmap-remap', variant: '1', policy: 'luf-no-pending', kernel: '6.10' },
		repaired: { scenario: 'reclaim-munmap-remap', variant: '1', policy: 'luf', kernel: '6.10' },
	},
	{
		model: 'spf-munmap',
		harmful: { scenario: 'spf-munmap', policy: 'spf-split-ptlocks', kernel: '5.17' },
		repaired: { scenario: 'spf-munmap', policy: 'spf', kernel: '5.17' },
	},
];

/** One exploration and nothing else: what a process of its own does. Words: scenario, variant, policy, kernel, `first` or `all`. */
export function exploreOne(sim: Simulator, [scenario = '', variant = '', policy = '', kernel = '', what]: readonly string[]): void {
	sim.explore(request({ scenario, variant, policy, kernel }, what === 'first'));
}

function exploreRow(sim: Simulator, one: Explored, line: Line): void {
	const once = sim.explore(request(one));
	if (!once.applies) return;
	const whole = timed(() => sim.explore(request(one)));
	const { executions, steps, violations } = whole.value;
	const first = violations.length > 0 ? timed(() => sim.explore(request(one, true))).cpu : undefined;
	row(line, [
		`${one.scenario}${one.variant === undefined ? '' : `/${one.variant}`}, ${one.policy}`,
		String(executions),
		String(steps),
		how(whole.value),
		thousands(steps / whole.cpu),
		String(Math.round((executions / whole.cpu) * 1000)),
		first === undefined ? '-' : first.toFixed(1),
		whole.value.exhausted ? whole.cpu.toFixed(1) : `>${whole.cpu.toFixed(0)}`,
		whole.wall.toFixed(1),
		shown(whole.value),
	]);
}

const how = ({ method, exhausted, preemptions }: ExploreResult): string =>
	method === 'exhaustive' ? (exhausted ? 'all' : 'not all') : method === 'random' ? 'at random' : `${preemptions} preemptions${exhausted ? '' : ', not all'}`;

const shown = ({ violations }: ExploreResult): string => [...new Set(violations.map((v) => `${v.kind} ${v.schedule} (${v.switches})`))].join('; ') || 'no harm';

const request = ({ scenario, variant = '', policy, kernel }: Explored, firstOnly = false) => ({
	...{ scenario, variant, policy, kernel, firstOnly },
	...{ arch: 'x86-64', stack: [], steps: STEPS },
});

/** Steps a millisecond are thousands a second. */
const thousands = (perMs: number): string => `${perMs.toFixed(0)}k`;
const ms = (value: number | undefined): string => (value === undefined ? '?' : value.toFixed(1));

function timed<T>(run: () => T): { readonly value: T; readonly cpu: number; readonly wall: number } {
	const rounds: { readonly value: T; readonly cpu: number; readonly wall: number }[] = [];
	for (let i = 0; i < ROUNDS; i++) {
		const cpu = process.cpuUsage();
		const wall = performance.now();
		const value = run();
		const { user, system } = process.cpuUsage(cpu);
		rounds.push({ value, cpu: (user + system) / 1000, wall: performance.now() - wall });
	}
	return rounds.sort((a, b) => a.cpu - b.cpu)[ROUNDS >> 1] as (typeof rounds)[number];
}

function row(line: Line, cells: readonly string[]): void {
	line(cells.map((cell, i) => (i === 0 || i === 3 || i === cells.length - 1 ? cell.padEnd(WIDTHS[i] ?? 0) : cell.padStart(WIDTHS[i] ?? 0))).join(' '));
}
