import { LUF_POLICIES } from './luf.ts';
import type { Policy } from './policy.ts';
import { SPF_POLICIES } from './spf.ts';
import { LOCK_POLICIES } from './swap-locks.ts';

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
	...LOCK_POLICIES,
	...LUF_POLICIES,
	{
		name: 'old-prefault',
		doc: 'pages that a fault maps beside its own are old where the architecture wants that, as from 5.12 on',
		base: '5.11',
		on: ['old-prefault'],
		off: [],
		touches: ['do_set_pte', 'do_fault_around', 'filemap_map_pages'],
	},
	...SPF_POLICIES,
];

export function policyOf(name: string): Policy | undefined {
	return POLICIES.find((p) => p.name === name);
}
