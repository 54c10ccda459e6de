import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatted, mail, type Opened, patch, thread } from './documents.ts';
import { firstLine, type Installed, installPackage, isMissing, readmeBlock, runEditor, type Told } from './installed.ts';

const version = firstLine('nvim', ['--version']);
const missing = isMissing('Neovim', version !== null, 'neovim');

const [, minor] = /v0\.(\d+)/.exec(version ?? '') ?? [];
const isNew = Number(minor) >= 11;
const configuration = readmeBlock('lua', isNew ? 'vim.lsp.config' : 'start_client');

interface Item {
	readonly line: number;
	readonly end_line: number;
	readonly first: number;
	readonly last: number;
	readonly severity: number;
	readonly code: string;
	readonly message: string;
}

let installed: Installed;

beforeAll(() => {
	if (!missing) installed = installPackage();
});

afterAll(() => installed?.remove());

function open({ file, text, ...steps }: Pick<Opened, 'file' | 'text'> & Partial<Opened> & { readonly quick?: boolean }): Promise<Told> {
	const driver = path.join(import.meta.dirname, 'neovim.lua');
	const settings = { architectures: ['x86-64', 'arm64'], exploration: 0 };
	const command = ['nvim', '--headless', '--clean', '-n', '-c', `luafile ${driver}`];
	return runEditor(installed, command, { [file]: text, 'init.lua': configuration }, { configuration: 'init.lua', file, settings, ...steps });
}

function endsWell(told: Told): void {
	expect(told.get('error')).toBe('');
	expect(told.get('left')).toBe(0);
	expect(told.log).not.toContain('[ERROR]');
	expect(told.status).toBe(0);
	expect(told.serverEnded).toBe(true);
}

describe.skipIf(missing).each([
	['a patch', patch, 'diff', 'unix'],
	['what git format-patch wrote, with CRLF', formatted, 'gitsendemail', 'dos'],
	['a quoted patch in an mbox', thread, 'mail', 'unix'],
])('in Neovim, %s', (_, opened, filetype, fileformat) => {
	let told: Told;

	beforeAll(async () => {
		told = await open(opened);
	});

	const quote = opened === thread ? '> ' : '';
	const call = opened.line;
	const textOf = (line: number): string => opened.text.split('\n')[line - 1]?.replace('\r', '') ?? '';

	it('has its findings on its lines', () => {
		expect([told.get('filetype'), told.get('fileformat')]).toEqual([filetype, fileformat]);
		const found = told.get<Item[]>('diagnostics');
		expect(found.map(({ line, code, severity }) => [line, code, severity])).toEqual([
			[call, 'no-progress', 1],
			[call + 1, 'folio-leak', 1],
			[call, 'extra-fault', 2],
		]);
		// Neovim counts bytes.
		for (const { first, end_line, last } of found) expect([first, last]).toEqual([0, Buffer.byteLength(textOf(end_line))]);
	});

	it('has a hover that can be read', () => {
		const hover = told.get<string[]>('hover').join('\n');
		expect(hover).toMatch(opened === formatted ? /unlock_page/ : /do_set_pmd.*VM_FAULT_FALLBACK/s);
		expect(hover).not.toMatch(/\\|<\w|&\w+;/);
	});

	it('shows the evidence and the reply, in messages without tabs or in files', () => {
		const tabs = isNew ? '\t\t' : ' '.repeat(13);
		expect(told.get('evidence')).toMatch(/CPU0 reader\n/);
		expect(told.get('reply')).toContain(`> -${tabs}if (do_set_pmd(vmf, page) == 0) {`);
		expect(told.get('reply')).not.toContain('^I');
	});

	it('is repaired by the action', () => {
		const edited = told.get<string[]>('edited');
		expect(edited.join('\n')).toContain(`${quote}+\t\tif (do_set_pmd(vmf, page) == 0) {\n`);
		expect(edited).toContain(`${quote}@@ -3365,24 +3365,23 @@`);
		expect(edited.filter((line) => line.includes('\r'))).toEqual([]);
	});

	it('leaves nothing behind', () => endsWell(told));
});

describe.skipIf(missing)('in Neovim, a mail of which nothing runs', () => {
	it('says where and why', async () => {
		const told = await open({ ...mail, quick: true });
		expect(told.get<Item[]>('diagnostics').map(({ line, code }) => [line, code])).toEqual(mail.notes.map((line) => [line, 'not-mapped']));
		endsWell(told);
	});
});
