/** Figures that were published for patches of the kinds this simulator runs, beside what it makes of them. docs/fidelity-cost.md says what is assumed. */
import type { CParser } from '../simulator/c/parser.ts';
import { printFaultAround } from './published-fault-around.ts';
import { printLuf } from './published-luf.ts';
import { printPageFault3 } from './published-page-fault3.ts';
import { printSwap } from './published-swap.ts';

export function published(parser: CParser, print: (line: string) => void): void {
	[printPageFault3, printLuf, printFaultAround, printSwap].forEach((figure, i) => {
		if (i > 0) print('');
		figure(parser, print);
	});
}
