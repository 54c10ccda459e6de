import type { Trace, TraceStep } from '../../simulator/index.ts';
import type { Hunk } from '../patch/types.ts';
import type { Evidence } from '../review/evidence.ts';
import { lineAfter } from '../review/places.ts';
import { marked } from '../review/trace-diff.ts';
import { briefSchedule } from './brief.ts';
import { compareCounts, type Row, scenarioName } from './numbers.ts';
import { plain } from './paint.ts';
import { chooseSteps, scheduleLines } from './schedule.ts';
import { rowLines } from './table.ts';
import { WIDTH, wrap } from './wrap.ts';

/** Lines of a hunk that are quoted above the line that a question is about, and figures that are shown at most. */
const QUOTED = 12;
const MOST_FIGURES = 6;
/** Lines of a schedule of one CPU at most. */
const MOST_STEPS = 18;

/** What a reviewer asks, by rule; everything else is asked for by its message. */
const QUESTIONS: ReadonlyMap<string, string> = new Map([
	['folio-leak', 'Who drops the reference of the folio on this path?'],
	['table-leak', 'Who frees the page table on this path?'],
	['swapcache-leak', 'Who drops the reference of the swap cache on this path?'],
	['rss-drift', 'Are the rss counters still balanced on this path?'],
	['stale-translation', 'What flushes the old translation before it can be used again?'],
	['freed-access', 'Can this be freed by then?'],
	['lock-freed', 'Can the memory that holds this lock be freed by then?'],
	['lock-imbalance', 'Is the lock released exactly once on every path from here?'],
	['deadlock', 'Can these locks be taken in a circle?'],
	['no-progress', 'What makes sure that this comes to an end?'],
	['data-leak', 'Can somebody see data here that is not theirs?'],
	['access-lost', 'Is the accessed bit meant to get lost here?'],
	['dirty-lost', 'What keeps the dirty bit here?'],
	['lock-io', 'Is it intended that the lock is held across the I/O?'],
	['tlb-flush', 'Are the additional TLB flushes intended?'],
	['extra-fault', 'Is the additional fault intended?'],
	['lock-wait', 'Is the longer wait for the lock intended?'],
]);

/**
 * A mail body about the findings of one patch, the worst first: each hunk quoted once down to the lines in question, below it the questions,
 * and the figures and the schedule of the worst. Own text is 78 columns wide; quoted lines are left as they are. `hunks` are the patch's.
 */
export function formatReply(found: readonly Evidence[], hunks: readonly Hunk[]): string {
	const lines: string[] = [];
	let file = '';
	for (const group of byHunk(found, hunks)) {
		const { hunk, own } = group;
		if (lines.length > 0) lines.push('');
		if (hunk !== undefined) {
			if (hunk.file !== file) lines.push(`> --- a/${plain(hunk.file)}`, `> +++ b/${plain(hunk.file)}`);
			file = hunk.file;
			lines.push(...quoted(hunk, Math.max(...own.map(({ finding }) => Math.min(finding.endLine, finding.line + QUOTED)))), '');
		}
		const [worst, ...others] = own.map((one) => ({ ...one, before: inTheKernel(one.before, hunks), after: inTheKernel(one.after, hunks) }));
		if (worst !== undefined) lines.push(...comment(worst));
		for (const { finding } of others) lines.push('', ...paragraph(`${questionOf(finding)}${plain(finding.message)}`));
	}
	return `${lines.join('\n')}\n`;
}

/** In the order of the patch. */
function byHunk(found: readonly Evidence[], hunks: readonly Hunk[]): { readonly hunk: Hunk | undefined; readonly own: Evidence[] }[] {
	const groups = new Map<Hunk | undefined, Evidence[]>();
	for (const evidence of found) {
		const { line } = evidence.finding;
		const hunk = hunks.find((one) => line >= one.line && line <= one.endLine);
		groups.set(hunk, [...(groups.get(hunk) ?? []), evidence]);
	}
	return [...groups].map(([hunk, own]) => ({ hunk, own })).sort((a, b) => (a.hunk?.line ?? 0) - (b.hunk?.line ?? 0));
}

function paragraph(text: string): string[] {
	return wrap(
		text.replace(/(?<=^|\? )[a-z](?!\w*[-.])/g, (letter) => letter.toUpperCase()),
		'',
		WIDTH,
	).map((line) => line.trim());
}

/** What is asked about a change for the worse, with a space behind it. */
function questionOf({ rule, before, after }: Evidence['finding']): string {
	const question = after > before ? QUESTIONS.get(rule) : undefined;
	return question === undefined ? '' : `${question} `;
}

/** The hunk down to the lines that the finding is about. */
function quoted({ lines, oldStart, newStart, context }: Hunk, until: number): string[] {
	const count = (sign: '-' | '+'): number => lines.filter(({ kind }) => kind !== sign).length;
	const place =
		oldStart === 0 && newStart === 0 ? [] : [`> @@ -${oldStart},${count('+')} +${newStart},${count('-')} @@${context === '' ? '' : ` ${plain(context)}`}`];
	const shown = lines.filter((own) => own.line <= until);
	const cut = shown.length > QUOTED ? ['> [...]'] : [];
	return [...place, ...cut, ...shown.slice(-QUOTED).map(({ kind, text }) => `> ${kind}${codeText(text)}`.trimEnd())];
}

/** Tabs are what kernel code is indented with; no other control character of a stranger is passed on. */
function codeText(text: string): string {
	return text.split('\t').map(plain).join('\t');
}

/** A trace with the kernel's lines in the place of the document's, which nobody has who reads the mail. */
function inTheKernel(trace: Trace, hunks: readonly Hunk[]): Trace {
	const place = (line: number): string | null => {
		const hunk = hunks.find((one) => line >= one.line && line <= one.endLine);
		return hunk === undefined || hunk.newStart === 0 || hunk.cuts !== undefined ? null : `${hunk.file}:${lineAfter(hunk, line)}`;
	};
	const named = (object: string): string =>
		object
			.replace(/ by lines .*$/, '')
			.replace(/,? (?:taken )?at :(\d+)/g, (said, line: string) => said.replace(`:${line}`, place(Number(line)) ?? 'a line of the patch'));
	const steps = trace.steps.map(
		(step): TraceStep => ({ ...step, line: null, tree: step.line === null ? step.tree : place(step.line), object: named(step.object) }),
	);
	return { ...trace, steps };
}

function comment(evidence: Evidence): string[] {
	const { finding, run, doc } = evidence;
	const others = finding.arch.length < 2 ? '' : `; the same on ${finding.arch.slice(1).join(', ')}`;
	const where = `In a simulated ${run.kernel}${run.policy === 'mainline' ? '' : ` with ${run.policy}`} on ${run.arch}${others}`;
	const figures = figuresOf(evidence);
	return [
		...paragraph(`${questionOf(finding)}${plain(finding.message)}`),
		'',
		...paragraph(`${where}; ${scenarioName(run)} is ${doc.replace(/[.\s]+$/, '')}.`),
		...(figures.length === 0 ? [] : ['', ...rowLines(figures)]),
		'',
		...scheduleOf(evidence),
	];
}

/** The figures of the run that differ: that of the finding first, modelled cycles last. */
function figuresOf({ finding, run }: Evidence): readonly Row[] {
	const { changed } = compareCounts(run.before, run.after);
	const rank = ({ metric }: Row): number => (metric === finding.metric ? 0 : metric === 'time.cycles' ? 2 : 1);
	return changed.toSorted((a, b) => rank(a) - rank(b)).slice(0, MOST_FIGURES);
}

/** Where several CPUs take part, a line for each step of the programs; of one CPU, what it does that it did not do before. */
function scheduleOf(evidence: Evidence): string[] {
	const { finding, run, before, after } = evidence;
	const side = finding.after > finding.before || finding.metric !== '' ? 'after' : 'before';
	const trace = side === 'after' ? after : before;
	const other = run.violations[side === 'after' ? 'before' : 'after'];
	const fresh = run.violations[side].filter(({ message }) => !other.some((one) => one.message === message));
	const cpus = new Set(trace.calls.map(({ cpu }) => cpu));
	if (cpus.size > 1)
		return briefSchedule(trace, finding.metric === '' ? fresh.filter(({ message }) => finding.message.includes(message.replace(/[.\s]+$/, ''))) : fresh);
	const sides = marked(before.steps, after.steps);
	const chosen = chooseSteps(sides, finding.metric);
	const steps = sides[side];
	const telling = chosen[side].filter((i) => steps[i]?.differs === true || steps[i]?.step.tree !== null);
	const harm = telling.filter((i) => steps[i]?.step.what === 'harm').slice(0, 1);
	const shown = [...new Set([...telling.slice(0, MOST_STEPS - harm.length), ...harm])].sort((a, b) => a - b);
	return ['What it does (+ marks what it did not do before):', '', ...scheduleLines(side, steps, trace, shown).slice(2)];
}
