import { describe } from 'vitest';
import { each, type RuleCase } from './cases.ts';
import type { Damage } from './kit.ts';

const UNMAP = `map a anon 2 rw

CPU0                CPU1
store a = 5       | load a -> any
munmap a[0+1]
`;

const DEVICE = `map a anon 1 rw

CPU0                CPU1
device-attach
store a = 5
device-load a
munmap a          | device-load a -> any
device-load a -> any
`;

const PROTECT = `map a anon 1 rw

CPU0                CPU1 child
device-attach
store a = 5
device-store a
fork child
device-store a
`;

function untold(d: Damage): void {
	d.skip('mmu_notifier_invalidate_range_start');
	d.skip('mmu_notifier_invalidate_range_end');
}

const CASES: readonly RuleCase[] = [
	['notifier.balance', 'an invalidation does not end', { program: UNMAP, damage: (d) => d.skip('mmu_notifier_invalidate_range_end') }],
	['notifier.balance', 'an invalidation does not begin', { program: UNMAP, damage: (d) => d.skip('mmu_notifier_invalidate_range_start') }],
	['notifier.told', 'a device is not told of munmap', { program: DEVICE, damage: untold }],
	['notifier.told', 'a device is not told of fork', { program: PROTECT, damage: untold }],
];

describe('the secondary MMU', () => each(CASES));
