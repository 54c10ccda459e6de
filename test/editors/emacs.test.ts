import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatted, mail, type Opened, patch, thread } from './documents.ts';
import { firstLine, type Installed, installPackage, isMissing, readmeBlock, runEditor, type Told } from './installed.ts';

const missing = isMissing(
	'Emacs',
	firstLine('emacs', ['--batch', '--eval', "(progn (require 'package) (package-initialize) (require 'eglot))"]) !== null,
	'emacs-nox elpa-eglot',
);

interface Item {
	readonly line: number;
	readonly end_line: number;
	readonly to_end: boolean;
	readonly type: string;
	readonly text: string;
}

let installed: Installed;

beforeAll(() => {
	if (!missing) installed = installPackage();
});

afterAll(() => installed?.remove());

function open({ file, text, ...steps }: Pick<Opened, 'file' | 'text'> & Partial<Opened> & { readonly quick?: boolean }): Promise<Told> {
	const settings = { architectures: ['x86-64', 'arm64'], exploration: 0 };
	const command = ['emacs', '--batch', '-l', path.join(import.meta.dirname, 'eglot.el')];
	const files = { [file]: text, 'init.el': readmeBlock('elisp', 'eglot-server-programs') };
	return runEditor(installed, command, files, { configuration: 'init.el', file, settings, ...steps });
}

const codeOf = ({ text }: Item): string | undefined => /^faultline \[([\w-]+)\]: /.exec(text)?.[1];

function endsWell(told: Told): void {
	expect(told.get('error')).toBe('');
	expect(told.get('said')).not.toMatch(/^error|^\[eglot\] \(|^\[jsonrpc\]|in process filter|timed out/im);
	expect(told.status).toBe(0);
	expect(told.serverEnded).toBe(true);
}

describe.skipIf(missing).each([
	['a patch', patch],
	['what git format-patch wrote, with CRLF', formatted],
	['a quoted patch in an mbox', thread],
])('in Emacs, %s', (_, opened) => {
	let told: Told;

	beforeAll(async () => {
		told = await open(opened);
	});

	const quote = opened === thread ? '> ' : '';

	it('has its findings on its lines', () => {
		expect(told.get('mode')).toBe('diff-mode');
		const found = told.get<Item[]>('diagnostics').map((item) => [item.line, codeOf(item), item.type, item.to_end]);
		expect(found).toHaveLength(3);
		expect(found).toEqual(
			expect.arrayContaining([
				[opened.line, 'no-progress', 'eglot-error', true],
				[opened.line, 'extra-fault', 'eglot-warning', true],
				[opened.line + 1, 'folio-leak', 'eglot-error', true],
			]),
		);
	});

	it('has a hover that can be read', () => {
		const hover = told.get<string[]>('hover').join('\n');
		expect(hover).toMatch(opened === formatted ? /unlock_page/ : /do_set_pmd.*VM_FAULT_FALLBACK/s);
		expect(hover).not.toMatch(/\\|<\w|&\w+;/);
	});

	it('shows the evidence and the reply, in messages without tabs or in files', () => {
		expect(told.get('evidence')).toMatch(/CPU0 reader\n/);
		expect(told.get('reply')).toMatch(/> -(?:\t\t| {13})if \(do_set_pmd\(vmf, page\) == 0\) \{/);
	});

	it('is repaired by the action', () => {
		const edited = told.get<string[]>('edited');
		expect(edited.join('\n')).toContain(`${quote}+\t\tif (do_set_pmd(vmf, page) == 0) {\n`);
		expect(edited).toContain(`${quote}@@ -3365,24 +3365,23 @@`);
		expect(edited.filter((line) => line.includes('\r'))).toEqual([]);
	});

	it('leaves nothing behind', () => endsWell(told));
});

describe.skipIf(missing)('in Emacs, a mail of which nothing runs', () => {
	it('says where and why', async () => {
		const told = await open({ ...mail, quick: true });
		expect(told.get<Item[]>('diagnostics').map((item) => [item.line, codeOf(item)])).toEqual(mail.notes.map((line) => [line, 'not-mapped']));
		endsWell(told);
	});
});
