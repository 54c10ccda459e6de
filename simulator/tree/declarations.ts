/**
 * Finds what a kernel source file declares at its top level, by the kernel's layout: declarations begin in the first column,
 * the body of a function ends with a brace there. Nothing is parsed here beyond the names; each text is read when it is needed.
 */
import { type CConfig, Conditions } from '../c/conditions.ts';

export interface Declared {
	readonly name: string;
	/** First and last line, 1-based. */
	readonly line: number;
	readonly endLine: number;
}

export interface DeclaredMacro extends Declared {
	/** Null for a macro without parentheses. */
	readonly params: readonly string[] | null;
	readonly body: string;
}

export interface Declarations {
	/** Whole definitions. */
	readonly functions: ReadonlyMap<string, Declared>;
	/** Functions that are declared only. */
	readonly prototypes: ReadonlyMap<string, Declared>;
	readonly macros: ReadonlyMap<string, DeclaredMacro>;
	/** `struct x { }` and `union x { }`, by name. */
	readonly structs: ReadonlyMap<string, Declared>;
	/** `enum { }`, named or not. */
	readonly enums: readonly Declared[];
	readonly typedefs: ReadonlyMap<string, Declared>;
	/** Variables, with their initialiser where the file has it. */
	readonly variables: ReadonlyMap<string, Declared>;
	readonly lines: readonly string[];
}

const DEFINE = /^\s*#\s*define\s+(\w+)(\(([^)]*)\))?\s*([\s\S]*)$/;
const WORD = /[A-Za-z_]/;
/** The name before lengths and attributes. */
const VARIABLE =
	/(\w+)\s*(?:\[[^\]]*\]\s*)*(?:\b_+(?:aligned|read_mostly|ro_after_init|\w*init(?:data|const)?|\w*cacheline_\w+|section|attribute__|packed|latent_entropy|maybe_unused)\b(?:\(.*\))?\s*)*$/;

export function declarationsOf(text: string, config: CConfig): Declarations {
	const lines = text.split('\n');
	const functions = new Map<string, Declared>();
	const prototypes = new Map<string, Declared>();
	const macros = new Map<string, DeclaredMacro>();
	const structs = new Map<string, Declared>();
	const enums: Declared[] = [];
	const typedefs = new Map<string, Declared>();
	const variables = new Map<string, Declared>();
	/** What the file defines decides its own conditions. */
	const known = new Map(config);
	const conditions = new Conditions(known);
	let at = 0;

	/** Takes the preprocessor line at `at` and its continuations. */
	const directive = (): void => {
		const from = at;
		let whole = '';
		for (; at < lines.length; at++) {
			const line = lines[at] as string;
			if (!line.endsWith('\\')) {
				whole += line;
				break;
			}
			whole += `${line.slice(0, -1)} `;
		}
		at++;
		const open = whole.lastIndexOf('/*');
		if (open >= 0 && !whole.includes('*/', open)) skipComment();
		if (!conditions.enabled || !/^\s*#\s*define/.test(whole)) {
			const gone = conditions.enabled ? /^\s*#\s*undef\s+(\w+)/.exec(whole)?.[1] : undefined;
			if (gone !== undefined) {
				macros.delete(gone);
				known.delete(gone);
			} else conditions.take(whole);
			return;
		}
		const match = DEFINE.exec(whole);
		if (match === null) return;
		const [, name, list, params, body] = match;
		// The second one stands where the first is not defined.
		if (macros.has(name as string)) return;
		const number = /^(?:0[xX][\da-fA-F]+|\d+)$/.exec((body ?? '').trim())?.[0];
		known.set(name as string, number === undefined ? 1 : Number(number));
		macros.set(name as string, {
			name: name as string,
			line: from + 1,
			endLine: at,
			params: list === undefined ? null : splitNames(params ?? ''),
			body: withoutComments(body ?? '').trim(),
		});
	};
	const skipComment = (): void => {
		while (at < lines.length && !(lines[at] as string).includes('*/')) at++;
		at++;
	};

	while (at < lines.length) {
		const line = lines[at] as string;
		const first = line.charAt(0);
		if (first === '#' || (first === ' ' && /^\s+#/.test(line)) || (first === '\t' && /^\s+#/.test(line))) {
			directive();
			continue;
		}
		if (line.startsWith('/*') && !line.includes('*/', 2)) {
			skipComment();
			continue;
		}
		if (!WORD.test(first) || !conditions.enabled) {
			at++;
			continue;
		}
		declaration();
	}
	return { functions, prototypes, macros, structs, enums, typedefs, variables, lines };

	/** Takes the declaration that begins at `at`: to its semicolon, or to the brace that ends its body. */
	function declaration(): void {
		const from = at;
		let head = '';
		for (; at < lines.length; at++) {
			const line = lines[at] as string;
			if (at > from && line === '' && lines[at + 1]?.startsWith('{')) continue;
			if (at > from && (line.startsWith('#') || (line === '' && head.endsWith(')')))) {
				if (!line.startsWith('#')) return;
				// Conditions inside a declaration: both branches stand in the text, which the reader of it decides.
				const inner = /^\s*#\s*(if|ifdef|ifndef|else|elif|endif)\b/.test(line);
				if (!inner) return;
				conditions.take(line);
				continue;
			}
			if (!conditions.enabled) continue;
			const code = withoutComments(line).trimEnd();
			const open = openingBrace(code);
			if (open >= 0) {
				head += ` ${code.slice(0, open)}`;
				if (balanced(code)) {
					at++;
					return defined(head, from, at, /;\s*$/.test(code), code);
				}
				// A typedef or a variable may have its name behind the brace.
				// Bodies of functions end in the first column; a list may end behind its last item.
				const list = !head.includes('(') || /^\s*(?:typedef\s+)?(?:struct|union|enum)\b[^()]*$/.test(head);
				let depth = list ? bracesOf(code) : 0;
				at++;
				for (; at < lines.length && !ends(at, list); at++) {
					const inner = lines[at] as string;
					if (list && /^\s*#\s*define\b/.test(inner)) {
						// A struct explains its flags where it declares them.
						directive();
						at--;
					} else if (/^\s*#/.test(inner)) conditions.take(inner);
					else if (list) {
						depth += bracesOf(withoutComments(inner));
						if (depth <= 0) break;
					}
				}
				const ending = withoutComments(lines[at] ?? '');
				const last = ending.slice(Math.max(0, ending.lastIndexOf('}')));
				at++;
				let tail = last;
				// `} name\n= ...` does not occur; `} __aligned(8)\n;` does not either.
				if (/^}\s*$/.test(last) && (lines[at] ?? '').startsWith('while')) tail = '';
				return defined(head, from, at, false, tail);
			}
			head += ` ${code}`;
			if (code.endsWith(';')) {
				at++;
				return defined(head, from, at, true, '');
			}
			if (/^\w+\s*\([^;]*\)$/.test(head.trim()) && /^(?!SYSCALL_DEFINE)[A-Z_0-9]+\s*\(/.test(head.trim())) {
				// EXPORT_SYMBOL(x) and other macros that stand alone.
				at++;
				return;
			}
		}
	}

	/** Whether the brace at the line's first column is the last one. A stray one in a body is told by what follows it. */
	function ends(at: number, list: boolean): boolean {
		if (!(lines[at] as string).startsWith('}')) return false;
		if (list) return true;
		return !(lines[at] as string).startsWith('};') && !(/^}\s*$/.test(lines[at] as string) && /^\t+\S/.test(lines[at + 1] ?? ''));
	}

	function defined(head: string, from: number, to: number, semicolon: boolean, tail: string): void {
		const text = head.replace(/\s+/g, ' ').trim();
		const place = (name: string): Declared => ({ name, line: from + 1, endLine: to });
		if (text.startsWith('typedef')) {
			const whole = semicolon && tail === '' ? text : `${text} ${tail}`;
			const name =
				/\(\s*\*?\s*(\w+)\s*\)\s*\(/.exec(whole)?.[1] ??
				/^typedef\s[\w\s*]*?(\w+)\s*\([^{}]*\)\s*;?\s*$/.exec(whole)?.[1] ??
				/(\w+)\s*(?:\[[^\]]*\])?\s*(?:__(?!\w*_t\b)\w+(?:\([^)]*\))?\s*)*;?\s*$/.exec(whole)?.[1];
			if (name !== undefined) typedefs.set(name, place(name));
			const tag = /^typedef\s+(?:struct|union)\s+(\w+)\s*$/.exec(text)?.[1];
			if (tag !== undefined) structs.set(tag, place(tag));
			if (/^typedef\s+enum\b/.test(text) && !semicolon) enums.push(place(''));
			return;
		}
		const aggregate = /^(?:static |extern |const )*(struct|union|enum)\s*(\w*)\s*(?:__\w+\s*)*$/.exec(text);
		if (aggregate !== null && !(semicolon && tail === '')) {
			if (aggregate[1] === 'enum') enums.push(place(aggregate[2] as string));
			else if (aggregate[2] !== '') structs.set(aggregate[2] as string, place(aggregate[2] as string));
			const variable = /^}\s*(\w+)\s*(?:=|;|\[)/.exec(tail)?.[1];
			if (variable !== undefined) variables.set(variable, place(variable));
			return;
		}
		// A macro that stands alone: `__setup("name=", function);`.
		if (semicolon && /^(?:__setup|early_param|core_param|module_\w+|EXPORT_\w+|MODULE_\w+|\w+_initcall)\s*\(/.test(text)) return;
		const equals = text.indexOf('=');
		const open = text.indexOf('(');
		if (equals < 0 || (open >= 0 && open < equals)) {
			const name = functionName(text);
			if (name !== undefined) {
				// The first of two definitions under conditions that both seem on is the real one.
				if (!semicolon || tail !== '') {
					if (!functions.has(name)) functions.set(name, place(name));
				} else prototypes.set(name, place(name));
				return;
			}
		}
		const declared = equals < 0 ? text.replace(/;$/, '') : text.slice(0, equals);
		const macro = /^(?:static |extern )*(?:DEFINE_\w+|DECLARE_\w+|H?LIST_HEAD)\(([^)]*)\)/.exec(text);
		const name =
			macro === null
				? VARIABLE.exec(declared.trim())?.[1]
				: macro[1]
						?.split(',')
						.at(/PER_CPU/.test(text) ? 1 : 0)
						?.trim();
		if (name !== undefined) variables.set(name, place(name));
	}
}

/** The name before the parameter list, attributes and their arguments apart. */
function functionName(head: string): string | undefined {
	const text = head.replace(/__attribute__\s*\(\(.*?\)\)/g, ' ').replace(/\b__(?:printf|acquires|releases|must_hold|aligned|section)\s*\([^)]*\)/g, ' ');
	const syscall = /^SYSCALL_DEFINE\d\s*\(\s*(\w+)/.exec(text)?.[1];
	if (syscall !== undefined) return `sys_${syscall}`;
	const match = /(\w+)\s*\(/.exec(text);
	if (
		match === null ||
		/^(?:DEFINE|DECLARE|LIST_HEAD|HLIST_HEAD|EXPORT|MODULE|module|core_param|early_param|late_initcall|subsys_initcall)\w*$/.test(match[1] as string)
	)
		return undefined;
	// A function pointer variable.
	if (/^\w[\w\s*]*\(\s*\*/.test(text)) return undefined;
	return match.index === 0 ? undefined : match[1];
}

/** Where the body's brace opens, outside of parentheses. */
function openingBrace(code: string): number {
	const at = code.indexOf('{');
	return at >= 0 && (code.indexOf('"') < 0 || code.indexOf('"') > at) ? at : -1;
}

const balanced = (code: string): boolean => bracesOf(code) === 0;

/** Braces that open less those that close. */
function bracesOf(code: string): number {
	let depth = 0;
	for (const c of code) {
		if (c === '{') depth++;
		else if (c === '}') depth--;
	}
	return depth;
}

/** Comments that end in the line; what follows one that does not end is dropped. */
export function withoutComments(text: string): string {
	if (!text.includes('/')) return text;
	return text
		.replace(/\/\*[\s\S]*?\*\//g, ' ')
		.replace(/\/\*[\s\S]*$/, ' ')
		.replace(/\/\/.*$/, '');
}

function splitNames(params: string): string[] {
	return params
		.split(',')
		.map((p) => p.trim())
		.filter((p) => p !== '');
}
