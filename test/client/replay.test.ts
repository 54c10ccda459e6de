import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Timeline } from '../../server/formats/steps.ts';
import { Debugger, PATH, SCHEDULE, timelinesOf } from './replay.ts';

const root = path.resolve(import.meta.dirname, '../..');
const read = (name: string): string => readFileSync(path.join(root, name), 'utf8');

const sample = read('samples/filemap-map-pmd.patch');
/** Line (from 1) on which the folio is unlocked and nobody drops its reference. */
const unlocks = sample.split('\n').findIndex((line) => line.startsWith('+\t\tunlock_page')) + 1;

/** One task that leaks, two that race, and two that wait for each other. */
let leak: Timeline;
let race: Timeline;
let deadlock: Timeline;

beforeAll(async () => {
	const of = async (text: string, explore: number, rule: string): Promise<Timeline> => (await timelinesOf(text, explore)).get(rule) as Timeline;
	leak = await of(sample, 0, 'folio-leak');
	race = await of(read('test/fixtures/patches/races/zap-frees-early.patch'), 3000, 'stale-translation');
	deadlock = await of(read('test/fixtures/patches/races/page-lock-in-table-lock.patch'), 3000, 'deadlock');
}, 120_000);

/** Steps (from 1) of which something is true. */
const stepsWhere = ({ after }: Timeline, is: (step: Timeline['after']['steps'][number]) => boolean): number[] =>
	after.steps.flatMap((step, i) => (is(step) ? [i + 1] : []));

async function started(timeline: Timeline, args: object = {}, lines: readonly number[] = []): Promise<Debugger> {
	const editor = new Debugger(timeline);
	await editor.start(args, lines);
	return editor;
}

describe('a replay', () => {
	it('says what it can, then that it is ready for breakpoints, then stops at the first step', async () => {
		const editor = new Debugger(leak);
		const can = await editor.ask<DebugProtocol.Capabilities>('initialize', { adapterID: 'faultline' });
		expect(can).toMatchObject({ supportsStepBack: true, supportsRestartRequest: true, supportsConfigurationDoneRequest: true });
		expect(editor.events).toEqual([]);
		await editor.start();
		expect(editor.events.map(({ event }) => event)).toEqual(['initialized', 'stopped']);
		expect(editor.stop).toMatchObject({ reason: 'entry', description: `Step 1 of ${leak.after.steps.length}`, allThreadsStopped: true });
		// The answer to a request comes before what it leads to.
		const kinds = editor.sent.map((message) => ('command' in message ? message.command : 'event' in message ? message.event : ''));
		expect(kinds.indexOf('launch')).toBeLessThan(kinds.indexOf('initialized'));
		expect(editor.sent.map(({ seq }) => seq)).toEqual(editor.sent.map((_, i) => i + 1));
	});

	it('has the tasks on their CPUs as threads, and one for what turns up after them', async () => {
		expect((await (await started(race)).threads()).map(({ name }) => name)).toEqual(['CPU0', 'CPU1']);
		expect((await (await started(leak)).threads()).map(({ name }) => name)).toEqual(['CPU0 reader', 'After the run']);
		expect((await (await started(deadlock)).threads()).map(({ name }) => name)).toEqual(['CPU0', 'CPU1', 'CPU2 child', 'After the run']);
	});

	it('replays the side before the patch as well', async () => {
		const editor = await started(leak, { side: 'before' });
		expect(editor.stop.description).toBe(`Step 1 of ${leak.before.steps.length}`);
		await editor.go('continue');
		expect(editor.stop).toMatchObject({ reason: 'step', description: `End of the run: step ${leak.before.steps.length} of ${leak.before.steps.length}` });
	});

	it('begins anew', async () => {
		const editor = await started(race);
		await editor.go('continue');
		await editor.ask('restart');
		expect([editor.step, editor.stop.reason]).toEqual([1, 'entry']);
	});
});

describe('moving', () => {
	it('goes a step forward and back, whoever does it, and tells which thread did', async () => {
		const editor = await started(race);
		const names = new Map((await editor.threads()).map(({ id, name }) => [id, name]));
		const seen: string[] = [];
		for (let i = 1; i < race.after.steps.length; i++) {
			expect(await editor.go('stepIn')).toBe(i + 1);
			seen.push(names.get(editor.stop.threadId ?? 0) ?? '');
		}
		expect(seen).toEqual(race.after.steps.slice(1).map(({ cpu }) => `CPU${cpu}`));
		for (let i = race.after.steps.length; i > 1; i--) expect(await editor.go('stepBack')).toBe(i - 1);
		expect(await editor.go('stepBack')).toBe(1);
		expect(editor.stop.description).toContain('Beginning of the run');
	});

	it('goes on to the next step of one thread while the others run', async () => {
		const editor = await started(race);
		const [first, second] = await editor.threads();
		const own = stepsWhere(race, ({ cpu }) => cpu === 1);
		expect(await editor.go('next', second?.id)).toBe(own[0]);
		expect(await editor.go('next', second?.id)).toBe(own[1]);
		const back = stepsWhere(race, ({ cpu }) => cpu === 0).find((step) => step > (own[1] ?? 0));
		expect(await editor.go('next', first?.id)).toBe(back);
		expect(editor.stop).toMatchObject({ reason: 'step', threadId: first?.id });
	});

	it('is stopped by harm on the way to the next step of a thread', async () => {
		const editor = await started(race);
		const [harm = 0] = stepsWhere(race, ({ kind }) => kind === 'harm');
		const [first] = await editor.threads();
		while (editor.step < harm) await editor.go('next', first?.id);
		expect([editor.step, editor.stop.reason]).toEqual([harm, 'exception']);
	});

	it('leaves what the program asked for', async () => {
		const editor = await started(race);
		const begin = race.after.steps.findIndex(({ call, cpu }) => cpu === 0 && call.startsWith('store'));
		while (editor.step <= begin) await editor.go('stepIn');
		const { call } = race.after.steps[editor.step - 1] ?? {};
		const next = race.after.steps.findIndex((step, i) => i >= editor.step && step.cpu === 0 && step.call !== call) + 1;
		expect(await editor.go('stepOut')).toBe(next);
	});

	it('goes on to each harm, and back, and stays at the last step', async () => {
		const editor = await started(leak);
		const harms = stepsWhere(leak, ({ kind }) => kind === 'harm');
		expect(harms.length).toBeGreaterThan(1);
		for (const harm of harms) {
			expect(await editor.go('continue')).toBe(harm);
			expect(editor.stop.reason).toBe('exception');
		}
		expect(editor.step).toBe(leak.after.steps.length);
		for (const command of ['continue', 'next', 'stepIn', 'stepOut']) {
			expect(await editor.go(command)).toBe(leak.after.steps.length);
			expect(editor.stop).toMatchObject({ reason: 'exception', description: expect.stringContaining('End of the run: harm') });
		}
		expect(await editor.go('reverseContinue')).toBe(harms.at(-2));
		for (let i = harms.length - 2; i > 0; i--) await editor.go('reverseContinue');
		expect(await editor.go('reverseContinue')).toBe(1);
		expect(editor.events.some(({ event }) => event === 'terminated')).toBe(false);
	});

	it('says of harm which rule it breaks', async () => {
		const editor = await started(leak);
		await editor.go('continue');
		expect(await editor.ask('exceptionInfo', { threadId: 1 })).toMatchObject({ exceptionId: 'no-progress', breakMode: 'always' });
		await editor.go('continue');
		const info = await editor.ask<DebugProtocol.ExceptionInfoResponse['body']>('exceptionInfo', { threadId: 1 });
		expect(info).toMatchObject({ exceptionId: 'folio-leak', description: expect.stringContaining('a folio reference is never dropped') });
		expect(info.details?.message).toContain('folio references leaked');
		await editor.go('stepBack');
		await expect(editor.ask('exceptionInfo', { threadId: 1 })).rejects.toThrow('nothing is harmed');
	});
});

describe('breakpoints', () => {
	it('hold where a step is on the line, and say where else', async () => {
		const editor = new Debugger(leak);
		const placed = await editor.start({}, [unlocks - 1, unlocks, 1, 9999]);
		expect(placed.map(({ verified }) => verified)).toEqual([false, true, false, false]);
		expect(placed[0]?.message).toBe(`No step of the run after the patch is on line ${unlocks - 1}; the next one is on line ${unlocks}.`);
		expect(placed[3]?.message).toBe('No step of the run after the patch is on line 9999.');
		const [elsewhere] = await editor.breakAt([unlocks], '/home/other.patch');
		expect(elsewhere).toMatchObject({ verified: false, message: 'The replay is of x.patch only.' });
	});

	it('stop each step on the line, forwards and backwards', async () => {
		const editor = await started(leak, {}, [unlocks]);
		const hits = stepsWhere(leak, ({ line, kind }) => line === unlocks || kind === 'harm');
		for (const hit of hits.slice(0, 3)) expect(await editor.go('continue')).toBe(hit);
		expect(editor.stop).toMatchObject({ reason: 'breakpoint', hitBreakpointIds: [unlocks] });
		expect(await editor.go('reverseContinue')).toBe(hits[1]);
		await editor.breakAt([]);
		expect(await editor.go('continue')).toBe(stepsWhere(leak, ({ kind }) => kind === 'harm')[0]);
	});
});

describe('the stack', () => {
	it('is on the line of the patch that ran, in the document itself', async () => {
		const editor = await started(leak, {}, [unlocks]);
		await editor.go('continue');
		const [step, place, call] = await editor.stack();
		expect(step).toMatchObject({ name: leak.after.steps[editor.step - 1]?.text, line: unlocks, source: { path: PATH, name: 'x.patch' } });
		expect(place).toMatchObject({ name: 'filemap_map_pmd', source: { path: SCHEDULE } });
		expect(call?.name).toBe('CPU0 reader: load A[0]');
	});

	it('is on the line of the schedule elsewhere', async () => {
		const editor = await started(race);
		const lines = editor.schedule;
		for (let i = 0; i < race.after.steps.length; i++) {
			const [step, ...outer] = await editor.stack();
			const { text, line } = race.after.steps[i] ?? {};
			if (line === null) expect(lines[(step?.line ?? 0) - 1]).toMatch(new RegExp(`^ *${i + 1} `));
			else expect(step?.line).toBe(line);
			expect(step?.name).toBe(text);
			for (const frame of outer) expect([frame.source?.path, lines[frame.line - 1] ?? '']).toEqual([SCHEDULE, expect.stringMatching(/^ *\d+ /)]);
			await editor.go('stepIn');
		}
		expect(lines.some((line) => /^ +CPU0 +\| CPU1$/.test(line))).toBe(true);
		expect(lines.some((line) => line.endsWith('HARM: a load is served by a TLB entry whose page was freed'))).toBe(true);
	});

	it('of another thread is where that stands meanwhile', async () => {
		const editor = await started(race);
		const [, second] = await editor.threads();
		expect(await editor.stack(second?.id)).toMatchObject([{ name: 'has not begun yet' }]);
		await editor.go('continue');
		const own = race.after.steps.slice(0, editor.step);
		for (const [cpu, { id }] of (await editor.threads()).entries()) {
			expect((await editor.stack(id))[0]?.name).toBe(own.findLast((step) => step.cpu === cpu)?.text);
		}
		const [top] = await editor.stack(editor.stop.threadId);
		const page = await editor.ask<DebugProtocol.StackTraceResponse['body']>('stackTrace', { threadId: editor.stop.threadId, startFrame: 1, levels: 1 });
		expect(page.stackFrames.length).toBe(1);
		expect(page.stackFrames[0]?.id).not.toBe(top?.id);
	});
});

describe('variables', () => {
	/** Stands at the first step whose text begins so. */
	async function at(timeline: Timeline, text: string): Promise<Debugger> {
		const editor = await started(timeline);
		const step = timeline.after.steps.findIndex((one) => one.text.startsWith(text));
		while (editor.step <= step) await editor.go('stepIn');
		return editor;
	}

	it('have the page-table entries and what the step changes in them', async () => {
		const editor = await at(race, 'pte A[0]: present');
		const shown = await editor.variables();
		expect(shown['Page-table entries']?.['A[0]']).toMatch(/^none \(changed by this step, was present,write,young,dirty -> folio \d\)$/);
		expect(shown['This step']).toMatchObject({ in: 'zap_pte_range', during: 'munmap A[0]', 'A[0]': expect.stringMatching(/^present,.* -> none$/) });
		const line = race.after.steps[editor.step - 1]?.line;
		expect(shown['This step']?.[`line ${line}`]).toContain('ptep_get_and_clear');
		await editor.go('stepIn');
		expect((await editor.variables())['Page-table entries']?.['A[0]']).toBe('none');
	});

	it('have the TLBs by CPU, up to the flush', async () => {
		const editor = await at(race, 'flush ipi');
		const gone = expect.stringMatching(/^not cached \(changed by this step, was present/);
		expect((await editor.variables())['TLB entries']).toMatchObject({ CPU0: { 'A[0]': gone }, CPU1: { 'A[0]': gone } });
		await editor.go('stepBack');
		expect((await editor.variables())['TLB entries']).toMatchObject({ CPU1: { value: '1 entry', 'A[0]': 'present,write,young,dirty' } });
	});

	it('have the locks and who holds them, until they are free', async () => {
		const editor = await at(race, 'lock mmap_lock: free -> written by CPU0');
		expect((await editor.variables()).Locks?.mmap_lock).toBe('written by CPU0 (changed by this step, was free)');
		const free = await at(race, 'unlock page-table lock');
		expect((await free.variables()).Locks?.['page-table lock']).toBe('free (changed by this step, was held)');
	});

	it('have who waits', async () => {
		const editor = await at(deadlock, 'wait for folio begins');
		expect((await editor.variables()).Locks).toMatchObject({ CPU0: 'waits for folio' });
	});

	it('have the references of folios', async () => {
		const editor = await at(leak, 'ref file1');
		expect((await editor.variables()).Folios).toEqual({ 'file1[0..511] references': '2 (changed by this step, was none)' });
	});

	it('of another step are refused', async () => {
		const editor = await at(race, 'pte A[0]: present');
		const [frame] = await editor.stack();
		const { scopes } = await editor.ask<DebugProtocol.ScopesResponse['body']>('scopes', { frameId: frame?.id });
		await editor.go('stepIn');
		await expect(editor.ask('variables', { variablesReference: scopes[0]?.variablesReference })).rejects.toThrow('of another step');
	});
});

describe('what cannot be replayed', () => {
	it.each([
		['no document', { document: undefined }, 'names no document'],
		['no finding', { finding: undefined }, 'has no number of a finding'],
		['a finding that is no number', { finding: 'first' }, 'has no number of a finding'],
		['a side that is none', { side: 'middle' }, 'side is "before" or "after", not "middle"'],
	])('%s: says so once and does not begin', async (_, args, message) => {
		const editor = new Debugger(leak);
		await expect(editor.start(args)).rejects.toThrow(message);
		expect(editor.said).toEqual([expect.stringContaining(message)]);
		expect(editor.events).toEqual([]);
	});

	it('what the server refuses: says so once', async () => {
		const editor = new Debugger(() => Promise.reject(new Error('there is no finding 99 any more')));
		const { success, body } = await editor.request('launch', { document: PATH, finding: 99 });
		expect([success, body.error.showUser]).toEqual([false, false]);
		expect(editor.said).toEqual(['The finding cannot be replayed: there is no finding 99 any more.']);
	});

	it('what is given up while the server works on it: asks no longer and says nothing', async () => {
		const editor = new Debugger((_, __, abort) => new Promise((___, reject) => abort.addEventListener('abort', () => reject(new Error('cancelled')))));
		const launched = editor.request('launch', { document: PATH, finding: 1 });
		expect((await editor.request('disconnect')).success).toBe(true);
		expect((await launched).success).toBe(false);
		expect([editor.said, editor.events]).toEqual([[], []]);
	});

	it('requests that are unknown, or come too early: are answered', async () => {
		const editor = new Debugger(leak);
		await expect(editor.ask('evaluate', { expression: '1' })).rejects.toThrow('does not know the request evaluate');
		await expect(editor.ask('threads')).rejects.toThrow('nothing is replayed yet');
		await editor.start();
		await expect(editor.ask('stackTrace', { threadId: 77 })).rejects.toThrow('no thread 77');
		await expect(editor.ask('scopes', {})).rejects.toThrow('no thread');
	});
});

describe('the end', () => {
	it('is told once when somebody terminates it', async () => {
		const editor = await started(leak);
		await editor.ask('terminate');
		await editor.ask('disconnect');
		editor.session.end('x.patch was edited');
		expect(editor.events.map(({ event }) => event)).toEqual(['initialized', 'stopped', 'terminated']);
		expect(editor.said).toEqual([]);
	});

	it('comes with a word when the document is another', async () => {
		const editor = await started(leak);
		editor.session.end('x.patch was edited');
		editor.session.end('x.patch was closed');
		expect(editor.said).toEqual(['The replay has ended: x.patch was edited.']);
		expect(editor.events.at(-1)?.event).toBe('terminated');
	});
});
