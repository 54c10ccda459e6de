/** Integer constant expressions of declarations: values of enumerators, lengths of arrays, widths of bit-fields. */
import { DEFAULT_CONFIG } from '../c/conditions.ts';
import { lex, type Token } from '../c/lex.ts';

/** What a name stands for: text of a macro, a value, or undefined. */
export interface Names {
	value(name: string): bigint | undefined;
	macro(name: string): { readonly params: readonly string[] | null; readonly body: string } | undefined;
	/** `sizeof`: bytes of the type that the tokens spell. */
	size(type: string): number | undefined;
}

const LEVELS: readonly (readonly string[])[] = [
	['||'],
	['&&'],
	['|'],
	['^'],
	['&'],
	['==', '!='],
	['<', '>', '<=', '>='],
	['<<', '>>'],
	['+', '-'],
	['*', '/', '%'],
];

const MAX_DEPTH = 60;

/** The value, or undefined when the text is no constant that can be known here. */
export function constantValue(text: string, names: Names): bigint | undefined {
	return tokensValue(tokensOf(text), names, { left: 4000 }, 0);
}

export function tokensOf(text: string): Token[] {
	return lex([{ text, line: 0, changed: false }], DEFAULT_CONFIG).tokens;
}

function tokensValue(tokens: readonly Token[], names: Names, budget: { left: number }, depth: number): bigint | undefined {
	let at = 0;
	if (depth > MAX_DEPTH) return undefined;
	const peek = (): string | undefined => tokens[at]?.text;
	const skip = (): readonly Token[] => {
		// From an opening parenthesis to its end; the tokens inside.
		const from = ++at;
		for (let open = 1; at < tokens.length; at++) {
			if (tokens[at]?.text === '(') open++;
			else if (tokens[at]?.text === ')' && --open === 0) break;
		}
		return tokens.slice(from, at++);
	};
	const primary = (): bigint | undefined => {
		const token = tokens[at];
		if (token === undefined || --budget.left < 0) return undefined;
		if (token.kind === 'number') {
			at++;
			return BigInt(token.text.replace(/[uUlL]+$/, '').replace(/^0(?=[0-7]+$)/, '0o'));
		}
		if (token.kind === 'char' && token.text.length === 3) {
			at++;
			return BigInt(token.text.charCodeAt(1));
		}
		if (token.text === '(') {
			const inner = skip();
			const type = inner.length > 0 && inner.every((t) => t.kind === 'id' || t.text === '*');
			const next = tokens[at];
			// A cast: names in parentheses before an operand.
			if (
				type &&
				next !== undefined &&
				(next.kind === 'number' ||
					next.kind === 'id' ||
					next.text === '(' ||
					next.text === '~' ||
					(next.text === '-' && names.value(inner[0]?.text ?? '') === undefined))
			)
				return unary();
			return tokensValue(inner, names, budget, depth + 1);
		}
		if (token.kind !== 'id') return undefined;
		at++;
		if (token.text === 'sizeof' && peek() === '(') {
			const size = names.size(
				skip()
					.map((t) => t.text)
					.join(' '),
			);
			return size === undefined ? undefined : BigInt(size);
		}
		const value = names.value(token.text);
		if (value !== undefined) return value;
		const macro = names.macro(token.text);
		if (macro === undefined) return undefined;
		if (macro.params === null) return tokensValue(tokensOf(macro.body), names, budget, depth + 1);
		if (peek() !== '(') return undefined;
		const args = split(skip());
		const { params } = macro;
		const body = tokensOf(macro.body).flatMap((t) => {
			const i = t.kind === 'id' ? params.indexOf(t.text) : -1;
			return i < 0 ? [t] : [{ ...t, kind: 'op' as const, text: '(' }, ...(args[i] ?? []), { ...t, kind: 'op' as const, text: ')' }];
		});
		return tokensValue(body, names, budget, depth + 1);
	};
	const unary = (): bigint | undefined => {
		const op = peek();
		if (op === '-' || op === '~' || op === '!' || op === '+') {
			at++;
			const v = unary();
			if (v === undefined) return undefined;
			return op === '-' ? -v : op === '~' ? ~v : op === '!' ? (v === 0n ? 1n : 0n) : v;
		}
		return primary();
	};
	const binary = (level: number): bigint | undefined => {
		const ops = LEVELS[level];
		if (ops === undefined) return unary();
		let left = binary(level + 1);
		for (let op = peek(); op !== undefined && ops.includes(op); op = peek()) {
			at++;
			const right = binary(level + 1);
			left = left === undefined || right === undefined ? undefined : apply(op, left, right);
		}
		return left;
	};
	const value = (): bigint | undefined => {
		const test = binary(0);
		if (peek() !== '?') return test;
		at++;
		const then = value();
		at++;
		const otherwise = value();
		return test === undefined ? undefined : test !== 0n ? then : otherwise;
	};
	const result = value();
	return at < tokens.length ? undefined : result;
}

function split(tokens: readonly Token[]): Token[][] {
	const out: Token[][] = [[]];
	let depth = 0;
	for (const token of tokens) {
		if (token.text === '(') depth++;
		else if (token.text === ')') depth--;
		if (token.text === ',' && depth === 0) out.push([]);
		else out.at(-1)?.push(token);
	}
	return out;
}

function apply(op: string, a: bigint, b: bigint): bigint | undefined {
	const truth = (yes: boolean): bigint => (yes ? 1n : 0n);
	switch (op) {
		case '||':
			return truth(a !== 0n || b !== 0n);
		case '&&':
			return truth(a !== 0n && b !== 0n);
		case '|':
			return a | b;
		case '^':
			return a ^ b;
		case '&':
			return a & b;
		case '==':
			return truth(a === b);
		case '!=':
			return truth(a !== b);
		case '<':
			return truth(a < b);
		case '>':
			return truth(a > b);
		case '<=':
			return truth(a <= b);
		case '>=':
			return truth(a >= b);
		case '<<':
			return b > 63n || b < 0n ? undefined : a << b;
		case '>>':
			return b > 63n || b < 0n ? undefined : a >> b;
		case '+':
			return a + b;
		case '-':
			return a - b;
		case '*':
			return a * b;
		case '/':
			return b === 0n ? undefined : a / b;
		default:
			return b === 0n ? undefined : a % b;
	}
}
