import type { Event, Expr, Fragment, Stmt } from '../../../simulator/c/ast.ts';

/** Writes an expression compactly, every operator in parentheses. */
export function showExpr(e: Expr): string {
	switch (e.k) {
		case 'int':
			return String((BigInt(e.hi) << 32n) | BigInt(e.lo >>> 0));
		case 'str':
			return JSON.stringify(e.text);
		case 'id':
			return e.name;
		case 'call':
			return `${showExpr(e.fn)}(${e.args.map(showExpr).join(', ')})`;
		case 'member':
			return `${showExpr(e.of)}${e.arrow ? '->' : '.'}${e.name}`;
		case 'index':
			return `${showExpr(e.of)}[${showExpr(e.index)}]`;
		case 'unary':
			return `${e.op}${showExpr(e.of)}`;
		case 'postfix':
			return `${showExpr(e.of)}${e.op}`;
		case 'binary':
			return `(${showExpr(e.left)} ${e.op} ${showExpr(e.right)})`;
		case 'assign':
			return `${showExpr(e.left)} ${e.op} ${showExpr(e.right)}`;
		case 'cond':
			return `(${showExpr(e.test)} ? ${e.then === null ? '' : showExpr(e.then)} : ${showExpr(e.else)})`;
		case 'cast':
			return `(${e.type})${showExpr(e.of)}`;
		case 'sizeof':
			return `sizeof(${e.type ?? (e.of === null ? '' : showExpr(e.of))})`;
		case 'comma':
			return `(${showExpr(e.left)}, ${showExpr(e.right)})`;
		case 'stmtexpr':
			return `({ ${e.body.map(showStmt).join(' ')} })`;
		case 'init':
			return `{${e.items.map((i) => `${i.field === null ? '' : `.${i.field}=`}${showExpr(i.value)}`).join(', ')}}`;
		case 'type':
			return `<${e.type}>`;
		case 'bad':
			return `BAD ${e.text}`;
		default:
			return 'native';
	}
}

export function showStmt(s: Stmt): string {
	switch (s.k) {
		case 'expr':
			return `${showExpr(s.e)};`;
		case 'decl':
			return `${s.type} ${s.name}${s.init === null ? '' : ` = ${showExpr(s.init)}`};`;
		case 'if':
			return `if ${showExpr(s.cond)}`;
		case 'while':
		case 'do':
			return `${s.k} ${showExpr(s.cond)}`;
		case 'for':
			return `for ${s.init.map(showStmt).join(' ')} ${s.cond === null ? '' : showExpr(s.cond)}; ${s.step === null ? '' : showExpr(s.step)}`;
		case 'each':
			return `each ${showExpr(s.call)}`;
		case 'switch':
			return `switch ${showExpr(s.on)}`;
		case 'case':
			return s.value === null ? 'default:' : `case ${showExpr(s.value)}${s.to === null ? '' : ` ... ${showExpr(s.to)}`}:`;
		case 'label':
			return `${s.name}:`;
		case 'goto':
			return `goto ${s.label};`;
		case 'return':
			return s.value === null ? 'return;' : `return ${showExpr(s.value)};`;
		case 'empty':
			return ';';
		default:
			return `${s.k}${s.k === 'block' ? '' : ';'}`;
	}
}

export function showEvent(event: Event): string {
	switch (event.e) {
		case 'stmt':
			return showStmt(event.s);
		case 'open':
			return `${showStmt(event.head)} {`;
		case 'else':
			return '} else {';
		default:
			return `}${event.soft ? ' soft' : ''}${event.until === undefined ? '' : ` while ${showExpr(event.until)}`}`;
	}
}

/** Head, events and tail of a fragment, one a line. */
export function showFragment(f: Fragment): string[] {
	const head = f.head === null ? [] : [`head${f.head.opens ? ' opens' : ''}: ${f.head.names.join(' ')}`];
	const tail = f.tail === null ? [] : [`tail: ${f.tail.names.join(' ')}`];
	return [...head, ...f.events.map(showEvent), ...tail, ...f.problems.map((p) => `problem ${p.line}: ${p.message}`)];
}
