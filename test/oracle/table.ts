import type { Row } from './figures.ts';

/** Lines of the table: workload, figure, real count, simulated count, verdict. Ends without a line feed. */
export function tableOf(title: string, rows: readonly Row[]): string {
	return rows
		.map(({ figure, real, simulated, verdict }) => {
			const counted = typeof real === 'number' ? String(real) : real.join('/');
			return [title.padEnd(36), figure.padEnd(28), counted.padStart(10), String(simulated).padStart(10), ` ${verdict}`].join(' ');
		})
		.join('\n');
}
