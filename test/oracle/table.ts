import type { Row } from './figures.ts';

const line = (title: string, figure: string, real: string, simulated: string, verdict: string): string =>
	[title.padEnd(46), figure.padEnd(28), real.padStart(10), simulated.padStart(10), ` ${verdict}`].join(' ');

export const HEAD = line('workload', 'figure', 'real', 'simulated', 'verdict');

/** Lines of the table: workload, figure, real count, simulated count, verdict. Ends without a line feed. */
export function tableOf(title: string, rows: readonly Row[]): string {
	return rows
		.map(({ figure, real, simulated, verdict }) => line(title, figure, typeof real === 'number' ? String(real) : real.join('/'), String(simulated), verdict))
		.join('\n');
}
