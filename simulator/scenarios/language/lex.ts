/** What is wrong with a scenario document, for people. Places are 1-based. */
export interface Problem {
	readonly file: string;
	readonly line: number;
	readonly character: number;
	readonly message: string;
}

export interface Token {
	/** `end` closes every line, so that a missing word has a place too. */
	readonly kind: 'word' | 'number' | 'symbol' | 'end';
	readonly text: string;
	/** 1-based column. */
	readonly character: number;
}

export const NAME = /^[A-Za-z_]\w*(?:-\w+)*$/;
const TOKEN = /[ \t\r]*(?:([A-Za-z_]\w*(?:-\w+)*)|(\d+)|(->|[$|;[\]+:=.])|(\S))/y;

/** The line without its comment: `#` begins one at the start of a line and after white space. */
export function withoutComment(line: string): string {
	for (let at = line.indexOf('#'); at >= 0; at = line.indexOf('#', at + 1)) if (at === 0 || /\s/.test(line[at - 1] as string)) return line.slice(0, at);
	return line;
}

/**
 * Takes a line apart. `values` replaces `$name`; a name that it lacks and a character that belongs to nothing are told to
 * `wrong`, and what follows is not read.
 */
export function tokensOf(line: string, values: ReadonlyMap<string, string>, wrong: (character: number, message: string) => void): Token[] {
	const tokens: Token[] = [];
	const text = withoutComment(line);
	TOKEN.lastIndex = 0;
	for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) {
		const [, word, number, symbol, strange] = match;
		const found = word ?? number ?? symbol ?? strange ?? '';
		const character = TOKEN.lastIndex - found.length + 1;
		const at = TOKEN.lastIndex;
		if (strange !== undefined) {
			wrong(character, `${JSON.stringify(strange)} means nothing here`);
			break;
		}
		if (symbol !== '$') {
			tokens.push({ kind: word !== undefined ? 'word' : number !== undefined ? 'number' : 'symbol', text: found, character });
			continue;
		}
		const name = /^\w+(?:-\w+)*/.exec(text.slice(at, at + 64))?.[0] ?? '';
		const value = values.get(name);
		if (value === undefined) {
			wrong(character, unknownParameter(name, values));
			break;
		}
		for (const token of tokensOf(value, new Map(), wrong)) if (token.kind !== 'end') tokens.push({ ...token, character });
		TOKEN.lastIndex = at + name.length;
	}
	return [...tokens, { kind: 'end', text: '', character: text.trimEnd().length + 1 }];
}

function unknownParameter(name: string, values: ReadonlyMap<string, string>): string {
	const known = [...values.keys()][0];
	if (known === undefined) return `$${name} stands for nothing: say its values in a line "vary ${name === '' ? 'pages' : name} 1 8 64"`;
	return `$${name} stands for nothing: the parameter of this scenario is $${known}`;
}
