import type { Kernel } from '../../simulator/kernel/kernel.ts';
import { add, flushName, TLBI } from './figures.ts';

const PAGE = 4096;

/**
 * Lets a kernel count what the tracepoints of a real one say. Of x86: page_fault_user, and tlb_flush as native_flush_tlb_multi()
 * and flush_tlb_func() of arch/x86/mm/tlb.c emit it. Of arm64: the TLBI instructions. Returns where the counts of the run go that is asked for.
 */
export function traced(k: Kernel): (into: Map<string, number>) => void {
	let counts = new Map<string, number>();
	const count = (name: string, n = 1): void => {
		if (k.counters.measuring) add(counts, name, n);
	};
	const arm64 = k.arch.name.startsWith('arm64');
	const fault = k.do_user_addr_fault;
	k.do_user_addr_fault = (mm, address, write) => {
		// arm64 has no such event.
		if (!arm64) count('user faults');
		return fault(mm, address, write);
	};
	const broadcast = k.flushBroadcast.bind(k);
	k.flushBroadcast = (mm, start, end, how) => {
		// Who has the instructions for ranges names pages with them, whatever an entry maps.
		const size = k.arch.name === 'arm64' ? PAGE : (how?.stride ?? PAGE);
		if (end === Number.POSITIVE_INFINITY) count(TLBI.all);
		else count(TLBI.pages, (end - start) / size);
		broadcast(mm, start, end, how);
	};
	const flush = k.flushIpi.bind(k);
	k.flushIpi = (mm, start, end, how) => {
		const running = k.cpumask.get(mm) ?? new Set<number>();
		const others = [...running].filter((cpu) => cpu !== k.current.cpu).length;
		const whole = end === Number.POSITIVE_INFINITY;
		const entries = whole ? -1 : Math.floor((end - start) / (how?.stride ?? PAGE));
		if (others > 0) {
			count(flushName('ipi', whole ? -1 : Math.floor((end - start) / PAGE)));
			count(flushName('remote', entries), others);
		}
		if (running.has(k.current.cpu)) count(flushName('flush', entries));
		flush(mm, start, end, how);
	};
	const batch = k.batchFlushIpi.bind(k);
	k.batchFlushIpi = (arch) => {
		const cpus = new Set([...(k.batches.get(arch) ?? [])].flatMap((mm) => [...(k.cpumask.get(mm) ?? [])]));
		const others = [...cpus].filter((cpu) => cpu !== k.current.cpu).length;
		if (others > 0) {
			count(flushName('ipi', -1));
			count(flushName('remote', -1), others);
		}
		if (cpus.has(k.current.cpu)) count(flushName('local', -1));
		batch(arch);
	};
	return (into) => {
		counts = into;
	};
}
