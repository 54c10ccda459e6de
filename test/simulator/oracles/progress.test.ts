import { describe } from 'vitest';
import { VM_FAULT_RETRY } from '../../../simulator/abi/flags.ts';
import { each, type RuleCase } from './cases.ts';

const TOUCH = `map a anon 1 rw

CPU0                CPU1
store a -> any    | load a -> any
`;

const CASES: readonly RuleCase[] = [
	['progress.fault', 'a fault changes nothing', { program: TOUCH, damage: (d) => d.skip('handle_pte_fault') }],
	[
		'progress.fault',
		'a fault always wants to be retried',
		{
			program: TOUCH,
			version: '5.8',
			damage: ({ k, replace }) => replace('handle_pte_fault', () => k.whole(() => k.mmap_read_unlock(k.current.mm)) ?? VM_FAULT_RETRY),
		},
	],
];

describe('progress', () => each(CASES));
