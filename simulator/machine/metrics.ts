import type { MetricInfo } from '../index.ts';
import { METRIC_IDS, type MetricId } from './counters.ts';

const row = (doc: string, rule: string | null, harm: MetricInfo['harm'], unit: string): Omit<MetricInfo, 'id'> => ({ doc, rule, harm, unit });

/** What each metric counts. A metric without a rule is printed and never a finding of its own. */
const INFO: Readonly<Record<MetricId, Omit<MetricInfo, 'id'>>> = {
	'tlb.flush': row('TLB flush operations issued: local ones and shootdowns, each counting one', 'tlb-flush', 'warning', 'flushes'),
	'tlb.local': row('flush operations that reach this CPU only', 'tlb-flush', 'warning', 'flushes'),
	'tlb.ipi': row('CPUs interrupted by shootdowns', 'tlb-flush', 'warning', 'interrupts'),
	'tlb.broadcast': row('flush operations that hardware broadcasts', 'tlb-flush', 'warning', 'flushes'),
	'tlb.pages': row('pages named by flush operations', null, 'warning', 'pages'),
	'tlb.spurious': row('flushes issued by flush_tlb_fix_spurious_fault', null, 'warning', 'flushes'),
	'fault.minor': row('page faults handled without I/O', 'extra-fault', 'warning', 'faults'),
	'fault.major': row('page faults that read from a device', 'extra-fault', 'warning', 'faults'),
	'fault.retried': row('tries of a fault that ended with VM_FAULT_RETRY', 'cost-change', 'warning', 'tries'),
	'fault.spurious': row('faults that found the entry right already', null, 'warning', 'faults'),
	'fault.extra': row('faults beyond the first that one access took', 'extra-fault', 'warning', 'faults'),
	'fault.huge.missed': row(
		'huge pages of the page cache that end up mapped by small entries although one PMD entry could map them',
		'huge-missed',
		'warning',
		'huge pages',
	),
	'folio.leaked': row('folio references that nobody drops any more', 'folio-leak', 'error', 'references'),
	'folio.kept': row('folios that a reclaim pass keeps', 'cost-change', 'warning', 'folios'),
	'swapcache.leaked': row('references to swap-cache folios that nobody drops any more', 'swapcache-leak', 'error', 'references'),
	'table.leaked': row('page tables that nobody frees any more', 'table-leak', 'error', 'page tables'),
	'rss.drift': row('pages by which the rss counters are wrong when the address space ends', 'rss-drift', 'error', 'pages'),
	'pte.young': row('entries marked accessed at the end of the measured section', null, 'information', 'entries'),
	'pte.young.lost': row('accessed flags lost', 'access-lost', 'error', 'entries'),
	'pte.dirty.lost': row('dirty flags lost', 'dirty-lost', 'error', 'entries'),
	'hw.ad.assist': row('accessed or dirty flags set by hardware', null, 'information', 'assists'),
	'lock.mmap.read': row('times mmap_lock is taken for reading', 'cost-change', 'warning', 'acquisitions'),
	'lock.mmap.wait': row('cycles waited for mmap_lock', 'lock-wait', 'warning', 'cycles'),
	'lock.vma.read': row('times a per-VMA lock is taken for reading', 'cost-change', 'warning', 'acquisitions'),
	'lock.vma.wait': row('cycles waited for per-VMA locks', 'lock-wait', 'warning', 'cycles'),
	'lock.pmd': row('times the lock of a PMD entry is taken', 'cost-change', 'warning', 'acquisitions'),
	'lock.imbalance': row('locks released once too often or not at all', 'lock-imbalance', 'error', 'releases'),
	'io.locked': row('waits for I/O with mmap_lock or a VMA lock held', 'lock-io', 'warning', 'waits'),
	'time.cycles': row('modelled cycles', null, 'information', 'cycles'),
	'spf.abort': row('speculative faults that were given up', 'cost-change', 'warning', 'faults'),
	// Follows from how often locks are taken, which the metrics above report.
	'cacheline.shared': row('writes to cache lines of mmap_lock and VMA locks', null, 'warning', 'writes'),
};

export const METRICS: readonly MetricInfo[] = METRIC_IDS.map((id) => ({ id, ...INFO[id] }));
