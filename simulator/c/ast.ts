import type { CType, Param } from './types.ts';

/**
 * A line of C as a document shows it. `line` is 1-based in the document, 0 for a line that only the kernel tree holds;
 * `changed` marks a `+` or `-` line of the diff.
 */
export interface CodeLine {
	readonly text: string;
	readonly line: number;
	readonly changed: boolean;
	/** 1-based in the file of the kernel tree, where the line comes from it. */
	readonly treeLine?: number;
}

/** A leaf of a reference function: TypeScript over the C-visible locals in `frame`. A waiting leaf returns a coroutine. */
export interface Native {
	readonly k: 'native';
	readonly run: (kernel: never, frame: never) => unknown;
	readonly waits: boolean;
	readonly line: number;
}

export type Expr =
	| { readonly k: 'int'; readonly lo: number; readonly hi: number; readonly type: CType; readonly line: number }
	| { readonly k: 'str'; readonly text: string; readonly line: number }
	| { readonly k: 'id'; readonly name: string; readonly line: number }
	| { readonly k: 'call'; readonly fn: Expr; readonly args: readonly Expr[]; readonly line: number }
	| { readonly k: 'member'; readonly of: Expr; readonly name: string; readonly arrow: boolean; readonly line: number }
	| { readonly k: 'index'; readonly of: Expr; readonly index: Expr; readonly line: number }
	| { readonly k: 'unary'; readonly op: '!' | '~' | '-' | '+' | '*' | '&' | '++' | '--'; readonly of: Expr; readonly line: number }
	| { readonly k: 'postfix'; readonly op: '++' | '--'; readonly of: Expr; readonly line: number }
	| { readonly k: 'binary'; readonly op: string; readonly left: Expr; readonly right: Expr; readonly line: number }
	| { readonly k: 'assign'; readonly op: string; readonly left: Expr; readonly right: Expr; readonly line: number }
	| { readonly k: 'cond'; readonly test: Expr; readonly then: Expr | null; readonly else: Expr; readonly line: number }
	/** `typeOf`: the operand of a `typeof` that `type` names; likewise in `sizeof`, `type` and `decl`. */
	| { readonly k: 'cast'; readonly type: string; readonly of: Expr; readonly typeOf?: Expr; readonly line: number }
	| { readonly k: 'sizeof'; readonly type: string | null; readonly of: Expr | null; readonly typeOf?: Expr; readonly line: number }
	| { readonly k: 'comma'; readonly left: Expr; readonly right: Expr; readonly line: number }
	| { readonly k: 'stmtexpr'; readonly body: readonly Stmt[]; readonly line: number }
	| {
			readonly k: 'init';
			/** `to`: the last index of `[index ... to]`. */
			readonly items: readonly { readonly field: string | null; readonly index: Expr | null; readonly to?: Expr; readonly value: Expr }[];
			/** The braces that a designator such as `.a.b` stands for: they clear nothing. */
			readonly partial?: boolean;
			readonly type: string | null;
			readonly line: number;
	  }
	/** A type used as a value: an argument of `container_of`, `list_entry`, `sizeof`-like macros. */
	| { readonly k: 'type'; readonly type: string; readonly typeOf?: Expr; readonly line: number }
	/** C that the parser did not understand; reaching it ends the run. */
	| { readonly k: 'bad'; readonly text: string; readonly line: number }
	| Native;

export type Stmt =
	/** `static`: a macro that declares something static. */
	| { readonly k: 'expr'; readonly e: Expr; readonly static?: boolean; readonly line: number }
	| {
			readonly k: 'decl';
			readonly name: string;
			/** `struct page *`, or `vm_fault_t (*)(struct vm_fault *)` for a function pointer. Array lengths are in `dims`. */
			readonly type: string;
			readonly init: Expr | null;
			readonly typeOf?: Expr;
			/** Lengths of an array, outermost first; null: as long as its initialiser. */
			readonly dims?: readonly (Expr | null)[];
			readonly static?: boolean;
			/** The name is a type from here on: of a function, where `type` is the pointer to it. */
			readonly typedef?: 'type' | 'function';
			readonly line: number;
	  }
	| { readonly k: 'if'; readonly cond: Expr; readonly then: readonly Stmt[]; readonly else: readonly Stmt[]; readonly line: number }
	| { readonly k: 'while'; readonly cond: Expr; readonly body: readonly Stmt[]; readonly line: number }
	| { readonly k: 'do'; readonly cond: Expr; readonly body: readonly Stmt[]; readonly line: number }
	| {
			readonly k: 'for';
			readonly init: readonly Stmt[];
			readonly cond: Expr | null;
			readonly step: Expr | null;
			readonly body: readonly Stmt[];
			readonly line: number;
	  }
	/** `list_for_each_entry(...) { }` and the other loop macros: a call that heads a block. */
	| { readonly k: 'each'; readonly call: Expr; readonly body: readonly Stmt[]; readonly line: number }
	| { readonly k: 'switch'; readonly on: Expr; readonly body: readonly Stmt[]; readonly line: number }
	| { readonly k: 'case'; readonly value: Expr | null; readonly to: Expr | null; readonly line: number }
	| { readonly k: 'block'; readonly body: readonly Stmt[]; readonly line: number }
	| { readonly k: 'label'; readonly name: string; readonly line: number }
	| { readonly k: 'goto'; readonly label: string; readonly line: number }
	| { readonly k: 'return'; readonly value: Expr | null; readonly line: number }
	| { readonly k: 'break'; readonly line: number }
	| { readonly k: 'continue'; readonly line: number }
	| { readonly k: 'empty'; readonly line: number };

export interface FunctionDef {
	readonly name: string;
	readonly ret: string;
	readonly params: readonly { readonly name: string; readonly type: string }[];
	readonly body: readonly Stmt[];
	readonly line: number;
}

/**
 * Statements as a flat sequence of events, the form in which a fragment meets the reference function: a fragment may
 * close blocks that it did not open and leave others open. `soft` marks the close of a body without braces.
 */
export type Event =
	| { readonly e: 'stmt'; readonly s: Stmt }
	| { readonly e: 'open'; readonly kind: 'if' | 'while' | 'do' | 'for' | 'each' | 'switch' | 'block'; readonly head: Stmt; readonly line: number }
	| { readonly e: 'else'; readonly line: number }
	/** `until` is the condition of a do loop whose beginning is outside the piece. */
	| { readonly e: 'close'; readonly soft: boolean; readonly line: number; readonly until?: Expr };

/**
 * A piece of a function body. `head` holds the identifiers of an expression that began before the piece, `tail` those of one
 * that ends after it: they help to find its place and are never run. `headOpens` says that the cut expression was the
 * condition of a block which the piece then shows (`..., entry)) {`).
 */
export interface Fragment {
	readonly events: readonly Event[];
	readonly head: { readonly names: readonly string[]; readonly lines: readonly CodeLine[]; readonly opens: boolean } | null;
	readonly tail: { readonly names: readonly string[]; readonly lines: readonly CodeLine[] } | null;
	readonly problems: readonly CProblem[];
}

export interface CProblem {
	readonly line: number;
	readonly message: string;
}

/** A C-visible local of a reference function, kept in its frame under the kernel's name. */
export interface FrameLocal extends Param {}
