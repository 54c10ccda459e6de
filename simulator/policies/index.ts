import type { Policy } from './policy.ts';

export const POLICIES: readonly Policy[] = [
	{ name: 'mainline', doc: 'what that kernel version shipped', base: null, on: [], off: [], touches: [] },
	{
		name: 'skip-tried',
		doc: 'a retried fault skips the flush for a spurious fault, as in 5.9 and later',
		base: null,
		on: ['tried-skip'],
		off: [],
		touches: ['handle_pte_fault'],
	},
	{
		name: 'skip-tried-rfc',
		doc: 'a retried fault skips the whole update of accessed and dirty, not only the flush; never merged',
		base: null,
		on: ['tried-skip-update'],
		off: [],
		touches: ['handle_pte_fault'],
	},
	{
		name: 'swap-under-vma-lock-rfc',
		doc: '6.4 with swap faults handled under the per-VMA lock and the caller always releasing it; under discussion in April 2023, never merged',
		base: '6.4',
		on: [],
		off: ['swap-bails-out'],
		touches: ['do_swap_page', '__folio_lock_or_retry', 'do_user_addr_fault'],
	},
];

export function policyOf(name: string): Policy | undefined {
	return POLICIES.find((p) => p.name === name);
}
