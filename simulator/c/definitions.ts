/** Finds the function definitions of a whole file. */
import type { CodeLine } from './ast.ts';
import { type CConfig, DEFAULT_CONFIG } from './conditions.ts';
import { enabledLines, lex, type Token } from './lex.ts';
import { closing } from './scan.ts';
import { withoutAnnotations } from './slots.ts';

export interface Definition {
	readonly name: string;
	/** Lines of the definition that the configuration keeps, without comments. What else stands on its first line stays. */
	readonly lines: readonly CodeLine[];
}

/** The function definitions of a file in order. A name that the configuration leaves with several has several entries. */
export function definitionsOf(text: string, config: CConfig = DEFAULT_CONFIG): Definition[] {
	const source = text.split('\n').map((line, i) => ({ text: line, line: i + 1, changed: false }));
	const lines = enabledLines(source, config);
	const tokens = withoutAnnotations(lex(lines, new Map()).tokens);
	const found: Definition[] = [];
	let from = 0;
	for (let i = 0; i < tokens.length; i++) {
		const { text: word, kind } = tokens[i] as Token;
		if (kind !== 'op') continue;
		if (word === ';') from = i + 1;
		else if (word === '(' || word === '[') i = Math.max(i, closing(tokens, i));
		else if (word === '{') {
			const close = closing(tokens, i);
			if (close < 0) return found;
			const at = headOf(tokens, from, i);
			if (at !== null) {
				const [first, last] = [(tokens[at.first] as Token).line, (tokens[close] as Token).line];
				found.push({ name: at.name, lines: lines.filter(({ line }) => line >= first && line <= last) });
				from = close + 1;
			} else if (tokens[close + 1]?.kind !== 'id' && tokens[close + 1]?.text !== '*') from = close + 1;
			i = close;
		}
	}
	return found;
}

/** Name and first token of the definition whose body begins at `body`; null for a struct, an initialiser and the like. */
function headOf(tokens: readonly Token[], from: number, body: number): { name: string; first: number } | null {
	if (tokens[body - 1]?.text !== ')') return null;
	let open = -1;
	for (let i = from; i < body; i++) {
		if (tokens[i]?.text === '=') return null;
		if (tokens[i]?.text !== '(') continue;
		open = i;
		i = closing(tokens, i);
		if (i < 0) return null;
	}
	const name = tokens[open - 1];
	if (open <= from || name?.kind !== 'id') return null;
	let first = open - 1;
	while (first > from && isTypePart(tokens[first - 1] as Token)) first--;
	const syscall = /^(?:COMPAT_)?SYSCALL_DEFINE\d$/.test(name.text) ? tokens[open + 1] : undefined;
	return { name: syscall === undefined ? name.text : `sys_${syscall.text}`, first };
}

const isTypePart = (token: Token): boolean => token.kind === 'id' || token.text === '*';
