import { TextDecoder, TextEncoder } from 'node:util';

/** Longest header line that is read for a path. */
const MAX_PATH_LINE = 1000;

const NO_FILE = '/dev/null';

/** The path that `--- ` and `+++ ` lines name, without `a/` and `b/`: the new one, or the old one of a deleted file. Null: neither is a path. */
export function pathOf(oldLine: string | null, newLine: string | null): string | null {
	const before = oldLine === null ? null : rawPath(oldLine.slice(4));
	const after = newLine === null ? null : rawPath(newLine.slice(4));
	const chosen = after === null || after === NO_FILE ? before : after;
	if (chosen === null || chosen === NO_FILE) return null;
	const other = chosen === after ? before : after;
	return stripPrefix(chosen, other).replace(/(?:~[\w.-]*|\.orig)$/, '');
}

/** Path of a `diff --git a/x b/x` line, or null for the forms of other tools, whose `---` and `+++` lines say it. */
export function pathOfGitLine(line: string): string | null {
	const rest = line.slice('diff --git '.length, MAX_PATH_LINE).trim();
	if (rest.startsWith('"') || rest.endsWith('"')) {
		const quoted = /"((?:[^"\\]|\\.)*)"\s*$/.exec(rest)?.[1];
		return quoted === undefined ? null : stripPrefix(unescapePath(quoted), null);
	}
	const at = rest.lastIndexOf(' b/');
	return at >= 0 ? rest.slice(at + 3) : (rest.split(' ').at(-1) ?? null);
}

function rawPath(text: string): string | null {
	let path = text.slice(0, MAX_PATH_LINE).split('\t')[0] ?? '';
	path = path.replace(/\s+\d{4}-\d\d-\d\d .*$/, '').trim();
	if (path.length >= 2 && path.startsWith('"') && path.endsWith('"')) path = unescapePath(path.slice(1, -1));
	return path === '' || /\s/.test(path) ? null : path;
}

/** `a/`, `b/` and the other letters of git; `linux-5.8/`-like folders when the two sides differ only in them. */
function stripPrefix(path: string, other: string | null): string {
	if (/^[abiwco12]\//.test(path)) return path.slice(2);
	const slash = path.indexOf('/');
	if (other !== null && slash > 0 && other !== path && other.slice(other.indexOf('/')).replace(/(?:~[\w.-]*|\.orig)$/, '') === path.slice(slash))
		return path.slice(slash + 1);
	return /^linux[^/]*\//.test(path) ? path.slice(slash + 1) : path;
}

/** Undoes git's quoting of paths: octal bytes and C escapes. */
function unescapePath(text: string): string {
	const bytes: number[] = [];
	for (let at = 0; at < text.length; at++) {
		const octal = /^\\([0-3][0-7]{2})/.exec(text.slice(at, at + 4))?.[1];
		if (octal !== undefined) {
			bytes.push(Number.parseInt(octal, 8));
			at += 3;
		} else {
			if (text[at] === '\\' && at + 1 < text.length) at++;
			bytes.push(...new TextEncoder().encode(text[at]));
		}
	}
	return new TextDecoder().decode(Uint8Array.from(bytes));
}
