/** A reference function in stages as C-engine input, with the fragments of a patch in the place of the stages they cover. */
import type { Event, Expr, Fragment, Native, Stmt } from '../c/ast.ts';
import { fromEvents } from '../c/events.ts';
import { type Place, place, type ReferenceEvent } from './align.ts';
import type { StageNode } from './stages.ts';

/** The stages as events whose leaves are the model's own code. */
export function stageEvents(nodes: readonly StageNode[]): ReferenceEvent[] {
	const out: ReferenceEvent[] = [];
	const add = (event: Event, names: readonly string[], stage: string): void => void out.push({ event, names, stage });
	for (const node of nodes) {
		switch (node.n) {
			case 'run':
				add({ e: 'stmt', s: { k: 'expr', e: leaf(node), line: 0 } }, node.anchors, node.name);
				break;
			case 'return':
				add({ e: 'stmt', s: { k: 'return', value: native(node), line: 0 } }, ['return', ...node.anchors], node.name);
				break;
			case 'label':
				add({ e: 'stmt', s: { k: 'label', name: node.name, line: 0 } }, [], node.name);
				break;
			case 'goto':
				add({ e: 'stmt', s: { k: 'goto', label: node.label, line: 0 } }, [node.label], node.name);
				break;
			default: {
				const head: Stmt =
					node.n === 'if' ? { k: 'if', cond: native(node), then: [], else: [], line: 0 } : { k: 'while', cond: native(node), body: [], line: 0 };
				add({ e: 'open', kind: node.n, head, line: 0 }, node.anchors, node.name);
				out.push(...stageEvents(node.then));
				if (node.n === 'if' && node.else.length > 0) {
					add({ e: 'else', line: 0 }, [], node.name);
					out.push(...stageEvents(node.else));
				}
				add({ e: 'close', soft: false, line: 0 }, [], node.name);
			}
		}
	}
	return out;
}

/** A stage as an expression: its code, or the assignment of what its code returns. */
function leaf(node: Extract<StageNode, { n: 'run' }>): Expr {
	if (node.into === undefined) return native(node);
	return { k: 'assign', op: node.into.op, left: { k: 'id', name: node.into.local, line: 0 }, right: native(node), line: 0 };
}

function native(node: { readonly run: Native['run']; readonly waits: boolean }): Expr {
	return { k: 'native', run: node.run, waits: node.waits, line: 0 };
}

/** A fragment to put in: `anchor` finds the place, `code` goes there. */
export interface Insert {
	readonly anchor: Fragment;
	readonly code: Fragment;
}

export interface Composed {
	readonly body: readonly Stmt[];
	/** Names of the stages that were replaced. */
	readonly stages: readonly string[];
}

/** Puts the fragments in. Returns why not when a place is not certain, two overlap or the blocks do not fit. */
export function compose(nodes: readonly StageNode[], inserts: readonly Insert[]): Composed | { readonly why: string } {
	const reference = stageEvents(nodes);
	const placed: { readonly at: Place; readonly code: Fragment }[] = [];
	for (const insert of inserts) {
		const at = place(reference, insert.anchor);
		if ('why' in at) return at;
		placed.push({ at, code: insert.code });
	}
	placed.sort((a, b) => b.at.from - a.at.from);
	let events: readonly Event[] = reference.map((r) => r.event);
	const stages: string[] = [];
	let limit = Number.POSITIVE_INFINITY;
	for (const { at, code } of placed) {
		if (at.to > limit) return { why: 'two hunks of it cover the same place' };
		limit = at.from;
		stages.push(...reference.slice(at.from, at.to).map((r) => r.stage));
		events = join(events.slice(0, at.from), closeFirst(code.events, events.slice(at.from, at.to)), events.slice(at.to));
	}
	const folded = fromEvents(events);
	if (folded.problems.length > 0) return { why: 'its blocks do not fit those around it' };
	return { body: folded.body, stages: [...new Set(stages)] };
}

/**
 * A piece that begins in the body of an `if` without braces shows that body, one statement, and no sign of its end. Where the
 * stages it stands for end a block there, so does the code.
 */
function closeFirst(code: readonly Event[], covered: readonly Event[]): readonly Event[] {
	const missing = depthOf(code) - depthOf(covered);
	if (missing <= 0 || code[0]?.e !== 'stmt' || covered[1]?.e !== 'close') return code;
	const closes: Event[] = Array.from({ length: missing }, () => ({ e: 'close', soft: true, line: 0 }));
	return [code[0], ...closes, ...code.slice(1)];
}

/** A body without braces at the edge of the piece closes by itself; where the reference goes on with `else`, it must not. */
function join(before: readonly Event[], code: readonly Event[], after: readonly Event[]): readonly Event[] {
	const middle = [...code];
	while (after[0]?.e === 'else' && middle.at(-1)?.e === 'close' && (middle.at(-1) as { soft: boolean }).soft && depthOf([...before, ...middle, ...after]) < 0)
		middle.pop();
	let events = [...before, ...middle, ...after];
	// A soft close too many or too few at the seam is the text's, not the patch's.
	for (let depth = depthOf(events); depth !== 0; depth = depthOf(events)) {
		const seam = before.length + middle.length;
		if (depth > 0) events = [...events.slice(0, seam), { e: 'close', soft: true, line: 0 }, ...events.slice(seam)];
		else {
			const soft = middle.findLastIndex((e) => e.e === 'close' && e.soft);
			if (soft < 0) return events;
			middle.splice(soft, 1);
			events = [...before, ...middle, ...after];
		}
		if (depth > 4 || depth < -4) return events;
	}
	return events;
}

/** Blocks left open at the end; negative when more are closed than opened. */
function depthOf(events: readonly Event[]): number {
	let depth = 0;
	for (const e of events) depth += e.e === 'open' ? 1 : e.e === 'close' ? -1 : 0;
	return depth;
}
