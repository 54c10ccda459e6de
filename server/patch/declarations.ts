import type { Token } from './c-tokens.ts';

export interface Declaration {
	readonly name: string;
	/** One line, white space collapsed, possibly cut short. */
	readonly text: string;
}

/** Words before a parenthesis that are attributes of a declaration and not its name. */
const ATTRIBUTES = new Set(
	(
		'__attribute__ __printf __scanf __realloc_size __aligned __section __alloc_size __acquires __releases __must_hold __cond_acquires __cond_releases __cond_lock __no_sanitize ' +
		'__no_sanitize_address __guarded_by __malloc __counted_by __bpf_kfunc __nonnull __assume_aligned'
	).split(' '),
);

/** Words that start a statement or a value: what they head is no function. */
const CONTROL = new Set('if else while for switch do return goto case default break continue sizeof typeof __typeof__ typedef asm __asm__ defined'.split(' '));

/** A type before a parenthesis belongs to a pointer to a function. */
const TYPES = new Set('void bool char short int long unsigned signed float double struct union enum const volatile static inline extern'.split(' '));

const SYSTEM_CALL = /^(?:COMPAT_)?SYSCALL_DEFINE\d$/;

/** Longest list of tokens that is tried as a declaration. */
export const MAX_DECLARATION = 400;

/**
 * Reads the tokens before a `{` (or before the end of the text) as the header of a function definition; null if they are none.
 * `loose`: a name without a return type will do, which is only safe where no statement can stand.
 */
export function headerOf(tokens: readonly Token[], loose: boolean): string | null {
	const first = tokens[0];
	if (first === undefined || tokens.length > MAX_DECLARATION || CONTROL.has(first.text) || !isIdentifier(first.text)) return null;
	let depth = 0;
	let words = 0;
	for (let i = 0; i < tokens.length; i++) {
		const text = tokens[i]?.text ?? '';
		if (text === '(') {
			const name = tokens[i - 1]?.text ?? '';
			if (depth++ > 0 || ATTRIBUTES.has(name)) continue;
			if (!isIdentifier(name) || CONTROL.has(name) || TYPES.has(name)) return null;
			if (words < 2) return loose || SYSTEM_CALL.test(name) ? macroName(name, tokens, i) : null;
			return endsLikeHeader(tokens, i) ? name : null;
		}
		if (text === ')') depth--;
		else if (depth === 0) {
			if (isIdentifier(text)) words++;
			else if (text !== '*') return null;
		}
	}
	return null;
}

/** Behind the parameter list only attributes may follow. */
function endsLikeHeader(tokens: readonly Token[], open: number): boolean {
	let depth = 0;
	for (let i = open; i < tokens.length; i++) {
		const text = tokens[i]?.text ?? '';
		if (text === '(') depth++;
		else if (text === ')') depth--;
		else if (depth === 0 && !isIdentifier(text)) return false;
	}
	return true;
}

/** `SYSCALL_DEFINE3(mprotect, ...)` defines what its first argument names; `foo(void)` without a type defines foo. */
function macroName(name: string, tokens: readonly Token[], open: number): string | null {
	if (!/^[A-Z][A-Z0-9_]+$/.test(name)) return endsLikeHeader(tokens, open) ? name : null;
	const argument = tokens[open + 1]?.text ?? '';
	if (!/^[a-z_]\w*$/.test(argument)) return null;
	return SYSTEM_CALL.test(name) ? `sys_${argument}` : argument;
}

function isIdentifier(text: string): boolean {
	return /^[A-Za-z_]/.test(text);
}

/** The declaration that a hunk's `@@` text names, or null for a label, a struct, a macro, a variable. */
export function contextDeclaration(context: string): Declaration | null {
	const text = context
		.replace(/\/\*.*$/, '')
		.replace(/\s+/g, ' ')
		.trim();
	if (text === '' || /^(?:[#}{/*]|typedef\b|(?:static |const )*(?:struct|union|enum) \w+ ?\{)/.test(text) || /;$/.test(text)) return null;
	const words = text.matchAll(/([A-Za-z_]\w*) ?\(/g);
	for (const { 1: name = '', index } of words) {
		if (ATTRIBUTES.has(name)) continue;
		if (CONTROL.has(name) || TYPES.has(name) || text.slice(0, index).includes('=')) return null;
		if (!/^[A-Z][A-Z0-9_]+$/.test(name)) return { name, text };
		const argument = /^[\w ]*\( ?([a-z_]\w*)/.exec(text)?.[1];
		const call = SYSTEM_CALL.test(name);
		return argument !== undefined && call ? { name: `sys_${argument}`, text } : null;
	}
	return null;
}

/** Source text from one token to another, on one line, without comments. */
export function declarationText(lines: readonly { readonly text: string }[], from: Token, to: Token): string {
	const parts: string[] = [];
	for (let at = from.at; at <= to.at; at++) {
		const text = lines[at]?.text ?? '';
		parts.push(text.slice(at === from.at ? from.column : 0, at === to.at ? to.column + to.text.length : undefined));
	}
	return parts
		.join(' ')
		.replace(/\/\*.*?\*\//g, ' ')
		.replace(/\s+/g, ' ')
		.trim();
}
