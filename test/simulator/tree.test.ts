/** Changes within a kernel tree: one of our own, a few lines long. */
import { beforeEach, describe, expect, it } from 'vitest';
import { loadParser } from '../../server/simulator-host.ts';
import { createSimulator, type SimChange, type Simulator, type TreeText } from '../../simulator/index.ts';

/** How many pages are mapped around a fault is decided by a helper, a macro and a variable. */
const MEMORY = `
#define WINDOW_LIMIT 1

static unsigned long windows_wanted = 2;

static bool window_wanted(struct vm_fault *vmf)
{
	if (windows_wanted <= WINDOW_LIMIT)
		return false;
	return vmf->vma->vm_ops->map_pages != NULL;
}

static inline bool should_fault_around(struct vm_fault *vmf)
{
	return window_wanted(vmf);
}

static void never_called(struct vm_fault *vmf)
{
	vmf->flags = 0;
}
`;

const tree = (text: string, id = 'small'): TreeText => ({ id, kernel: '6.12', read: (path) => (path === 'mm/memory.c' ? text : undefined) });

let sim: Simulator;
beforeEach(async () => {
	sim = createSimulator(await loadParser());
	sim.attach(tree(MEMORY));
});

/** The function as the tree has it, and with one piece of its text exchanged; changed lines are lines of the document. */
function change(name: string, from: string, to: string, files?: SimChange['files']): SimChange {
	const lines = MEMORY.split('\n');
	const first = lines.findIndex((line) => line.includes(`${name}(struct`) && !line.startsWith('\t'));
	const last = lines.indexOf('}', first);
	const before = lines
		.slice(first, last + 1)
		.map((text, i) => ({ text, line: text.includes(from) ? 100 + i : 0, changed: text.includes(from), treeLine: first + i + 1 }));
	const after = before.map((l) => ({ ...l, text: l.text.replace(from, to) }));
	return {
		id: '0.0',
		name,
		file: 'mm/memory.c',
		whole: true,
		declaration: before[0]?.text ?? '',
		anchor: before,
		before,
		after,
		...(files === undefined ? {} : { files }),
	};
}

/** Faults of reading 64 cached pages of a file: 4 with windows, 64 without. */
function faults(side: 'before' | 'after', changes: readonly SimChange[]): number {
	const { metrics, notes } = sim.run({
		scenario: 'fault-around-window',
		variant: '1',
		arch: 'x86-64',
		kernel: '6.12',
		policy: 'mainline',
		stack: changes.map((c) => ({ change: c, side })),
	});
	expect(notes).toEqual([]);
	return metrics['fault.minor'] as number;
}

describe('a change within a tree', () => {
	it('of a helper runs by the symbol that calls it', () => {
		const helper = change('window_wanted', 'return false', 'return true');
		expect(sim.place(helper, '6.12')).toMatchObject({ hook: 'should_fault_around', hooks: ['should_fault_around'], mode: 'function' });
		expect(faults('before', [helper])).toBe(4);
		const none = change('window_wanted', '!= NULL', '== NULL');
		expect(faults('after', [none])).toBe(64);
	});

	it('of a symbol calls the untouched helper', () => {
		const symbol = change('should_fault_around', 'return window_wanted(vmf)', 'return !window_wanted(vmf)');
		expect(sim.place(symbol, '6.12').hook).toBe('should_fault_around');
		expect([faults('before', [symbol]), faults('after', [symbol])]).toEqual([4, 64]);
	});

	it('sees the macros and variables of its own text', () => {
		const patched = MEMORY.replace('WINDOW_LIMIT 1', 'WINDOW_LIMIT 2');
		const files = { before: new Map([['mm/memory.c', MEMORY]]), after: new Map([['mm/memory.c', patched]]) };
		const helper = change('window_wanted', 'return false', 'return 0', files);
		expect([faults('before', [helper]), faults('after', [helper])]).toEqual([4, 64]);
	});

	it('of what nothing calls is told of', () => {
		const unused = change('never_called', 'vmf->flags = 0', 'vmf->flags = 1');
		const { hook, hooks, notes } = sim.place(unused, '6.12');
		expect({ hook, hooks, notes }).toEqual({
			hook: null,
			hooks: [],
			notes: [{ rule: 'not-mapped', line: 102, message: 'nothing that the model runs calls never_called' }],
		});
	});

	it('counts the lines of the document that ran, and none of the tree', () => {
		const helper = change('window_wanted', '!= NULL', '== NULL');
		const { executed } = sim.run({
			scenario: 'fault-around-window',
			variant: '1',
			arch: 'x86-64',
			kernel: '6.12',
			policy: 'mainline',
			stack: [{ change: helper, side: 'after' }],
		});
		expect([...executed.keys()]).toEqual([104]);
	});

	it('is told by the lines of the tree in a trace', () => {
		const helper = change('window_wanted', '!= NULL', '== NULL');
		const { steps } = sim.trace({
			scenario: 'fault-around-window',
			variant: '1',
			arch: 'x86-64',
			kernel: '6.12',
			policy: 'mainline',
			stack: [{ change: helper, side: 'after' }],
		});
		expect(new Set(steps.map((s) => s.line))).toContain(104);
		expect(steps.every((s) => s.tree === null || s.tree.startsWith('mm/memory.c:'))).toBe(true);
	});

	it('is another change within another tree', () => {
		const helper = change('window_wanted', 'return false', 'return 0');
		expect(faults('after', [helper])).toBe(4);
		sim.attach(tree(MEMORY.replace('windows_wanted = 2', 'windows_wanted = 1'), 'other'));
		expect(faults('after', [helper])).toBe(64);
		sim.attach(null);
		expect(sim.place(helper, '6.12').hook).toBeNull();
	});
});
