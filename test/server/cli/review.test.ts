import { describe, expect, it } from 'vitest';
import { runCommandLine } from '../../../server/cli/command.ts';
import { type TestHostOptions, testHost } from './host.ts';

const patch = (...body: readonly string[]) =>
	[
		'From: A <a@example.org>',
		'Date: Wed, 8 Jul 2020 10:00:00 +0000',
		'Subject: [PATCH] mm: try it',
		'',
		'---',
		'diff --git a/mm/memory.c b/mm/memory.c',
		'--- a/mm/memory.c',
		'+++ b/mm/memory.c',
		`@@ -10,${2 + body.filter((l) => l[0] !== '+').length} +10,${2 + body.filter((l) => l[0] !== '-').length} @@ int do_fault(struct vm_fault *vmf)`,
		' \twork();',
		...body,
		' \tmore();',
		'',
	].join('\n');

const files = {
	'leak.patch': patch('+\tleak();'),
	'cost.patch': patch('+\tflush(3);'),
	'good.patch': patch('-\tflush(3);'),
	'mail.txt': 'Subject: hello\n\nNo diff here.\n',
	constructor: patch('+\tleak();'),
};

async function run(line: string, options: TestHostOptions = {}) {
	const host = testHost({ files, ...options });
	const status = await runCommandLine(line.split(' '), host);
	return { status, ...host.written };
}

describe('exit status', () => {
	it.each([
		['review leak.patch', 1],
		['review cost.patch', 0],
		['review cost.patch --fail-on warning', 1],
		['review good.patch --fail-on warning', 0],
		['review leak.patch --fail-on never', 0],
		['review mail.txt', 0],
		['review leak.patch missing.patch --fail-on never', 2],
		['review missing.patch', 2],
		['review -- leak.patch', 1],
		['review constructor', 1],
	])('%s: %i', async (line, status) => {
		expect((await run(line)).status).toBe(status);
	});
});

it('reviews the files that can be read and names the others on standard error', async () => {
	const { out, err } = await run('review missing.patch leak.patch --format json');
	expect(err).toBe('missing.patch: no such file\n');
	expect(JSON.parse(out).documents.map((d: { source: string }) => d.source)).toEqual(['leak.patch']);
});

it.each(['review', 'review -'])('reads standard input: %s', async (line) => {
	const { status, out } = await run(line, { input: files['leak.patch'] });
	expect(status).toBe(1);
	expect(out).toContain('-:11: error: folio-leak: 1 folio reference leaked');
});

it('takes an empty pipe for a mistake unless it was asked for', async () => {
	expect((await run('review', { input: '' })).status).toBe(2);
	expect(await run('review -', { input: '' })).toMatchObject({ status: 0, out: '-: no patch found\n' });
});

it('reviews the versions, architectures, policies and scenarios that are asked for', async () => {
	const { out } = await run('review leak.patch --kernel v5.19-rc2 --arch=arm64@6.19,loongarch --policy useless --scenario storm --seed 7 --format json');
	const [found] = JSON.parse(out).documents[0].patches;
	expect([found.kernel, found.kernelFrom]).toEqual(['5.19', 'option']);
	expect(found.runs.map((r: Record<string, string>) => [r.scenario, r.arch, r.policy, r.kernel].join(' '))).toEqual([
		'storm arm64@6.19 useless 5.19',
		'storm loongarch useless 5.19',
	]);
});

it('prints a table', async () => {
	expect((await run('review cost.patch --format table')).out).toContain('%change');
});

it('uses colour on a terminal only, and never with NO_COLOR', async () => {
	const coloured = async (options: TestHostOptions) => (await run('review leak.patch', options)).out.includes('\u001b');
	expect(await coloured({ terminal: true })).toBe(true);
	expect(await coloured({ terminal: true, noColour: true })).toBe(false);
	expect(await coloured({})).toBe(false);
});

it('shows progress on a terminal after half a second and cleans up', async () => {
	const { err } = await run('review leak.patch', { terminal: true, pace: 200 });
	expect(err).toContain('\r\u001b[K3/8 touch x86-64');
	expect(err.endsWith('\r\u001b[K')).toBe(true);
	expect((await run('review leak.patch', { terminal: true, pace: 1 })).err).toBe('');
	expect((await run('review leak.patch', { pace: 1000 })).err).toBe('');
});

it('gives the same bytes each time', async () => {
	for (const format of ['text', 'table', 'json'])
		expect(await run(`review leak.patch good.patch --format ${format}`)).toEqual(await run(`review leak.patch good.patch --format ${format}`));
});

describe('--explain', () => {
	it.each(['1', '#1', 'folio-leak', 'folio-leak:11'])('takes %s for the first finding', async (name) => {
		const { status, out, err } = await run(`review leak.patch --explain ${name}`);
		expect(out).toMatch(/^#1 error: folio-leak: leak\.patch:11\n1 folio reference leaked/);
		expect([status, err]).toEqual([1, '']);
	});

	it('numbers findings over all files, as the text does', async () => {
		const { out } = await run('review cost.patch leak.patch');
		expect(out.match(/ #\d+$/gm)).toEqual([' #1', ' #2']);
		expect((await run('review cost.patch leak.patch --explain 2')).out).toContain('#2 error: folio-leak: leak.patch:11');
	});

	it('says which findings there are when it is none of them, or more than one', async () => {
		const none = await run('review cost.patch leak.patch --explain 3');
		expect([none.status, none.out]).toEqual([2, '']);
		expect(none.err).toMatch(/^faultline: no finding is "3"; there are:\n {2}#1 tlb-flush:11 3 more .*\n {2}#2 folio-leak:11 .*\n$/);
		expect((await run('review leak.patch leak.patch --explain folio-leak')).err).toContain('2 findings are "folio-leak"; name one by its number:\n  #1');
		expect((await run('review mail.txt --explain 1')).err).toBe('faultline: no finding is "1"; there is none\n');
		expect((await run('review missing.patch --explain 1')).err).toBe('missing.patch: no such file\n');
	});
});
