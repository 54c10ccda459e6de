import type { Timeline, TimelineSide, TimelineStep } from '../../server/session/results-protocol.ts';

export interface Schedule {
	readonly text: string;
	/** Line of each step, 1-based. */
	readonly lines: readonly number[];
}

/** Columns are this wide at most; a longer text goes beyond. */
const WIDEST = 64;

/** The steps of one side as text, a line each and a column for each CPU, for what stands on no line of the patch. */
export function scheduleOf({ number, rule, message, about, program }: Timeline, side: 'before' | 'after', { steps, cpus, gap }: TimelineSide): Schedule {
	const widths = cpus.map(({ cpu }) => Math.min(WIDEST, Math.max(12, ...steps.filter((step) => step.cpu === cpu).map(({ text }) => text.length + 2))));
	const columns = (texts: readonly string[]): string => texts.map((text, i) => text.padEnd(widths[i] ?? 0)).join(' | ');
	const only = (cpu: number, text: string): string => columns(cpus.map((one) => (one.cpu === cpu ? text : '')));
	const digits = String(steps.length).length;
	const margin = (parts: { readonly step?: string; readonly mark?: string; readonly line?: string }): string =>
		`${(parts.step ?? '').padStart(digits)} ${parts.mark ?? ' '} ${(parts.line ?? '').padEnd(6)} `;
	const out = [
		`#${number} ${rule}, ${side} the patch: ${message}`,
		...[about, ''],
		...(program.length === 0 ? [] : [...program.map((line) => `    ${line}`.trimEnd()), '']),
		`${margin({})}${columns(cpus.map(({ cpu, tasks }) => `CPU${cpu} ${tasks}`.trimEnd()))}`.trimEnd(),
	];
	/** Function that each CPU was in last. */
	const places = new Map<number, string>();
	const lines = steps.map((step, i) => {
		if (gap?.at === i) out.push(`${margin({})}... ${gap.steps} steps left out ...`);
		const where = whereOf(step);
		if (places.get(step.cpu) !== where) out.push(`${margin({})}${only(step.cpu, `${where}:`)}`.trimEnd());
		places.set(step.cpu, where);
		const mark = step.differs ? (side === 'before' ? '-' : '+') : ' ';
		const line = step.line === null ? '' : `:${step.line}`;
		return out.push(`${margin({ step: String(i + 1), mark, line })}${only(step.cpu, `  ${step.text}`)}`.trimEnd());
	});
	return { text: `${out.join('\n')}\n`, lines };
}

function whereOf({ task, place }: TimelineStep): string {
	if (task === '') return 'after the run';
	return place === '' ? 'user space' : place;
}
