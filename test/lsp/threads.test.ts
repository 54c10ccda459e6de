import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { CodeLens, DocumentLink, Hover, MarkupContent } from 'vscode-languageserver/node';
import { draft, mail as mailOf, repaired, title } from '../server/thread.ts';
import { type Editor, type EditorOptions, root, startEditor, stopEditors } from './editor.ts';

const mail = (name: string): string => readFileSync(path.join(root, 'test/fixtures/mail', name), 'utf8');
const lazy = mail('lazy-unmap-flush.eml');
const oneLine = mail('speculative-faults-one-line.txt');
const uri = 'file:///tmp/thread.eml';
const configuration = { architectures: ['x86-64'] };
const vscode: EditorOptions = { refresh: true, initializationOptions: { status: true }, configuration };

afterEach(stopEditors);

async function opened(text: string, options: EditorOptions = {}): Promise<Editor> {
	const editor = await startEditor(options);
	editor.open(uri, 'faultline-mail', text);
	return editor;
}

const lineOf = (text: string, part: string): number => text.split('\n').findIndex((line) => line.includes(part));
const titles = (lenses: readonly CodeLens[]): readonly (string | undefined)[] => lenses.map(({ command }) => command?.title);
const execute = (editor: Editor, lens: CodeLens | undefined): Promise<string> =>
	editor.connection.sendRequest('workspace/executeCommand', { command: lens?.command?.command, arguments: lens?.command?.arguments });
const links = (editor: Editor): Promise<readonly DocumentLink[]> => editor.connection.sendRequest('textDocument/documentLink', { textDocument: { uri } });
const textOf = (hover: Hover | null): string => (hover?.contents as MarkupContent | undefined)?.value ?? '';
/** The lens of Dave Hansen's sequence. */
const remap = (lenses: readonly CodeLens[]): CodeLens | undefined => lenses.find(({ command }) => command?.title.startsWith('reclaim-munmap-remap:'));

describe('a thread about a policy', () => {
	it('has lenses where it speaks of what a scenario of the policy exercises', async () => {
		const editor = await opened(lazy, vscode);
		const lenses = await editor.lenses(uri);
		for (const name of ['try_to_unmap_one', 'munmap() comes', 'zap_pte_range', 'tlb_flush_mmu_tlbonly', 'flush_tlb_batched_pending'])
			expect(lenses.map(({ range }) => range.start.line)).toContain(lineOf(lazy, name));
		// The first title says what would be compared, or already what came of it.
		expect(titles(lenses).filter((title) => !/^[\w-]+: (?:luf against mainline|.* under |[\w.]+ \d+ -> \d+|no difference)/.test(title ?? ''))).toEqual([]);
	});

	it('says in the title what came of it, unasked and without a word', async () => {
		const editor = await opened(lazy, vscode);
		const refreshes = (): number => editor.received.filter(({ method }) => method === 'workspace/codeLens/refresh').length;
		let lenses = await editor.lenses(uri);
		while (titles(lenses).some((title) => title?.endsWith(': luf against mainline'))) {
			const before = refreshes();
			await editor.until('a refresh of lenses', () => refreshes() > before);
			lenses = await editor.lenses(uri);
		}
		expect(remap(lenses)?.command?.title).toMatch(/^reclaim-munmap-remap: stale-read\b.* under luf-no-pending, none under mainline and luf$/);
		expect(editor.received.filter(({ method }) => method.startsWith('window/'))).toEqual([]);
		// A name says the same.
		const line = lineOf(lazy, 'flush_tlb_batched_pending');
		const hover = await editor.hover(uri, line, lazy.split('\n')[line]?.indexOf('flush_tlb_batched_pending') ?? 0);
		expect(textOf(hover)).toMatch(/\| scenario \| luf against mainline \|[\s\S]*\| `reclaim-munmap-remap` \| stale-read/);
	});

	it('shows the sequence of munmap as a schedule of two CPUs', async () => {
		const editor = await opened(lazy, vscode);
		const text = await execute(editor, remap(await editor.lenses(uri)));
		const begin = text.indexOf('  CPU0');
		const schedule = text.slice(begin, text.indexOf('\n\n', begin)).split('\n');
		expect(schedule[0]).toMatch(/^ {2}CPU0 +\| CPU1$/);
		const steps = [/load A\[0\]: maps A\[0\]/, /reclaim A\[0\]: unmaps A\[0\].*no flush/, /munmap A\[0\]: finds nothing mapped/, /mmap A\[0\]/, /store A\[0\]/];
		const places = [...steps, /load A\[0\]: HARM: a load is served by/].map((step) => schedule.findIndex((row) => step.test(row)));
		expect(places).toEqual(places.toSorted((a, b) => a - b));
		expect(places).not.toContain(-1);
		expect(schedule.length).toBeLessThan(16);
		expect(text.split('\n').filter((row) => row.length > 78)).toEqual([]);
		expect(text).toMatch(/^ +tlb\.flush +tlb\.ipi +time\.cycles$/m);
		expect(text).toMatch(/^ {2}mainline +\d/m);
		expect(text).toMatch(/^ {2}luf-no-pending +\d/m);
	});

	it('waits for the result where the client cannot be told of it, and shows it as a message', async () => {
		const editor = await opened(lazy, { configuration });
		const lenses = await editor.lenses(uri);
		expect(titles(lenses).filter((title) => title?.endsWith('against mainline'))).toEqual([]);
		const text = await execute(editor, remap(lenses));
		expect(text).toContain('stale-read');
		await editor.until('the message', () => editor.received.some(({ method }) => method === 'window/showMessage'));
		expect(editor.received.filter(({ method }) => method === 'window/showMessage').map(({ params }) => (params as { message: string }).message)).toEqual([
			text,
		]);
	});

	it('follows the settings', async () => {
		const editor = await opened(lazy, { configuration: { architectures: ['s390'] } });
		const text = await execute(editor, remap(await editor.lenses(uri)));
		expect(text).toMatch(/\bs390\b/);
		expect(text).not.toMatch(/x86-64/);
	});

	it.each([
		[{}],
		[{ uri }],
		[{ uri, scenario: '__proto__', policy: 'luf' }],
		[{ uri, scenario: 'reclaim-reuse', policy: 'constructor' }],
		[{ uri: 'file:///no' }],
	])('answers %j with an error', async (argument) => {
		const editor = await opened(lazy, vscode);
		const request = { command: 'faultline.server.comparePolicies', arguments: [argument] };
		await expect(editor.connection.sendRequest('workspace/executeCommand', request)).rejects.toThrow(/.{10}/);
	});
});

describe('a thread of one line', () => {
	it('has one row of lenses, for the policy and the version that it speaks of', async () => {
		const editor = await opened(oneLine, vscode);
		const lenses = await editor.lenses(uri);
		expect(lenses.length).toBeGreaterThan(0);
		expect(new Set(lenses.map(({ range }) => range.start.line))).toEqual(new Set([0]));
		expect(new Set(titles(lenses)).size).toBe(lenses.length);
		expect(lenses.map(({ data }) => (data as { readonly policy?: string } | undefined)?.policy)).toEqual(lenses.map(() => 'spf'));
		const text = await execute(
			editor,
			lenses.find(({ command }) => command?.title.startsWith('spf-munmap:')),
		);
		expect(text).toMatch(/kernel 5\.17/);
		// The race that the canonical schedule does not show.
		expect(text).toMatch(/^lock-freed under spf-split-ptlocks: spf-munmap on x86-64, kernel 5\.17, 1\s+switch, schedule \d/m);
		expect(text).toMatch(/HARM: a spinlock is taken/);
	});

	it('has links and hovers at the names in it', async () => {
		const editor = await opened(oneLine, vscode);
		const found = await links(editor);
		const names = found.map(({ range }) => oneLine.slice(range.start.character, range.end.character));
		expect(names).toContain('free_pte_range');
		// Not in addresses.
		expect(found.filter(({ range }) => range.start.character < oneLine.indexOf('speculative'))).toEqual([]);
		const { target, range } = found.find(({ range: { start } }) => oneLine.startsWith('free_pte_range', start.character)) as DocumentLink;
		const [, command, query] = /^command:([\w.]+)\?(.*)$/.exec(target ?? '') ?? [];
		const [argument] = JSON.parse(decodeURIComponent(query ?? '')) as [object];
		expect(await editor.connection.sendRequest('workspace/executeCommand', { command, arguments: [argument] })).toMatch(/spf.* against mainline/);
		const hover = await editor.hover(uri, 0, range.start.character + 2);
		expect(textOf(hover)).toContain('free_pte_range');
		expect(hover?.range).toEqual(range);
	});

	it('has links to comparisons only for a client that follows them', async () => {
		const editor = await opened(oneLine);
		expect((await links(editor)).filter(({ target }) => target?.startsWith('command:'))).toEqual([]);
	});
});

describe('no comparison is offered', () => {
	it.each([
		['about no policy', 'Subject: question\n\nDoes zap_pte_range() keep the lock?\n'],
		['that only mail servers call spf', 'Received-SPF: pass (spf)\nFrom: a@b.example\n\nDoes zap_pte_range() keep the lock?\n'],
	])('by a thread %s', async (_, text) => {
		const editor = await opened(text, vscode);
		expect(titles(await editor.lenses(uri))).toEqual([expect.stringMatching(/^Run \d+ scenarios? of zap_pte_range$/)]);
		expect(await links(editor)).toEqual([]);
	});

	it('by a thread with a diff', async () => {
		const editor = await opened(`${lazy}\n${readFileSync(path.join(root, 'samples/filemap-map-pmd.patch'), 'utf8')}`, vscode);
		expect(titles(await editor.lenses(uri)).filter((title) => title?.includes('luf'))).toEqual([]);
		expect((await links(editor)).filter(({ target }) => target?.startsWith('command:'))).toEqual([]);
	});
});

describe('a thread with two versions of a patch', () => {
	const text = mailOf(12, `[PATCH] ${title}`, draft) + mailOf(15, `[PATCH v2] ${title}`, repaired);
	const start = text.split('\n').findLastIndex((line) => line.startsWith('From mboxrd'));

	it('has a lens at the later one that says what went, and shows it', async () => {
		const editor = await opened(text);
		const lens = (await editor.lenses(uri)).find(({ range }) => range.start.line === start);
		expect(lens?.command?.title).toBe('Since v1: 3 findings gone (no-progress, folio-leak, extra-fault), none new');
		const said = await execute(editor, lens);
		expect(said).toContain('[PATCH v2] mm/filemap: simplify filemap_map_pmd()');
		expect(said).toMatch(/gone: v1, thread\.eml:\d+: folio-leak: /);
	});
});
