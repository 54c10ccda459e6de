import type { CodeLine } from './ast.ts';

/** A token of C with the row (index of its line) where it begins and its offsets in the cleaned text. */
export interface Token {
	readonly text: string;
	readonly row: number;
	readonly start: number;
	readonly end: number;
}

/** Which `CONFIG_*` are on; preprocessor conditionals and IS_ENABLED ask it. */
export type Config = (name: string) => boolean;

const OFF = new Set([
	'CONFIG_DEBUG_VM',
	'CONFIG_HIGHMEM',
	'CONFIG_HIGHPTE',
	'CONFIG_KASAN',
	'CONFIG_KCSAN',
	'CONFIG_PREEMPT_RT',
	'CONFIG_UML',
	'CONFIG_NUMA_BALANCING',
	'CONFIG_USERFAULTFD',
	'CONFIG_MEMCG_V1',
]);

/** A distribution's kernel with debugging off. */
export const defaultConfig: Config = (name) => !OFF.has(name);

const ANNOTATIONS =
	/\b(?:__always_inline|__maybe_unused|__must_check|__user|__iomem|__rcu|__percpu|__force|__init|__meminit|__exit|__sched|__cold|__pure|noinline|notrace|asmlinkage|__read_mostly|noinline_for_stack|__no_sanitize_or_inline|__ref|__private)\b/g;

/**
 * One text of all lines with comments, preprocessor lines and annotations blanked; rows stay. A comment that began before
 * the piece or ends after it is blanked too.
 */
export function clean(lines: readonly CodeLine[], config: Config): string {
	return annotationsOut(conditionalsOut(commentsOut(lines.map((l) => l.text.replace(/\r$/, ''))), config).join('\n'));
}

function annotationsOut(text: string): string {
	return text.replace(ANNOTATIONS, (word) => ' '.repeat(word.length));
}

function commentsOut(lines: readonly string[]): string[] {
	const closed = lines.findIndex((l) => l.includes('*/'));
	const opened = lines.findIndex((l) => l.includes('/*'));
	let inside =
		closed >= 0 && (opened < 0 || opened > closed || (opened === closed && (lines[closed] as string).indexOf('*/') < (lines[closed] as string).indexOf('/*')));
	// Leading lines of a comment whose end is not shown either.
	const starred = /^\s*\*(?:\s|$)/;
	let leading = !inside;
	return lines.map((line) => {
		if (leading && !inside && starred.test(line)) return '';
		if (line.trim() !== '') leading = false;
		const done = stripLine(line, inside);
		inside = done.inside;
		return done.text;
	});
}

function stripLine(line: string, started: boolean): { readonly text: string; readonly inside: boolean } {
	let text = '';
	let inside = started;
	let quote = '';
	for (let i = 0; i < line.length; i++) {
		const c = line[i] as string;
		if (inside) {
			if (c === '*' && line[i + 1] === '/') {
				inside = false;
				i++;
			}
		} else if (quote !== '') {
			text += c;
			if (c === '\\') text += line[++i] ?? '';
			else if (c === quote) quote = '';
		} else if (c === '/' && line[i + 1] === '*') {
			inside = true;
			text += ' ';
			i++;
		} else if (c === '/' && line[i + 1] === '/') break;
		else {
			if (c === '"' || c === "'") quote = c;
			text += c;
		}
	}
	return { text, inside };
}

function conditionalsOut(lines: readonly string[], config: Config): string[] {
	const stack: { live: boolean; taken: boolean }[] = [];
	let continued = false;
	return lines.map((line) => {
		const directive = /^\s*#\s*(\w+)\s*(.*)$/.exec(line);
		const wasContinued = continued;
		continued = (directive !== null || wasContinued) && line.endsWith('\\');
		if (directive === null) return wasContinued || stack.some((s) => !s.live) ? '' : line;
		const [, word, rest] = directive;
		const top = stack.at(-1);
		if (word === 'if' || word === 'ifdef' || word === 'ifndef') {
			const live =
				word === 'ifdef' ? defined(rest as string, config) : word === 'ifndef' ? !defined(rest as string, config) : condition(rest as string, config);
			stack.push({ live, taken: live });
		} else if (word === 'else' && top !== undefined) top.live = !top.taken;
		else if (word === 'elif' && top !== undefined) {
			top.live = !top.taken && condition(rest as string, config);
			top.taken ||= top.live;
		} else if (word === 'endif') stack.pop();
		return '';
	});
}

const defined = (name: string, config: Config): boolean => name.trim().startsWith('CONFIG_') && config(name.trim());

/** `#if` of IS_ENABLED, defined and their negations joined by && or ||; anything else counts as false. */
function condition(text: string, config: Config): boolean {
	return text.split('||').some((alternative) =>
		alternative.split('&&').every((part) => {
			const name = /(!?)\s*(?:IS_ENABLED|IS_REACHABLE|IS_BUILTIN|defined)?\s*\(?\s*(CONFIG_\w+)/.exec(part);
			if (name !== null) return config(name[2] as string) !== (name[1] === '!');
			return /^\s*\(*\s*[1-9]/.test(part);
		}),
	);
}

const TOKEN = /[A-Za-z_]\w*|\d[\w.]*|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|->|\+\+|--|<<=|>>=|<<|>>|<=|>=|==|!=|&&|\|\||\.\.\.|[-+*/%&|^]=|\n|[^\s]/g;

/** Tokens of a cleaned text. */
export function tokenize(text: string): Token[] {
	const out: Token[] = [];
	let row = 0;
	for (const m of text.matchAll(TOKEN)) {
		if (m[0] === '\n') row++;
		else out.push({ text: m[0], row, start: m.index, end: m.index + m[0].length });
	}
	return out;
}
