import { afterEach, describe, expect, it } from 'vitest';
import { notifications, type StatusParams } from '../../server/session/protocol.ts';
import {
	type CatalogueAnswer,
	type CoverageAnswer,
	type ReportAnswer,
	requests,
	reviewedNotification,
	type TestAnswer,
	type Timeline,
} from '../../server/session/results-protocol.ts';
import { changedLine, type Editor, sample, startEditor, stopEditors } from './editor.ts';

const uri = 'file:///tmp/sample.patch';
const configuration = { architectures: ['x86-64', 'arm64'], exploration: 0 };

afterEach(stopEditors);

async function opened(text = sample): Promise<Editor> {
	const editor = await startEditor({ initializationOptions: { status: true }, configuration });
	editor.open(uri, 'diff', text);
	return editor;
}

const report = (editor: Editor): Promise<ReportAnswer> => editor.connection.sendRequest(requests.report, { uri });

async function reviewed(editor: Editor): Promise<ReportAnswer> {
	await editor.connection.sendRequest(requests.coverage, { uri });
	return await report(editor);
}

describe('the report', () => {
	it('is there at once, running first, with a word when there is news', async () => {
		const editor = await opened();
		expect((await report(editor)).state).toBe('running');
		const answer = await reviewed(editor);
		expect(answer).toMatchObject({ state: 'reviewed', detail: '' });
		expect(editor.received.some(({ method, params }) => method === reviewedNotification && (params as { uri: string }).uri === uri)).toBe(true);
	});

	it('has scenarios down and architectures across, the worst first', async () => {
		const patch = (await reviewed(await opened())).matrix?.patches[0];
		expect(patch?.architectures).toEqual(['x86-64', 'arm64']);
		expect(patch?.rows[0]?.cells.map(({ heat }) => heat)).toEqual(['error', 'error']);
		expect(patch?.rows.at(-1)?.cells.every(({ heat }) => heat === 'same')).toBe(true);
		expect(patch?.rows.some(({ cells }) => cells.some(({ said }) => said.some((text) => text.startsWith('folio.leaked 0 → '))))).toBe(true);
		const numbers = patch?.rows.flatMap(({ cells }) => cells.flatMap(({ findings }) => findings)) ?? [];
		expect([...new Set(numbers)].sort()).toEqual(patch?.findings.map(({ number }) => number));
	});

	it('says that a document is closed, and does not fail over nonsense', async () => {
		const editor = await opened();
		editor.close(uri);
		expect(await report(editor)).toEqual({ state: 'closed', detail: '', matrix: null });
		expect(await editor.connection.sendRequest(requests.report, { uri: 7 })).toMatchObject({ state: 'closed' });
	});
});

describe('the timeline of a finding', () => {
	it('has the steps of both sides with lines, differences and states', async () => {
		const editor = await opened();
		const timeline: Timeline = await editor.connection.sendRequest(requests.timeline, { uri, finding: 1 });
		for (const side of [timeline.before, timeline.after]) {
			expect(side.steps.length).toBeGreaterThan(10);
			expect(side.steps.some(({ differs }) => differs)).toBe(true);
			expect(side.cpus.length).toBeGreaterThan(0);
			expect(side.steps.every(({ beside, text }) => beside >= 0 && text !== '')).toBe(true);
		}
		expect(timeline.after.steps.some(({ kind }) => kind === 'harm')).toBe(true);
		const tables = new Set(timeline.before.steps.flatMap(({ changes }) => changes.map(({ table }) => table)));
		expect([...tables].sort()).toEqual(['entry', 'folio', 'lock', 'tlb']);
		expect(timeline.lines.find(([line]) => line === changedLine + 1)?.[1]).toContain('do_set_pmd(vmf, page);');
	});

	it('that is none is refused in words', async () => {
		const editor = await opened();
		await expect(editor.connection.sendRequest(requests.timeline, { uri, finding: 99 })).rejects.toThrow('there is no finding 99');
		await expect(editor.connection.sendRequest(requests.timeline, { uri: 'file:///other' })).rejects.toThrow('not open');
	});
});

it('coverage has the changed lines that can run, and those that did not', async () => {
	const text = sample
		.replace('+\t\treturn true;\n', '+\t\tif (vmf->flags == 12345)\n+\t\t\treturn false;\n+\t\treturn true;\n')
		.replace('-3365,24 +3365,22', '-3365,24 +3365,24');
	const editor = await opened(text);
	const { lines }: CoverageAnswer = await editor.connection.sendRequest(requests.coverage, { uri });
	const at = (part: string): number | undefined => lines.find(([line]) => line === text.split('\n').findIndex((one) => one === part) + 1)?.[1];
	expect(at('+\t\tdo_set_pmd(vmf, page);')).toBeGreaterThan(0);
	expect(at('+\t\t\treturn false;')).toBe(0);
});

it('a reply quotes the hunk and has the evidence', async () => {
	const editor = await opened();
	const text: string = await editor.connection.sendRequest(requests.reply, { uri, finding: 1 });
	expect(text).toContain('> +\t\tdo_set_pmd(vmf, page);');
	expect(text).toContain('HARM');
});

describe('scenarios as tests', () => {
	const run = (editor: Editor, params: object): Promise<TestAnswer> => editor.connection.sendRequest(requests.test, params);

	it('are listed with families, policies, architectures and kernels', async () => {
		const catalogue: CatalogueAnswer = await (await opened()).connection.sendRequest(requests.catalogue, {});
		expect(catalogue.scenarios.find(({ name }) => name === 'page-fault3-retry')?.doc).not.toBe('');
		expect(catalogue.policies.find(({ name }) => name === 'luf')?.scenarios.length).toBeGreaterThan(0);
		expect(catalogue.architectures.map(({ name }) => name)).toContain('arm64');
		expect(catalogue.kernels).toContain('6.12');
	});

	it('pass on their own', async () => {
		const { trials } = await run(await opened(), { scenario: 'page-fault3-retry', architectures: ['arm64'] });
		expect(trials).toMatchObject([{ arch: 'arm64', outcome: 'passed' }]);
	});

	it('fail under a policy that violates what mainline does not, with the schedule', async () => {
		const { trials } = await run(await opened(), { scenario: 'reclaim-munmap-remap', architectures: ['x86-64'], policy: 'luf-no-pending' });
		expect(trials).toMatchObject([{ arch: 'x86-64', outcome: 'failed', expected: expect.stringContaining('nothing is violated') }]);
		expect(trials[0]?.actual).toContain('policy luf-no-pending');
		expect(trials[0]?.schedule).toMatch(/CPU0.*CPU1/);
	});

	it('fail with a patch that leaks, on the line, with the schedule', async () => {
		const editor = await opened();
		const { trials, lines } = await run(editor, { scenario: 'fault-around-huge', architectures: ['arm64'], uri });
		expect(trials).toMatchObject([{ arch: 'arm64', outcome: 'failed' }]);
		const [trial] = trials;
		expect([changedLine + 1, changedLine + 2, changedLine + 3]).toContain(trial?.line);
		expect(trial?.expected).not.toBe(trial?.actual);
		expect(trial?.schedule).toContain('HARM');
		expect(lines.length).toBeGreaterThan(0);
	});

	it('are skipped where the patch changes nothing that they run', async () => {
		const { trials } = await run(await opened(), { scenario: 'no-such', architectures: [] }).catch(() => ({ trials: [] }));
		expect(trials).toEqual([]);
	});
});

it('the status says what a document was reviewed on', async () => {
	const editor = await opened();
	await reviewed(editor);
	const last = (): StatusParams | undefined => editor.received.findLast(({ method }) => method === notifications.status)?.params as StatusParams | undefined;
	await editor.until('the status', () => last()?.state === 'ready' && last()?.kernel !== undefined);
	expect(last()).toMatchObject({ uri, kernel: '5.19', architectures: ['x86-64', 'arm64'] });
});
