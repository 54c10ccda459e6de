import type { Simulator } from '../../simulator/index.ts';
import type { Draft } from './deltas.ts';
import { MAINLINE } from './plan.ts';

/** What a change of a count means: when it goes up, when it goes down. `(one|many)` follows the number before it. */
const PHRASES: ReadonlyMap<string, readonly [up: string, down: string]> = new Map([
	['tlb.flush', ['more TLB flush operation(|s)', 'fewer TLB flush operation(|s)']],
	['tlb.local', ['more local TLB flush(|es)', 'fewer local TLB flush(|es)']],
	['tlb.ipi', ['more processor interrupt(|s) for TLB shootdowns', 'fewer processor interrupt(|s) for TLB shootdowns']],
	['tlb.broadcast', ['more broadcast TLB invalidation(|s)', 'fewer broadcast TLB invalidation(|s)']],
	['tlb.pages', ['more page(|s) flushed from TLBs', 'fewer page(|s) flushed from TLBs']],
	['fault.minor', ['more minor fault(|s)', 'fewer minor fault(|s)']],
	['fault.major', ['more major fault(|s)', 'fewer major fault(|s)']],
	['fault.retried', ['more retried fault(|s)', 'fewer retried fault(|s)']],
	['fault.spurious', ['more spurious fault(|s)', 'fewer spurious fault(|s)']],
	['fault.extra', ['extra fault(|s) taken', 'extra fault(|s) avoided']],
	['fault.huge.missed', ['huge mapping(|s) missed', 'huge mapping(|s) gained']],
	['folio.leaked', ['folio reference(|s) leaked', 'folio reference(|s) no longer leaked']],
	['folio.kept', ['more folio(|s) kept by the first reclaim pass', 'fewer folio(|s) kept by the first reclaim pass']],
	['swapcache.leaked', ['swap-cache reference(|s) leaked', 'swap-cache reference(|s) no longer leaked']],
	['table.leaked', ['page table(|s) leaked', 'page table(|s) no longer leaked']],
	['rss.drift', ['page(|s) of drift in the rss counters', 'page(|s) less drift in the rss counters']],
	['pte.young', ['more young PTE(|s)', 'fewer young PTE(|s)']],
	['pte.young.lost', ['accessed bit(|s) lost', 'accessed bit(|s) no longer lost']],
	['pte.dirty.lost', ['dirty bit(|s) lost', 'dirty bit(|s) no longer lost']],
	['hw.ad.assist', ['more hardware update(|s) of accessed or dirty bits', 'fewer hardware update(|s) of accessed or dirty bits']],
	['lock.mmap.read', ['more acquisition(|s) of mmap_lock for reading', 'fewer acquisition(|s) of mmap_lock for reading']],
	['lock.mmap.wait', ['more cycle(|s) of waiting for mmap_lock', 'fewer cycle(|s) of waiting for mmap_lock']],
	['lock.vma.read', ['more acquisition(|s) of a VMA lock for reading', 'fewer acquisition(|s) of a VMA lock for reading']],
	['lock.vma.wait', ['more cycle(|s) of waiting for a VMA lock', 'fewer cycle(|s) of waiting for a VMA lock']],
	['lock.pmd', ['more acquisition(|s) of a PMD lock', 'fewer acquisition(|s) of a PMD lock']],
	['lock.imbalance', ['lock release(|s) missing or too many', 'lock release(|s) put right']],
	['io.locked', ['more I/O wait(|s) with a lock held', 'fewer I/O wait(|s) with a lock held']],
	['cacheline.shared', ['more write(|s) to shared cache lines', 'fewer write(|s) to shared cache lines']],
	['spf.abort', ['more speculative fault(|s) aborted', 'fewer speculative fault(|s) aborted']],
]);

/** One sentence: what differs, by how much, where it shows, and how much else it covers. Nothing in it comes from the patch. */
export function messageOf(draft: Draft, others: number, sim: Simulator): string {
	const { scenario, variant, policy } = draft.pair.request;
	const where = `${scenario}${variant === '' ? '' : ` (${variant})`}`;
	const under = policy === MAINLINE ? '' : ` under policy ${policy}`;
	const also = others === 0 ? '' : `; also in ${others} other${others === 1 ? '' : 's'}`;
	return `${draft.metric === '' ? violation(draft) : count(draft, sim)} in ${where}${under}${also}${hunks(draft)}.`;
}

/** Most hunks that a message counts up. */
const MOST_NAMED = 6;

/** Where more than one hunk has to do with it, which ones. */
function hunks({ several, place, unit }: Draft): string {
	if (several === undefined) return '';
	const lines = place.hunks.flatMap((id) => unit.changes.find(({ hunk }) => hunk.id === id)?.hunk.line ?? []);
	const named = lines.length > MOST_NAMED ? `${lines.length} hunks` : `the hunks at lines ${lines.slice(0, -1).join(', ')} and ${lines.at(-1)}`;
	return several === 'together' ? `; it takes ${named} together` : `; leaving out one of ${named} is not enough`;
}

function count({ metric, worse, before, after }: Draft, sim: Simulator): string {
	const info = sim.metrics().find(({ id }) => id === metric);
	const [up, down] = PHRASES.get(metric) ?? [`more ${info?.unit ?? ''} of ${metric}`, `fewer ${info?.unit ?? ''} of ${metric}`];
	const n = Math.abs(after - before);
	const phrase = (worse ? up : down).replace(/\((\w*)\|(\w+)\)/, (_, one: string, many: string) => (n === 1 ? one : many));
	return `${n} ${phrase} (${before} -> ${after})`;
}

function violation({ worse, detail }: Draft): string {
	const said = detail.trim().replace(/[.\s]+$/, '');
	return worse ? said : `No longer: ${said}`;
}
