import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { requests, type Timeline } from '../../server/session/results-protocol.ts';
import { clone, git, put } from '../server/sources/kernels.ts';
import { FLUSH_LINE, PGTABLE_GENERIC_C, WITHOUT_FLUSH } from '../server/sources/pgtable-generic.ts';
import { startEditor, stopEditors } from './editor.ts';

afterEach(stopEditors);

const FILE = 'mm/pgtable-generic.c';

function tree(): { readonly root: string; readonly uri: string } {
	const root = clone('6.12');
	put(root, FILE, PGTABLE_GENERIC_C);
	git(root, 'add', '.');
	git(root, 'commit', '--quiet', '-m', 'more');
	return { root, uri: pathToFileURL(path.join(root, FILE)).href };
}

const isError = ({ severity }: { readonly severity?: number | undefined }): boolean => severity === 1;

describe('a file of C in a kernel tree', () => {
	it('shows what its uncommitted change does, on the changed line of the text that is typed', async () => {
		const { root, uri } = tree();
		const editor = await startEditor({ folders: [pathToFileURL(root).href], initializationOptions: { trusted: true, architectures: [] } });
		// Nothing is saved: the text of the editor counts. A blank line above moves everything.
		editor.open(uri, 'c', `\n${WITHOUT_FLUSH}`);
		const found = await editor.untilPushed(uri, (diagnostics) => diagnostics.some(isError));
		const errors = found.filter(isError);
		expect(errors.map(({ code }) => code)).toContain('stale-translation');
		expect(new Set(errors.map(({ range }) => range.start.line))).toEqual(new Set([FLUSH_LINE]));
	});
	it('is stepped through by its own lines', async () => {
		const { root, uri } = tree();
		const editor = await startEditor({ folders: [pathToFileURL(root).href], initializationOptions: { trusted: true, architectures: [] } });
		const text = `\n${WITHOUT_FLUSH}`;
		editor.open(uri, 'c', text);
		const { lines, after }: Timeline = await editor.connection.sendRequest(requests.timeline, { uri, finding: 1 });
		expect(lines.length).toBeGreaterThan(0);
		const plain = (line: string): string => line.replaceAll('\t', '    ');
		expect(lines.map(([, code]) => code.slice(1))).toEqual(lines.map(([line]) => plain(text.split('\n')[line - 1] ?? '')));
		const known = new Set(lines.map(([line]) => line));
		expect(after.steps.filter(({ line }) => line !== null && !known.has(line))).toEqual([]);
		expect(after.steps.some(({ line }) => line !== null)).toBe(true);
	});
	it('shows nothing once the change is undone', async () => {
		const { root, uri } = tree();
		const editor = await startEditor({ folders: [pathToFileURL(root).href], initializationOptions: { trusted: true, architectures: [] } });
		editor.open(uri, 'c', WITHOUT_FLUSH);
		await editor.untilPushed(uri, (diagnostics) => diagnostics.some(isError));
		editor.change(uri, 2, [{ text: PGTABLE_GENERIC_C }]);
		expect(await editor.untilPushed(uri, (diagnostics) => diagnostics.length === 0)).toEqual([]);
	});
	it.each([
		['in a workspace that nobody trusts', {}],
		['outside the workspace', { trusted: true, elsewhere: true }],
	])('is left alone %s', async (_, { trusted, elsewhere }: { trusted?: boolean; elsewhere?: boolean }) => {
		const { root, uri } = tree();
		const patch = 'file:///tmp/after.patch';
		const folder = elsewhere ? path.join(root, 'include') : root;
		const editor = await startEditor({ folders: [pathToFileURL(folder).href], initializationOptions: { trusted: trusted === true } });
		editor.open(uri, 'c', WITHOUT_FLUSH);
		editor.open(patch, 'diff', 'nothing\n');
		await editor.untilPushed(patch, () => true);
		expect(editor.pushed.filter((push) => push.uri === uri)).toEqual([]);
	});
});
