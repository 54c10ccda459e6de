/** Statements as a tree and as a flat sequence of events: the two forms of one thing. */
import type { CProblem, Event, Expr, Stmt } from './ast.ts';
import type { Raw, Slot } from './scan.ts';
import type { Parsed } from './slots.ts';

type OpenEvent = Extract<Event, { e: 'open' }>;

/** Events of a tree. Every body counts as braced but that of an `else if`. */
export function toEvents(stmts: readonly Stmt[]): Event[] {
	const out: Event[] = [];
	for (const s of stmts) append(s, out);
	return out;
}

function append(s: Stmt, out: Event[]): void {
	const inside = (kind: OpenEvent['kind'], head: Stmt, body: readonly Stmt[]): void => {
		out.push({ e: 'open', kind, head, line: s.line });
		for (const inner of body) append(inner, out);
		out.push({ e: 'close', soft: false, line: s.line });
	};
	switch (s.k) {
		case 'if': {
			out.push({ e: 'open', kind: 'if', head: { ...s, then: [], else: [] }, line: s.line });
			for (const inner of s.then) append(inner, out);
			const [only] = s.else;
			const chain = s.else.length === 1 && only?.k === 'if';
			if (only !== undefined) out.push({ e: 'else', line: only.line });
			for (const inner of s.else) append(inner, out);
			out.push({ e: 'close', soft: chain, line: s.line });
			return;
		}
		case 'while':
		case 'do':
		case 'for':
		case 'each':
		case 'switch':
		case 'block':
			inside(s.k, { ...s, body: [] }, s.body);
			return;
		default:
			out.push({ e: 'stmt', s });
	}
}

interface Building {
	readonly head: Stmt | null;
	readonly body: Stmt[];
	readonly otherwise: Stmt[];
	inElse: boolean;
}

/** The tree of balanced events. What does not balance is reported and closed at the end, or dropped. */
export function fromEvents(events: readonly Event[]): { readonly body: Stmt[]; readonly problems: CProblem[] } {
	const problems: CProblem[] = [];
	const root: Building = { head: null, body: [], otherwise: [], inElse: false };
	const path: Building[] = [root];
	const add = (s: Stmt): void => {
		const top = path.at(-1) as Building;
		(top.inElse ? top.otherwise : top.body).push(s);
	};
	const close = (): void => {
		const done = path.pop() as Building;
		add(finish(done));
	};
	for (const event of events) {
		const top = path.at(-1) as Building;
		if (event.e === 'stmt') add(event.s);
		else if (event.e === 'open') path.push({ head: event.head, body: [], otherwise: [], inElse: false });
		else if (event.e === 'else') {
			if (top.head?.k === 'if' && !top.inElse) top.inElse = true;
			else problems.push({ line: event.line, message: 'else without an if' });
		} else if (path.length > 1) close();
		else problems.push({ line: event.line, message: 'a block ends that did not begin' });
	}
	while (path.length > 1) {
		problems.push({ line: path.at(-1)?.head?.line ?? 0, message: 'a block does not end' });
		close();
	}
	return { body: root.body, problems };
}

function finish({ head, body, otherwise }: Building): Stmt {
	if (head === null) return { k: 'empty', line: 0 };
	if (head.k === 'if') return { ...head, then: body, else: otherwise };
	return 'body' in head ? { ...head, body } : head;
}

/** Gives scanned events their expressions. */
export function resolveRaw(raw: readonly Raw[], parsed: Parsed): Event[] {
	const expr = (slot: Slot | null): Expr | null => (slot === null ? null : (parsed.get(slot)?.expr ?? { k: 'bad', text: '', line: slot.line }));
	const stmts = (slot: Slot | null): readonly Stmt[] => (slot === null ? [] : (parsed.get(slot)?.stmts ?? []));
	return raw.flatMap((r): Event[] => {
		switch (r.e) {
			case 'slot':
				if (r.slot.form === 'expr') return [{ e: 'stmt', s: { k: 'expr', e: expr(r.slot) as Expr, line: r.slot.line } }];
				return stmts(r.slot).map((s) => ({ e: 'stmt', s }));
			case 'return':
				return [{ e: 'stmt', s: { k: 'return', value: expr(r.slot), line: r.line } }];
			case 'case':
				return [{ e: 'stmt', s: { k: 'case', value: expr(r.value), to: expr(r.to), line: r.line } }];
			case 'open':
				return [{ e: 'open', kind: r.kind, head: headOf(r, expr(r.cond), stmts(r.init), expr(r.step)), line: r.line }];
			case 'close': {
				const until = expr(r.until);
				return [{ e: 'close', soft: r.soft, line: r.line, ...(until === null ? {} : { until }) }];
			}
			default:
				return [r];
		}
	});
}

function headOf(r: Extract<Raw, { e: 'open' }>, cond: Expr | null, init: readonly Stmt[], step: Expr | null): Stmt {
	const { line } = r;
	const test: Expr = cond ?? { k: 'bad', text: r.kind === 'do' ? 'a do loop without its end' : 'a head without its condition', line };
	switch (r.kind) {
		case 'if':
			return { k: 'if', cond: test, then: [], else: [], line };
		case 'while':
		case 'do':
			return { k: r.kind, cond: test, body: [], line };
		case 'for':
			return { k: 'for', init, cond, step, body: [], line };
		case 'each':
			return { k: 'each', call: test, body: [], line };
		case 'switch':
			return { k: 'switch', on: test, body: [], line };
		default:
			return { k: 'block', body: [], line };
	}
}

/** Tree of scanned events that balance. */
export function fromRaw(raw: readonly Raw[], parsed: Parsed): readonly Stmt[] {
	return fromEvents(resolveRaw(raw, parsed)).body;
}
