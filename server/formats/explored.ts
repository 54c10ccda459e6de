import type { Explored } from '../../simulator/index.ts';

/** `in another order of the tasks: 1 switch, schedule 37:2 (all 892 orders looked at)`. */
export function orderText({ schedule, switches }: { readonly schedule: string; readonly switches?: number }, explored: Explored): string {
	const [orders, more] = ordersOf(explored);
	return `in another order of the tasks: ${switchesText(switches)}schedule ${schedule} (${orders} looked at${more})`;
}

/** `looked at all 892 orders that differ`. */
export function lookedText(explored: Explored): string {
	const { method, exhausted, executions } = explored;
	const whole = method === 'exhaustive' && exhausted;
	if (whole && executions === 1) return 'no other order of the tasks differs';
	return `looked at ${ordersOf(explored).join('')}${whole ? ' that differ' : ''}`;
}

/** `1 switch, `; empty for the run's own order, of which nobody counts them. */
export function switchesText(switches: number | undefined): string {
	return switches === undefined ? '' : `${switchesOf(switches)}, `;
}

function switchesOf(n: number): string {
	return n === 0 ? 'no switch' : `${n} switch${n === 1 ? '' : 'es'}`;
}

/** What of the orders was looked at. The number behind a bound holds random ones too, which fill up what steps are left. */
function ordersOf({ method, exhausted, executions, preemptions }: Explored): [orders: string, more: string] {
	const counted = executions.toLocaleString('en');
	if (method === 'exhaustive' && exhausted) return [`all ${counted} orders`, ''];
	if (method === 'preemption-bounded' && exhausted) return [`all orders with up to ${switchesOf(preemptions ?? 0)} (${counted})`, ''];
	return [`${counted} orders`, method === 'random' ? ', some at random' : ''];
}
