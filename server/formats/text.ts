import { numbered } from '../review/numbered.ts';
import type { Finding, FormerFinding, Note, Report, ReportDocument, ReportPatch, ReportRun, Severity, Since } from '../review/report.ts';
import { otherOrder, runOf } from '../review/shown.ts';
import { extentOf, noDifference, ranText } from '../review/summary.ts';
import { sinceText } from '../review/versions.ts';
import { orderText } from './explored.ts';
import { waitChain } from './numbers.ts';
import { type Paint, paint, plain, type TextOptions } from './paint.ts';

const COLOURS: Readonly<Record<Severity, Paint>> = { error: 'red', warning: 'yellow', information: 'green' };
const FROM = { option: 'from the option', text: 'from the text', names: 'from the names used', date: 'from the date' } as const;

interface Options extends TextOptions {
	readonly numbers: ReadonlyMap<Finding, number> | null;
	/** The document is no file: places are those of the kernel. */
	readonly generated: boolean;
}

/** The compact form: a head for each patch, one line for each finding in the form compilers use, then the notes. */
export function formatText(report: Report, options: TextOptions): string {
	const numbers = options.numbered === true ? new Map(numbered(report.documents).map(({ finding, number }) => [finding, number])) : null;
	return report.documents
		.map((document) => documentText(document, { ...options, numbers, generated: document.generated === true }))
		.filter((text) => text !== '')
		.join('\n');
}

function documentText(document: ReportDocument, options: Options): string {
	const source = plain(document.source);
	const problems = document.problems.map(({ line, message }) => `${source}:${line}: problem: ${plain(message)}\n`);
	// Mails that only talk are part of the report, not of its compact form.
	const shown = document.patches.filter(({ hunks }) => hunks.length > 0);
	const patches = shown.map((patch) => patchText(patch, source, options));
	const nothing = shown.length === 0 ? `${source}: no patch found\n` : '';
	return nothing + problems.join('') + patches.join('\n');
}

function patchText(patch: ReportPatch, source: string, options: Options): string {
	const extent = extentOf([patch]);
	const kernel = `kernel ${patch.kernel}, ${FROM[patch.kernelFrom]}`;
	const lines = [
		`${source}: ${paint(plain(patch.subject) || '(no subject)', 'bold', options)}`,
		`  ${kernel}; ${extent.scenarios === 0 ? 'nothing was run' : ranText(extent)}`,
		...patch.findings.flatMap((finding) => findingLines(finding, patch, source, options)),
	];
	if (patch.findings.length === 0 && extent.scenarios > 0) lines.push(`  ${noDifference([patch])}`);
	if (patch.since !== undefined) lines.push(`  ${sinceText(patch.since, patch.findings)}`, ...formerLines(patch.since, source));
	return `${[...lines, ...patch.notes.map((note) => noteLine(note, source, options))].join('\n')}\n`;
}

/** Each finding that is not there any more, where the earlier version had it. */
function formerLines({ version, gone, unknown }: Since, own: string): string[] {
	const line = (state: string, { rule, message, line: at, source }: FormerFinding): string =>
		`    ${state}: v${version}, ${source === undefined ? own : plain(source)}:${at}: ${rule}: ${plain(message)}`;
	return [...gone.map((finding) => line('gone', finding)), ...unknown.map((finding) => line('not known', finding))];
}

function findingLines(finding: Finding, patch: ReportPatch, source: string, options: Options): string[] {
	const severity = paint(finding.severity, COLOURS[finding.severity], options);
	const head = `${placeOf(finding, source, options)}: ${severity}: ${finding.rule}: ${plain(finding.message)} [${finding.arch.join(', ')}]`;
	const number = options.numbers?.get(finding);
	const run = runOf(finding, patch, ({ hunks }) => finding.hunks.some((id) => hunks.includes(id)));
	const order = run && otherOrder(finding, run);
	return [
		number === undefined ? head : `${head} #${number}`,
		...(run === undefined ? [] : waitLines(run)),
		...(order ? [`    ${orderText(order.violation, order.explored)}`] : []),
	];
}

function placeOf({ line, at }: Finding | Note, source: string, { generated }: Options): string {
	return generated && at !== undefined ? `${plain(at.file)}:${at.line}` : `${source}:${line}`;
}

/** Who waits for whom in the run of the finding, when that is part of the difference. */
function waitLines(run: ReportRun): string[] {
	const [before, after] = [waitChain(run.waits.before), waitChain(run.waits.after)];
	return before === after ? [] : [`    before: ${plain(before)}`, `    after:  ${plain(after)}`];
}

function noteLine(note: Note, source: string, options: Options): string {
	return paint(`${placeOf(note, source, options)}: note: ${note.rule}: ${plain(note.message)}`, 'dim', options);
}
