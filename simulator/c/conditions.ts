/** Decides `#if` lines: configuration symbols (and other macros tested by them) with their values. Absent: not defined. */
export type CConfig = ReadonlyMap<string, number>;

/** A 64-bit kernel with what the model has: a config that says nothing else. Debugging is off, and so is what the model lacks. */
export const DEFAULT_CONFIG: CConfig = new Map(
	[
		...['64BIT', 'MMU', 'SMP', 'SWAP', 'SHMEM', 'BLOCK', 'MIGRATION', 'TRANSPARENT_HUGEPAGE', 'PER_VMA_LOCK', 'PRINTK', 'BUG', 'PROC_FS', 'ADVISE_SYSCALLS'],
		...['HAVE_ARCH_TRANSPARENT_HUGEPAGE', 'ARCH_HAS_PTE_SPECIAL', 'ARCH_SUPPORTS_PER_VMA_LOCK', 'MMU_GATHER_TABLE_FREE', 'MMU_GATHER_RCU_TABLE_FREE'],
	]
		.map((name): [string, number] => [`CONFIG_${name}`, 1])
		.concat([
			['CONFIG_PGTABLE_LEVELS', 5],
			['BITS_PER_LONG', 64],
		]),
);

const WORDS = /\s+|([A-Za-z_]\w*)|(0[xX][0-9a-fA-F]+|\d+)[uUlL]*|(&&|\|\||[=!<>]=|<<|>>|[-+*/%&|^~!<>()?:,])|[\s\S]/gy;

/** Nested `#if` ... `#endif` of one piece of code. */
export class Conditions {
	/** One entry an open `#if`: whether its current branch is on, and whether a branch was on already. */
	#open: { on: boolean; done: boolean }[] = [];

	constructor(readonly config: CConfig) {}

	get enabled(): boolean {
		return this.#open.every((c) => c.on);
	}

	/** Takes one directive, continuation lines joined. Those that are no conditions are dropped. */
	take(directive: string): void {
		const match = /^\s*#\s*(ifdef|ifndef|if|elif|else|endif)\b/.exec(directive);
		if (match === null) return;
		const rest = directive.slice(match[0].length).trim();
		const last = this.#open.at(-1);
		switch (match[1]) {
			case 'ifdef':
				this.#push(isDefined(firstWord(rest), this.config));
				break;
			case 'ifndef':
				this.#push(!isDefined(firstWord(rest), this.config));
				break;
			case 'if':
				this.#push(evaluate(rest, this.config) !== 0);
				break;
			case 'elif':
				if (last !== undefined) {
					last.on = !last.done && evaluate(rest, this.config) !== 0;
					last.done ||= last.on;
				}
				break;
			case 'else':
				// Without its #if in sight the first branch counts as taken.
				if (last === undefined) this.#open.push({ on: false, done: true });
				else {
					last.on = !last.done;
					last.done = true;
				}
				break;
			default:
				this.#open.pop();
		}
	}

	#push(on: boolean): void {
		this.#open.push({ on, done: on });
	}
}

/** A configuration symbol that is off is not defined; any other macro may well be defined as 0. */
const isDefined = (name: string, config: CConfig): boolean => config.has(name) && !(name.startsWith('CONFIG_') && config.get(name) === 0);

const firstWord = (text: string): string => /^\w+/.exec(text)?.[0] ?? '';

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

/** Parentheses inside each other, and words, that a condition may have. */
const MAX_DEPTH = 40;
const MAX_WORDS = 400;

/** Value of a preprocessor condition; 0 for what it does not understand. */
export function evaluate(text: string, config: CConfig): number {
	const words: string[] = [];
	WORDS.lastIndex = 0;
	for (let match = WORDS.exec(text); match !== null && words.length < MAX_WORDS; match = WORDS.exec(text)) {
		const word = match[1] ?? match[2] ?? match[3];
		if (word !== undefined) words.push(word);
	}
	let at = 0;
	let depth = 0;
	const unary = (): number => {
		const word = words[at++];
		if (word === undefined || depth > MAX_DEPTH) return 0;
		if (word === '!') return unary() === 0 ? 1 : 0;
		if (word === '-') return -unary();
		if (word === '+') return unary();
		if (word === '~') return ~unary();
		if (word === '(') {
			depth++;
			const value = binary(0);
			depth--;
			at++;
			return value;
		}
		if (/^\d/.test(word)) return Number(word);
		return named(word);
	};
	const named = (word: string): number => {
		if (word === 'defined') {
			const parens = words[at] === '(';
			const name = words[parens ? at + 1 : at] ?? '';
			at += parens ? 3 : 1;
			return isDefined(name, config) ? 1 : 0;
		}
		if (words[at] !== '(') return config.get(word) ?? 0;
		// IS_ENABLED(CONFIG_X) and its kin ask for one symbol; any other macro counts as 0.
		const name = words[at + 1] ?? '';
		for (let open = 0; at < words.length; at++) {
			if (words[at] === '(') open++;
			else if (words[at] === ')' && --open === 0) {
				at++;
				break;
			}
		}
		return /^IS_(?:ENABLED|BUILTIN|REACHABLE)$/.test(word) && (config.get(name) ?? 0) !== 0 ? 1 : 0;
	};
	const binary = (level: number): number => {
		const ops = LEVELS[level];
		if (ops === undefined) return unary();
		let left = binary(level + 1);
		for (let op = words[at]; op !== undefined && ops.includes(op); op = words[at]) {
			at++;
			left = apply(op, left, binary(level + 1));
		}
		return left;
	};
	return binary(0);
}

function apply(op: string, a: number, b: number): number {
	switch (op) {
		case '||':
			return a !== 0 || b !== 0 ? 1 : 0;
		case '&&':
			return a !== 0 && b !== 0 ? 1 : 0;
		case '==':
			return a === b ? 1 : 0;
		case '!=':
			return a !== b ? 1 : 0;
		case '<':
			return a < b ? 1 : 0;
		case '>':
			return a > b ? 1 : 0;
		case '<=':
			return a <= b ? 1 : 0;
		case '>=':
			return a >= b ? 1 : 0;
		case '<<':
			return a * 2 ** b;
		case '>>':
			return Math.floor(a / 2 ** b);
		case '+':
			return a + b;
		case '-':
			return a - b;
		case '*':
			return a * b;
		case '/':
			return b === 0 ? 0 : Math.trunc(a / b);
		case '%':
			return b === 0 ? 0 : a % b;
		case '|':
			return a | b;
		case '^':
			return a ^ b;
		default:
			return a & b;
	}
}
