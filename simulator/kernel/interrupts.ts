/** Interrupts of a CPU, as far as others wait for them: a flush by IPI ends, and a page table is freed, once every CPU could be interrupted. */
import { READ, WRITE } from '../machine/access-log.ts';
import { SUSPENDABLE } from '../schedule/form.ts';
import type { KernelState } from './kernel.ts';

/** What a waiter waits for; no address. */
const ON = -1;

export function irqsOffHere(k: KernelState): void {
	k.note('irq', k.current.cpu, WRITE);
	k.irqsOff.add(k.current.cpu);
}

export function irqsOnHere(k: KernelState): void {
	k.note('irq', k.current.cpu, WRITE);
	k.irqsOff.delete(k.current.cpu);
	k.wakeAll(ON);
}

/**
 * Waits until each of these CPUs has had interrupts on, the running one apart. In the usual form of the kernel nothing comes between off and
 * on, and there is nobody to wait for.
 */
export function waitForIrqs(k: KernelState, cpus: Iterable<number>): void {
	for (const cpu of cpus) {
		k.note('irq', cpu, READ);
		while (cpu !== k.current.cpu && k.irqsOff.has(cpu)) {
			k.park(ON, 'interrupts');
			if (!SUSPENDABLE) break;
		}
	}
}
