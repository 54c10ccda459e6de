import type { Trace, TraceStep } from '../../simulator/index.ts';
import type { Evidence } from '../review/evidence.ts';
import type { Finding, Report, ReportDocument, Severity } from '../review/report.ts';
import { rules } from '../review/rules.ts';
import { marked } from '../review/trace-diff.ts';
import { scenarioName } from './numbers.ts';
import { plain } from './paint.ts';
import { chooseSteps } from './schedule.ts';

const SCHEMA = 'https://json.schemastore.org/sarif-2.1.0.json';
const LEVELS: Readonly<Record<Severity, 'error' | 'warning' | 'note'>> = { error: 'error', warning: 'warning', information: 'note' };

/** Steps of one schedule at most. */
const MOST_STEPS = 60;

/**
 * SARIF 2.1.0: each finding a result on its lines, with the schedule behind it as a code flow, a thread flow for each CPU. `evidence` has the
 * schedules of those findings that were traced.
 */
export function formatSarif(report: Report, evidence: ReadonlyMap<Finding, Evidence>): string {
	const known = rules();
	const results = report.documents.flatMap((document) =>
		document.patches.flatMap(({ findings }) => findings.map((finding) => resultOf(document, finding, evidence.get(finding), known))),
	);
	const log = {
		$schema: SCHEMA,
		version: '2.1.0',
		runs: [
			{
				tool: {
					driver: {
						name: 'faultline',
						version: report.faultline,
						rules: known.map(({ id, doc, severity }) => ({
							id,
							shortDescription: { text: doc },
							defaultConfiguration: { level: severity === null ? 'note' : LEVELS[severity] },
						})),
					},
				},
				columnKind: 'utf16CodeUnits',
				invocations: [
					{
						executionSuccessful: true,
						toolExecutionNotifications: report.documents.flatMap((document) => [
							...document.problems.map(({ line, message }) => ({
								level: 'warning',
								message: { text: plain(message) },
								locations: [placeOf(document, line, line)],
							})),
							...document.patches.flatMap(({ notes }) =>
								notes.map(({ line, rule, message }) => ({
									level: 'note',
									message: { text: plain(message) },
									locations: [placeOf(document, line, line)],
									associatedRule: { id: rule, index: known.findIndex(({ id }) => id === rule) },
								})),
							),
						]),
					},
				],
				results,
			},
		],
	};
	return `${JSON.stringify(log, null, 2)}\n`;
}

function resultOf(document: ReportDocument, finding: Finding, evidence: Evidence | undefined, known: ReturnType<typeof rules>): object {
	const { rule, severity, line, endLine, message, arch, scenario, variant, policy, metric, before, after } = finding;
	return {
		ruleId: rule,
		ruleIndex: known.findIndex(({ id }) => id === rule),
		level: LEVELS[severity],
		kind: 'fail',
		message: { text: `${plain(message)} [${arch.join(', ')}]` },
		locations: [placeOf(document, line, endLine)],
		...(finding.at === undefined ? {} : { relatedLocations: [inKernel(finding.at.file, finding.at.line, finding.at.endLine, 0)] }),
		// The same difference of the same code is the same result, wherever its lines have moved to.
		partialFingerprints: { 'faultline/v1': [rule, scenarioName({ scenario, variant }), policy, metric, finding.at?.file ?? ''].join(' ') },
		properties: { scenario, variant, policy, architectures: arch, metric, before, after },
		...(evidence === undefined ? {} : { codeFlows: [flowOf(document, evidence)] }),
	};
}

function placeOf({ source }: ReportDocument, line: number, endLine: number): object {
	return { physicalLocation: { artifactLocation: { uri: uriOf(source) }, region: { startLine: Math.max(1, line), endLine: Math.max(1, line, endLine) } } };
}

function inKernel(file: string, line: number, endLine: number, id: number): object {
	const physicalLocation = { artifactLocation: { uri: uriOf(file) }, region: { startLine: line, endLine: Math.max(line, endLine) } };
	return { id, physicalLocation, message: { text: 'the line in the kernel after the patch' } };
}

/** A relative reference, as code scanning wants it: each part of the path escaped, nothing in front. */
function uriOf(source: string): string {
	const path = source === '-' ? 'stdin' : source.replace(/^\.?\/+/, '');
	return path.split('/').map(encodeURIComponent).join('/');
}

/** The schedule after the patch, or before it where only that one differs: what differs and what is around it. */
function flowOf(document: ReportDocument, { finding, before, after }: Evidence): object {
	const sides = marked(before.steps, after.steps);
	const side = finding.after > finding.before || finding.metric !== '' ? 'after' : 'before';
	const trace = side === 'after' ? after : before;
	const chosen = chooseSteps(sides, finding.metric)[side].slice(-MOST_STEPS);
	const steps = chosen.flatMap((i, order) => {
		const one = sides[side][i];
		return one === undefined ? [] : [{ order, ...one }];
	});
	const cpus = [...new Set(steps.map(({ step }) => step.cpu))].sort((a, b) => a - b);
	return {
		message: { text: trace.program.join('\n') },
		threadFlows: cpus.map((cpu) => ({
			id: `CPU${cpu}`,
			message: { text: namesOn(cpu, trace) },
			locations: steps
				.filter(({ step }) => step.cpu === cpu)
				.map(({ order, step, differs }) => ({
					executionOrder: order + 1,
					importance: step.what === 'harm' ? 'essential' : differs ? 'important' : 'unimportant',
					location: { ...stepPlace(document, step, finding), message: { text: stepText(step) } },
				})),
		})),
	};
}

/** What the kernel's own code does is said on the line of the finding: viewers show no step that has no line. */
function stepPlace(document: ReportDocument, { line, symbol }: TraceStep, finding: Finding): object {
	const logicalLocations = symbol === '' ? {} : { logicalLocations: [{ name: symbol, kind: 'function' }] };
	return { ...placeOf(document, line ?? finding.line, line ?? finding.line), ...logicalLocations };
}

function namesOn(cpu: number, { steps }: Trace): string {
	const names = [...new Set(steps.filter((step) => step.cpu === cpu && step.task !== '').map(({ task }) => task))];
	return plain(`CPU${cpu} ${names.join(', ')}`.trim());
}

function stepText({ what, object, before, after, symbol }: TraceStep): string {
	const change = before === '' ? (after === '' ? '' : ` ${after}`) : `: ${before} -> ${after}`;
	return plain(`${symbol === '' ? '' : `${symbol}: `}${what} ${object}${change}`);
}
