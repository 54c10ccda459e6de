import type { CodeLine, CProblem } from './ast.ts';
import { type CConfig, Conditions } from './conditions.ts';

export interface Token {
	readonly kind: 'id' | 'number' | 'string' | 'char' | 'op';
	readonly text: string;
	/** Document line. */
	readonly line: number;
}

const TOKEN =
	/\s+|([A-Za-z_$][\w$]*)|((?:0[xX][0-9a-fA-F]+|\d+)[uUlL]*)|("(?:[^"\\\n]|\\.)*")|(L?'(?:[^'\\\n]|\\.)*')|(\.\.\.|<<=|>>=|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||##?|[-+*/%&|^]=|[-+*/%&|^~!<>=?:;,.(){}[\]])|([\s\S])/gy;

/** Splits code lines into tokens. Preprocessor lines are decided by `config`; comments go, those cut by the edges of the piece too. */
export function lex(lines: readonly CodeLine[], config: CConfig): { readonly tokens: Token[]; readonly problems: CProblem[] } {
	const tokens: Token[] = [];
	const problems: CProblem[] = [];
	for (const { text, line } of enabledLines(lines, config)) tokenise(text, line, tokens, problems);
	return { tokens, problems };
}

/** The lines that the preprocessor would keep, without comments. `take` is told of every line that begins with `#` and counts. */
export function enabledLines(lines: readonly CodeLine[], config: CConfig, take?: (directive: string, line: number) => void): CodeLine[] {
	const kept: CodeLine[] = [];
	const conditions = new Conditions(config);
	let inComment = startsInComment(lines);
	let directive = '';
	for (const { text, line, changed } of lines) {
		const code = blankComments(text, inComment);
		inComment = code.inComment;
		if (directive !== '' || /^\s*#/.test(code.text)) {
			const continued = code.text.trimEnd().endsWith('\\');
			directive += continued ? `${code.text.trimEnd().slice(0, -1)} ` : code.text;
			if (continued) continue;
			if (conditions.enabled) take?.(directive, line);
			conditions.take(directive);
			directive = '';
		} else if (conditions.enabled) kept.push({ text: code.text, line, changed });
	}
	return kept;
}

/** A text of several lines without its comments. */
export function textWithoutComments(text: string): string {
	let inComment = false;
	return text
		.split('\n')
		.map((line) => {
			const code = blankComments(line, inComment);
			inComment = code.inComment;
			return code.text;
		})
		.join(' ');
}

/** Tokens of one text. */
export function tokensOf(text: string): Token[] {
	const tokens: Token[] = [];
	tokenise(text, 0, tokens, []);
	return tokens;
}

function tokenise(text: string, line: number, tokens: Token[], problems: CProblem[]): void {
	TOKEN.lastIndex = 0;
	for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) {
		const [, id, number, string, char, op, other] = match;
		if (id !== undefined) tokens.push({ kind: 'id', text: id, line });
		else if (number !== undefined) tokens.push({ kind: 'number', text: number, line });
		else if (string !== undefined) tokens.push({ kind: 'string', text: string, line });
		else if (char !== undefined) tokens.push({ kind: 'char', text: char, line });
		else if (op !== undefined) tokens.push({ kind: 'op', text: op, line });
		else if (other !== undefined && other !== '\\') problems.push({ line, message: `not C: ${JSON.stringify(other)}` });
	}
}

/** A piece that begins inside a comment has the comment's end before any beginning, or begins with the stars of its lines. */
function startsInComment(lines: readonly CodeLine[]): boolean {
	let stars = false;
	for (const { text } of lines) {
		const open = text.indexOf('/*');
		const close = text.indexOf('*/');
		if (close >= 0 && (open < 0 || close < open)) return true;
		if (open >= 0) return stars;
		if (/^\s*\*(?:\s|$)/.test(text)) stars = true;
		else if (text.trim() !== '') {
			if (stars) return false;
			// Text of a comment without stars cannot be told from code unless its end comes first.
			if (/[;{}]/.test(text)) return false;
		}
	}
	return stars;
}

/** Blanks comments of one line, leaving strings alone. */
function blankComments(text: string, inComment: boolean): { readonly text: string; readonly inComment: boolean } {
	if (inComment) {
		const end = text.indexOf('*/');
		// A line without a star ends a comment whose own end the piece does not show.
		if (end < 0) return { text: '', inComment: true };
		const rest = blankComments(text.slice(end + 2), false);
		return { text: ` ${rest.text}`, inComment: rest.inComment };
	}
	let out = '';
	let at = 0;
	const interesting = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\/\/|\/\*/g;
	for (let match = interesting.exec(text); match !== null; match = interesting.exec(text)) {
		if (match[0] === '//') return { text: out + text.slice(at, match.index), inComment: false };
		if (match[0] !== '/*') continue;
		const end = text.indexOf('*/', match.index + 2);
		out += `${text.slice(at, match.index)} `;
		if (end < 0) return { text: out, inComment: true };
		at = end + 2;
		interesting.lastIndex = at;
	}
	return { text: out + text.slice(at), inComment: false };
}
