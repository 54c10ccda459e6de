/** kernel/rcu: what is found in a read-side section is not freed before the section ends. */
import type { Task } from '../schedule/scheduler.ts';
import type { Kernel } from './kernel.ts';

/** Who is in a read-side section, and what is freed when nobody is any more. */
export class Rcu {
	readonly depths = new Map<Task, number>();
	waiting: number[] = [];

	reset(): void {
		this.depths.clear();
		this.waiting = [];
	}
}

export function rcu_read_lock(k: Kernel): void {
	k.rcu.depths.set(k.current, (k.rcu.depths.get(k.current) ?? 0) + 1);
}

export function rcu_read_unlock(k: Kernel): void {
	const { rcu, current } = k;
	const depth = (rcu.depths.get(current) ?? 0) - 1;
	if (depth > 0) {
		rcu.depths.set(current, depth);
		return;
	}
	rcu.depths.delete(current);
	if (rcu.depths.size > 0) return;
	for (const address of rcu.waiting) k.mem.free(address);
	rcu.waiting = [];
}

/** Frees memory once nobody can have found it: kfree_rcu(), call_rcu(). Nobody waits for that. */
export function free_rcu(k: Kernel, address: number): void {
	if (k.rcu.depths.size > 0) k.rcu.waiting.push(address);
	else k.mem.free(address);
}
