import { hunkHeader } from './diff-lines.ts';
import type { Hunk, HunkLine } from './types.ts';

/** Lines `line` to before `end` (1-based) of a document become `text`; with `end` equal to `line`, `text` is put before `line`. */
export interface LineEdit {
	readonly line: number;
	readonly end: number;
	readonly text: readonly string[];
}

/** A way in which the result of a call could be checked. Whether it helps is for a run to say. */
export interface Check {
	/** The function whose result is ignored, and the line of the call. */
	readonly name: string;
	readonly line: number;
	/** In the order of the document; they do not overlap. */
	readonly edits: readonly LineEdit[];
}

/** What functions return, as a type of C; undefined: nobody knows. */
export type Returns = (name: string) => string | undefined;

/** Checks that are tried for one hunk at most, and lines that one may put into a block. */
const MAX_CHECKS = 8;
const MAX_BLOCK = 20;

const CALL = /^([ \t]*)((?:\w+\s*=\s*)?)([A-Za-z_]\w*)(\([^;{}]*\));[ \t]*$/;

/**
 * The ways to check results that added lines of a hunk ignore: what follows the call in its block happens only if it worked, by the very
 * condition that the patch removes if it removes one; or the function is left if it did not. `later` are the hunks of the same file below,
 * whose headers count what is above them. `raw` is a line of the document. Headers are recounted, so that the patch still applies.
 */
export function checksOf(hunk: Hunk, later: readonly Hunk[], raw: (line: number) => string, returns: Returns): Check[] {
	const checks: Check[] = [];
	for (const [at, line] of hunk.lines.entries()) {
		const [, indent = '', assigned = '', name = '', args = ''] = (line.kind === '+' && CALL.exec(line.text)) || [];
		const type = name === '' || assigned !== '' ? undefined : returns(name);
		if (type === undefined || type === 'void') continue;
		const call = { at, indent, name, text: `${name}${args}`, works: conditionOf(hunk, name, `${name}${args}`, type) };
		for (const changed of [inBlock(hunk, call), ...leaving(hunk, call, type)]) {
			const edits = changed === null ? null : editsOf(hunk, later, changed, raw);
			if (edits !== null && checks.length < MAX_CHECKS) checks.push({ name, line: line.line, edits });
		}
	}
	return checks;
}

interface Call {
	/** Index in the hunk's lines. */
	readonly at: number;
	readonly indent: string;
	readonly name: string;
	readonly text: string;
	/** The condition under which it worked. */
	readonly works: string;
}

/** What stands in the place of a line of the hunk, with the signs in front. */
type Changed = ReadonlyMap<number, readonly string[]>;

/** As the removed lines have it; else by the kernel's convention: true is well for `bool`, zero for everything else. */
function conditionOf({ lines }: Hunk, name: string, text: string, type: string): string {
	for (const { kind, text: removed } of lines) {
		const condition = kind === '-' ? /^\s*if \((.*)\) \{\s*$/.exec(removed)?.[1] : undefined;
		if (condition !== undefined && new RegExp(`^!?${name}\\(`).test(condition)) return condition;
	}
	return type === 'bool' || type.endsWith('*') ? text : `!${text}`;
}

/** `if (it worked) { what follows in the block }`. Null where the hunk does not show the end of the block. */
function inBlock({ lines }: Hunk, { at, indent, works }: Call): Changed | null {
	const rest: number[] = [];
	let closed = false;
	for (let i = at + 1; i < lines.length && !closed; i++) {
		const { kind, text } = lines[i] as HunkLine;
		if (kind === '-') continue;
		const own = /^[ \t]*/.exec(text)?.[0] ?? '';
		if (text.trim() !== '' && own.length < indent.length) closed = true;
		else rest.push(i);
	}
	while (rest.length > 0 && lines[rest.at(-1) as number]?.text.trim() === '') rest.pop();
	if (!closed || rest.length === 0 || rest.length > MAX_BLOCK || isUnbraced(lines, at, indent)) return null;
	const changed = new Map<number, readonly string[]>([[at, [`+${indent}if (${works}) {`]]]);
	for (const i of rest) {
		const { kind, text } = lines[i] as HunkLine;
		if (text.trim() !== '') changed.set(i, kind === '+' ? [`+\t${text}`] : [`-${text}`, `+\t${text}`]);
	}
	const last = rest.at(-1) as number;
	changed.set(last, [...(changed.get(last) ?? []), `+${indent}}`]);
	return changed;
}

/** `if (it did not work) return`, or a jump to a label of the function; with a variable that is there for it, its value. */
function leaving({ lines, functions }: Hunk, { at, indent, text, works }: Call, type: string): Changed[] {
	if (isUnbraced(lines, at, indent)) return [];
	const failed = works === `!${text}` ? text : works === text ? `!${text}` : `!(${works})`;
	const outer = functions[0]?.declaration ?? '';
	const after = lines.filter(({ kind }) => kind !== '-').map((line) => line.text);
	const labels = after.flatMap((line) => /^ ?(\w+):\s*$/.exec(line)?.[1] ?? []).filter((label) => label !== 'default');
	const variable = ['ret', 'err', 'error'].find((name) => after.some((line) => new RegExp(`\\b${name}\\b`).test(line)));
	const exits = [
		...labels.slice(0, 2).map((label) => `goto ${label};`),
		...(/\bvoid\s+\w+\s*\(/.test(outer) ? ['return;'] : /\bbool\s+\w+\s*\(/.test(outer) ? ['return false;', 'return true;'] : []),
	];
	const plain = exits.map((exit): Changed => new Map([[at, [`+${indent}if (${failed})`, `+${indent}\t${exit}`]]]));
	if (variable === undefined || type === 'bool' || type.endsWith('*')) return plain;
	const kept = [...labels.slice(0, 2).map((label) => `goto ${label};`), `return ${variable};`];
	return [...kept.map((exit): Changed => new Map([[at, [`+${indent}${variable} = ${text};`, `+${indent}if (${variable})`, `+${indent}\t${exit}`]]])), ...plain];
}

/** The call is all that an `if` or `else` without braces has. */
function isUnbraced(lines: readonly HunkLine[], at: number, indent: string): boolean {
	const above = lines.slice(0, at).findLast(({ kind, text }) => kind !== '-' && text.trim() !== '');
	const own = /^[ \t]*/.exec(above?.text ?? '')?.[0] ?? '';
	return above !== undefined && own.length < indent.length && !/[{;:]\s*$|\*\/\s*$/.test(above.text);
}

/** The changes as edits of the document, with its quote marks; null where a line is not in the document as the hunk has it. */
function editsOf(hunk: Hunk, later: readonly Hunk[], changed: Changed, raw: (line: number) => string): LineEdit[] | null {
	const edits: LineEdit[] = [];
	let [old, fresh] = [0, 0];
	for (const [at, text] of changed) {
		const { kind, text: code, line } = hunk.lines[at] as HunkLine;
		const given = raw(line);
		// Mail may wrap or encode a line, and archives eat white space: such a line is left alone.
		if (!given.trimEnd().endsWith(`${kind}${code}`.trimEnd())) return null;
		const prefix = given.slice(0, given.lastIndexOf(`${kind}${code}`.trimEnd()));
		edits.push({ line, end: line + 1, text: text.map((one) => `${prefix}${one}`) });
		old += text.filter((one) => one.startsWith('-')).length - (kind === '-' ? 1 : 0) - (kind === ' ' ? 1 : 0);
		fresh += text.filter((one) => one.startsWith('+')).length - (kind === '-' ? 0 : 1);
	}
	if (old !== 0) return null;
	const own = recounted(raw(hunk.line), 0, fresh);
	if (own === null) return null;
	const moved = later.flatMap((other): LineEdit[] => {
		const text = recounted(raw(other.line), fresh, 0);
		return text === null ? [] : [{ line: other.line, end: other.line + 1, text: [text] }];
	});
	return [{ line: hunk.line, end: hunk.line + 1, text: [own] }, ...edits, ...moved].sort((a, b) => a.line - b.line);
}

/** A hunk's header that begins `moved` lines further down in the new file and has `more` lines there. */
function recounted(text: string, moved: number, more: number): string | null {
	const start = text.indexOf('@@ -');
	const header = start < 0 ? null : hunkHeader(text.slice(start));
	if (header === null) return null;
	const counts = `${header.newStart + moved},${header.newCount + more}`;
	return text.replace(/(?<=@@ -\d+(?:,\d+)? \+)\d+(?:,\d+)?(?= @@)/, counts);
}

/** A text with edits made. Lines end in `\n`. */
export function edited(text: string, edits: readonly LineEdit[]): string {
	const lines = text.split('\n');
	for (const { line, end, text: put } of [...edits].reverse()) lines.splice(line - 1, end - line, ...put);
	return lines.join('\n');
}
