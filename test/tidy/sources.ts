import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

export interface Source {
	/** Path from the root, with forward slashes. */
	readonly file: string;
	readonly text: string;
	/** The text with comments and the content of strings blanked; line numbers stay. */
	readonly code: string;
	readonly imports: readonly Import[];
}

export interface Import {
	readonly specifier: string;
	/** Path from the root for a relative import, else null. */
	readonly target: string | null;
	/** `import type`: gone when the program runs. */
	readonly typeOnly: boolean;
	readonly line: number;
}

/** Every TypeScript source below the given folders. */
export function sources(...folders: readonly string[]): readonly Source[] {
	return folders.flatMap((folder) =>
		readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
			.filter((name) => name.endsWith('.ts') && !name.split(path.sep).includes('fixtures'))
			.sort()
			.map((name) => read(`${folder}/${name.split(path.sep).join('/')}`)),
	);
}

function read(file: string): Source {
	const text = readFileSync(path.join(root, file), 'utf8');
	return { file, text, code: blank(text), imports: importsOf(file, text) };
}

function importsOf(file: string, text: string): readonly Import[] {
	const found: Import[] = [];
	for (const match of text.matchAll(/^(?:import|export)( type)?\s[^;'"`]*?from '([^'\n]+)'|^import '([^'\n]+)'|\bimport\('([^'\n]+)'\)/gm)) {
		const specifier = match[2] ?? match[3] ?? match[4] ?? '';
		const target = specifier.startsWith('.') ? path.posix.normalize(path.posix.join(path.posix.dirname(file), specifier)) : null;
		found.push({ specifier, target, typeOnly: match[1] !== undefined, line: lineOf(text, match.index) });
	}
	return found;
}

export function lineOf(text: string, offset: number): number {
	return text.slice(0, offset).split('\n').length;
}

/** Places in the code, `file:line`, that match; comments and strings do not count. */
export function places(source: Source, pattern: RegExp): readonly string[] {
	return [...source.code.matchAll(pattern)].map((match) => `${source.file}:${lineOf(source.code, match.index)}: ${match[0]}`);
}

/** A division never follows these, so a slash after one of them starts a regular expression. */
const beforeRegex = /(?:[(,=:[!&|?{};+\-*%<>~^]|\breturn|\btypeof|\bcase|^)\s*$/;

function blank(text: string): string {
	let out = '';
	let at = 0;
	const skipTo = (end: number): void => {
		out += text.slice(at, end).replace(/[^\n]/g, ' ');
		at = end;
	};
	while (at < text.length) {
		const two = text.slice(at, at + 2);
		const char = text[at] ?? '';
		if (two === '//') skipTo(until(text, '\n', at));
		else if (two === '/*') skipTo(until(text, '*/', at + 2) + 2);
		else if (char === "'" || char === '"' || char === '`') skipTo(closing(text, at, char));
		else if (char === '/' && beforeRegex.test(out.slice(-40))) skipTo(closing(text, at, '/'));
		else {
			out += char;
			at += 1;
		}
	}
	return out;
}

function until(text: string, end: string, from: number): number {
	const found = text.indexOf(end, from);
	return found < 0 ? text.length : found;
}

/** Offset after the delimiter that closes a string, template or regular expression opened at `start`. */
function closing(text: string, start: number, delimiter: string): number {
	let inClass = false;
	for (let at = start + 1; at < text.length; at++) {
		const char = text[at];
		if (char === '\\') at++;
		else if (delimiter === '/' && char === '[') inClass = true;
		else if (delimiter === '/' && char === ']') inClass = false;
		else if (char === delimiter && !inClass) return at + 1;
		else if (char === '\n' && delimiter !== '`') return at;
	}
	return text.length;
}
