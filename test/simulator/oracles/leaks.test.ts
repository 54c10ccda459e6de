import { describe } from 'vitest';
import { mm_struct } from '../../../simulator/abi/structs.ts';
import { each, type RuleCase } from './cases.ts';

const TOUCH = `map a anon 1 rw

CPU0                CPU1
store a = 5       | load a -> any
`;

const TOGETHER = `file f 1 disk
map s f 1 r shared

CPU0                CPU1
load s            | load s
`;

const SWAP = `map a anon 1 rw

CPU0                CPU1
store a = 5
madvise a PAGEOUT
load a -> 5
`;

const CASES: readonly RuleCase[] = [
	['leaks.folio', 'a reference is not dropped', { program: TOUCH, damage: (d) => d.skip('put_page') }],
	['leaks.table', 'a table that came too late is not freed', { program: TOGETHER, damage: (d) => d.skip('pte_free') }],
	['leaks.swapcache', 'the use of a slot is not dropped', { program: SWAP, damage: (d) => d.skip('swap_free') }],
	[
		'leaks.rss',
		'what is unmapped is not counted',
		{
			program: TOUCH,
			damage: ({ k, replace }) =>
				replace('add_mm_counter', (mm, _member, value) => (value as number) > 0 && k.mem.add64((mm as number) + mm_struct.anon_rss, value as number)),
		},
	],
];

describe('leaks', () => each(CASES));
