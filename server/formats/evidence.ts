import type { Evidence } from '../review/evidence.ts';
import { otherOrder } from '../review/shown.ts';
import { marked } from '../review/trace-diff.ts';
import { orderText } from './explored.ts';
import { compareCounts, scenarioName } from './numbers.ts';
import { plain } from './paint.ts';
import { chooseSteps, scheduleLines } from './schedule.ts';
import { rowLines } from './table.ts';
import { WIDTH, wrap } from './wrap.ts';

/** The evidence of a finding as plain text that can be pasted in a mail. */
export function formatEvidence(evidence: Evidence, number: number): string {
	const { finding, run, doc, before, after } = evidence;
	const source = baseName(evidence.source);
	const sides = marked(before.steps, after.steps);
	const changed = compareCounts(run.before, run.after).changed;
	const fresh = [...new Set(run.violations.after.map(({ message }) => message))].filter((said) => !run.violations.before.some((v) => v.message === said));
	const program = after.program.length > 0 ? after.program : before.program;
	const order = otherOrder(finding, run);
	const metric = finding.metric === '' ? metricOf(finding.rule) : finding.metric;
	const chosen = chooseSteps(sides, metric);
	const used = new Set((['before', 'after'] as const).flatMap((side) => chosen[side].map((i) => sides[side][i]?.step.line)));
	const lines = [...evidence.lines].filter(([line]) => used.has(line) || (line >= finding.line && line <= finding.endLine)).sort(([a], [b]) => a - b);
	return [
		`#${number} ${finding.severity}: ${finding.rule}: ${source}:${finding.line}`,
		...wrap(plain(finding.message), ''),
		'',
		...wrap(`Scenario ${scenarioName(run)}: ${doc}.`, ''),
		...wrap(`On ${run.arch}, kernel ${run.kernel}${run.policy === 'mainline' ? '' : `, policy ${run.policy}`}${others(finding.arch)}.`, ''),
		...(order === null ? [] : wrap(`${upperFirst(orderText(order.violation, order.explored))}.`, '')),
		...evidence.causes.flatMap(({ line, effect }) => wrap(`Without the hunk at ${source}:${line}: ${EFFECTS[effect]}.`, '  ')),
		'',
		...(changed.length === 0 ? ['  no count differs'] : rowLines(changed)),
		...fresh.flatMap((said) => wrap(`new: ${plain(said)}`, '  ')),
		'',
		'The program:',
		'',
		...program.flatMap((line) => (line === '' ? [''] : wrap(line, '    '))),
		'',
		...scheduleLines('before', sides.before, before, chosen.before),
		'',
		...scheduleLines('after', sides.after, after, chosen.after),
		...(lines.length === 0
			? []
			: ['', 'Lines of the patch:', '', ...lines.map(([line, text]) => cut(`  ${source}:${line}: ${plain(text.replace(/\t/g, '  '))}`))]),
		'',
	].join('\n');
}

const EFFECTS = {
	gone: 'the difference is gone',
	less: 'a part of the difference is left',
	same: 'nothing changes about the difference',
	unknown: 'the rest of the patch does not run',
} as const;

/** A violation has no metric; those of locks are about locks, the others about translations or pages. */
function metricOf(rule: string): string {
	return /^(lock|deadlock)/.test(rule) ? 'lock' : rule.startsWith('stale') ? 'tlb' : '';
}

function others(arch: readonly string[]): string {
	return arch.length < 2 ? '' : `; the same figures on ${arch.slice(1).join(', ')}`;
}

function upperFirst(text: string): string {
	return text.charAt(0).toUpperCase() + text.slice(1);
}

function baseName(source: string): string {
	return plain(source.slice(source.lastIndexOf('/') + 1));
}

function cut(text: string): string {
	return text.length <= WIDTH ? text : `${text.slice(0, WIDTH - 3)}...`;
}
