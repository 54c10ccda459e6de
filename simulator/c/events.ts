import type { CProblem, Event, Stmt } from './ast.ts';

/** Statements as a flat sequence. The inverse of `fromEvents`. */
export function toEvents(stmts: readonly Stmt[]): Event[] {
	const out: Event[] = [];
	for (const s of stmts) push(s, out);
	return out;
}

function push(s: Stmt, out: Event[]): void {
	switch (s.k) {
		case 'if':
			out.push({ e: 'open', kind: 'if', head: { ...s, then: [], else: [] }, line: s.line });
			out.push(...toEvents(s.then));
			if (s.else.length > 0) out.push({ e: 'else', line: s.line }, ...toEvents(s.else));
			out.push({ e: 'close', soft: true, line: s.line });
			break;
		case 'while':
		case 'do':
		case 'for':
		case 'each':
		case 'switch':
		case 'block':
			out.push({ e: 'open', kind: s.k, head: { ...s, body: [] }, line: s.line }, ...toEvents(s.body), { e: 'close', soft: false, line: s.line });
			break;
		default:
			out.push({ e: 'stmt', s });
	}
}

interface Open {
	readonly head: Stmt;
	readonly before: Stmt[];
	then: Stmt[] | null;
}

/** Folds balanced events to statements. A close or else without its block, and a block left open, are problems. */
export function fromEvents(events: readonly Event[]): { readonly body: Stmt[]; readonly problems: CProblem[] } {
	const problems: CProblem[] = [];
	const stack: Open[] = [];
	let body: Stmt[] = [];
	const close = (open: Open): void => {
		const inner = body;
		body = open.before;
		const { head } = open;
		if (head.k === 'if') body.push({ ...head, then: open.then ?? inner, else: open.then === null ? [] : inner });
		else body.push({ ...head, body: inner } as Stmt);
	};
	for (const event of events) {
		if (event.e === 'stmt') body.push(event.s);
		else if (event.e === 'open') {
			stack.push({ head: event.head, before: body, then: null });
			body = [];
		} else if (event.e === 'else') {
			const open = stack.at(-1);
			if (open === undefined || open.head.k !== 'if' || open.then !== null) problems.push({ line: event.line, message: 'else without if' });
			else {
				open.then = body;
				body = [];
			}
		} else {
			const open = stack.pop();
			if (open === undefined) problems.push({ line: event.line, message: '} without {' });
			else close(open);
		}
	}
	for (let open = stack.pop(); open !== undefined; open = stack.pop()) {
		problems.push({ line: open.head.line, message: 'a block is left open' });
		close(open);
	}
	return { body, problems };
}
