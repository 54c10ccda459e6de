/**
 * Finds the place of a fragment among the stages of a reference function: a local alignment of two event sequences,
 * scored by the identifiers they share. Robust to lost white space, to text that the model does not have and to stages
 * that the text does not show; where no placing is certain it says so and nothing is run.
 */
import type { Event, Fragment } from '../c/ast.ts';
import { identifiers } from '../c/identifiers.ts';

/** An event of the reference function, with the anchors of its stage. */
export interface ReferenceEvent {
	readonly event: Event;
	readonly names: readonly string[];
	readonly stage: string;
}

export interface Place {
	/** Events `from <= i < to` of the reference are what the fragment stands for. */
	readonly from: number;
	readonly to: number;
}

/** Identifiers that half the statements of a fault handler share: they never place a fragment by themselves. */
const COMMON = new Set([
	'vmf',
	'vma',
	'entry',
	'pte',
	'pmd',
	'page',
	'folio',
	'ret',
	'flags',
	'address',
	'mm',
	'vm_mm',
	'likely',
	'unlikely',
	'return',
	'NULL',
	'ptl',
	'vm_flags',
	'addr',
	'orig_pte',
	'true',
	'false',
	'pgoff',
]);
const GAP_TEXT = -0.6;
const GAP_MODEL = -0.15;

/** Older and newer names of one thing. */
const ALIASES = new Map<string, string>([
	['mmap_sem', 'mmap_lock'],
	['wait_on_page_locked', 'folio_wait_locked'],
	['wait_on_page_locked_killable', 'folio_wait_locked_killable'],
	['unlock_page', 'folio_unlock'],
	['lock_page', 'folio_lock'],
	['put_page', 'folio_put'],
	['get_page', 'folio_get'],
	['trylock_page', 'folio_trylock'],
	['set_page_dirty', 'folio_mark_dirty'],
	['__lock_page', '__folio_lock'],
	['__lock_page_killable', '__folio_lock_killable'],
	['update_mmu_cache_range', 'update_mmu_cache'],
	['alloc_set_pte', 'do_set_pte'],
	['set_pte_range', 'do_set_pte'],
	['set_ptes', 'set_pte_at'],
]);

export function canonicalName(name: string): string {
	return ALIASES.get(name) ?? name;
}

interface Item {
	readonly kind: string;
	readonly names: ReadonlySet<string>;
	readonly label: string;
}

/** Places a fragment; `why` says what is missing when it cannot. */
export function place(reference: readonly ReferenceEvent[], fragment: Fragment): Place | { readonly why: string } {
	const model = reference.map((r) => item(r.event, r.names));
	const text = fragment.events.map((e) => item(e, eventNames(e)));
	if (fragment.head !== null) text.unshift({ kind: 'any', names: canon(fragment.head.names), label: '' });
	if (fragment.tail !== null) text.push({ kind: 'any', names: canon(fragment.tail.names), label: '' });
	const { score, pairs } = align(text, model);
	const strong = pairs.filter(([t, m]) => weight(text[t] as Item, model[m] as Item) >= 1);
	if (strong.length === 0 || score < 1) return { why: 'nothing in it is known to the model of the function' };
	const offset = fragment.head === null ? 0 : 1;
	const own = pairs.filter(([t]) => t >= offset && t < offset + fragment.events.length);
	const first = own[0];
	const last = own.at(-1);
	if (first !== undefined && last !== undefined)
		return extend(reference, fragment, { from: first[1], to: last[1] + 1 }, first[0] - offset, fragment.events.length - 1 - (last[0] - offset));
	// Only the cut expressions around the piece are known: it goes between them.
	const cut = pairs[0] as readonly [number, number];
	const at = fragment.head !== null && cut[0] === 0 ? cut[1] + 1 : cut[1];
	return { from: at, to: at };
}

/**
 * The first and last lines of context may be closes of blocks, which match anything; take in the reference's closes that
 * they stand for.
 */
function extend(reference: readonly ReferenceEvent[], fragment: Fragment, place: Place, unmatchedBefore: number, unmatchedAfter: number): Place {
	let { from, to } = place;
	for (let i = unmatchedBefore - 1; i >= 0; i--) {
		const kind = fragment.events[i]?.e;
		if ((kind !== 'close' && kind !== 'else') || reference[from - 1]?.event.e !== kind) break;
		from--;
	}
	for (let i = fragment.events.length - unmatchedAfter; i < fragment.events.length; i++) {
		const kind = fragment.events[i]?.e;
		if ((kind !== 'close' && kind !== 'else') || reference[to]?.event.e !== kind) break;
		to++;
	}
	return { from, to };
}

/** Local alignment; `pairs` are matched positions in order. */
function align(text: readonly Item[], model: readonly Item[]): { readonly score: number; readonly pairs: readonly (readonly [number, number])[] } {
	const width = model.length + 1;
	const best = new Float64Array((text.length + 1) * width);
	const move = new Uint8Array((text.length + 1) * width);
	let end = 0;
	for (let t = 1; t <= text.length; t++) {
		for (let m = 1; m <= model.length; m++) {
			const at = t * width + m;
			const w = weight(text[t - 1] as Item, model[m - 1] as Item);
			const match = w > 0 ? (best[at - width - 1] as number) + w : Number.NEGATIVE_INFINITY;
			const skipText = (best[at - width] as number) + GAP_TEXT;
			const skipModel = (best[at - 1] as number) + GAP_MODEL;
			const value = Math.max(0, match, skipText, skipModel);
			best[at] = value;
			move[at] = value === 0 ? 0 : value === match ? 1 : value === skipText ? 2 : 3;
			if (value > (best[end] as number)) end = at;
		}
	}
	const pairs: [number, number][] = [];
	for (let at = end; move[at] !== 0; ) {
		const t = Math.floor(at / width);
		if (move[at] === 1) {
			pairs.unshift([t - 1, (at % width) - 1]);
			at -= width + 1;
		} else at -= move[at] === 2 ? width : 1;
	}
	return { score: best[end] as number, pairs };
}

/** How well two events fit: 0 not at all. A shared rare name counts 2, a shared common one 0.3. */
function weight(text: Item, model: Item): number {
	if (text.kind !== 'any' && text.kind !== model.kind) return 0;
	if (model.kind === 'label') return text.label === model.label ? 2.5 : 0;
	if (model.kind === 'close' || model.kind === 'else') return text.kind === model.kind ? 0.05 : 0;
	let shared = 0;
	for (const name of text.names) if (model.names.has(name)) shared += COMMON.has(name) ? 0.3 : 2;
	if (shared === 0) return 0;
	let missing = 0;
	for (const name of text.names) if (!model.names.has(name) && !COMMON.has(name)) missing++;
	return Math.max(0.1, shared - 0.4 * missing);
}

function item(event: Event, names: readonly string[]): Item {
	const kind = event.e === 'stmt' ? (event.s.k === 'label' ? 'label' : event.s.k === 'return' ? 'return' : event.s.k === 'goto' ? 'goto' : 'stmt') : event.e;
	return { kind, names: canon(names), label: event.e === 'stmt' && event.s.k === 'label' ? event.s.name : '' };
}

function canon(names: readonly string[]): ReadonlySet<string> {
	return new Set(names.map(canonicalName));
}

function eventNames(event: Event): readonly string[] {
	if (event.e === 'stmt') return event.s.k === 'return' ? ['return', ...identifiers(event.s)] : identifiers(event.s);
	if (event.e !== 'open') return [];
	const { head } = event;
	// Only the condition places a block, not what is in it.
	if (head.k === 'if' || head.k === 'while' || head.k === 'do') return identifiers({ k: 'expr', e: head.cond, line: head.line });
	return head.k === 'each' ? identifiers({ k: 'expr', e: head.call, line: head.line }) : [];
}
