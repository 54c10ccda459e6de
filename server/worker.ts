import { parentPort } from 'node:worker_threads';
import type { Placement, RunRequest, RunResult, Simulator } from '../simulator/index.ts';
import { comparisonLine, formatComparison } from './formats/comparison.ts';
import { formatEvidence } from './formats/evidence.ts';
import { formatReply } from './formats/reply.ts';
import { formatRunsTable } from './formats/runs.ts';
import type { Timeline } from './formats/steps.ts';
import { timelineOf } from './formats/timeline.ts';
import { type Trial, tryScenario } from './formats/trial.ts';
import { parseDocument } from './patch/read.ts';
import type { ParsedDocument, Patch } from './patch/types.ts';
import { prepare } from './prepare.ts';
import { isGone } from './review/check.ts';
import { compare, comparedWith } from './review/compare.ts';
import { type Evidence, evidenceOf } from './review/evidence.ts';
import { evidenceInFile, inFile, linesInFile } from './review/in-file.ts';
import { architecturesFor, kernelFor, MAINLINE } from './review/plan.ts';
import type { ReportDocument, RunReport } from './review/report.ts';
import { reviewDocument } from './review/review.ts';
import { reportedRun } from './review/runs.ts';
import type {
	CheckJob,
	CompareJob,
	EvidenceJob,
	ExplorationPart,
	ExploreJob,
	JobMessage,
	JobReply,
	JobResults,
	LineRuns,
	ReviewJob,
	ScenarioJob,
	TestJob,
	TimelineJob,
} from './session/jobs.ts';
import { outlineOf, slim } from './session/outline.ts';
import { loadSimulator } from './simulator-host.ts';

/** Milliseconds between two reports of progress. They also tell the watchdog that the thread is alive. */
const reportInterval = 100;
/** Milliseconds between two pieces of a result: what it takes to rebuild one. */
const partInterval = 5;

parentPort?.on('message', (message: JobMessage) => {
	void answer(message).then((reply) => parentPort?.postMessage(reply));
});

async function answer({ id, job, cancelled }: JobMessage): Promise<JobReply> {
	const flag = new Int32Array(cancelled);
	const turn: Turn = {
		isCancelled: () => Atomics.load(flag, 0) !== 0,
		report: (done, total) => parentPort?.postMessage({ id, kind: 'progress', done, total } satisfies JobReply),
	};
	try {
		if (job.kind === 'parse') {
			const { frame, parts } = outlineOf(parseDocument(job.source, job.text, job.kernel === '' ? {} : { kernel: job.kernel }));
			for (const value of parts) {
				parentPort?.postMessage({ id, kind: 'part', value } satisfies JobReply);
				// What arrives together is taken in together: the other side needs a turn between.
				await new Promise((resolve) => setTimeout(resolve, partInterval));
			}
			return { id, kind: 'result', value: frame };
		}
		const simulator = await loadSimulator();
		if (job.kind === 'load') return { id, kind: 'result', value: null };
		simulator.define(job.texts);
		const value =
			job.kind === 'review'
				? await review(job, simulator, turn)
				: job.kind === 'evidence'
					? await evidence(job, simulator, turn)
					: job.kind === 'check'
						? await check(job, simulator, turn)
						: job.kind === 'timeline'
							? await timeline(job, simulator, turn)
							: job.kind === 'test'
								? test(job, simulator, turn)
								: job.kind === 'compare'
									? comparison(job, simulator, turn)
									: job.kind === 'explore'
										? explorations(job, simulator, turn, (value) => parentPort?.postMessage({ id, kind: 'part', value } satisfies JobReply))
										: scenarios(job, simulator, turn);
		return value === null ? { id, kind: 'cancelled' } : { id, kind: 'result', value };
	} catch (error) {
		return { id, kind: 'failed', message: error instanceof Error ? error.message : String(error) };
	}
}

interface Turn {
	isCancelled(): boolean;
	report(done: number, total: number): void;
}

/** An archive may take its time: the thread tells that it is alive as long as it gets its turns. */
async function prepared(job: Parameters<typeof prepare>[0], simulator: Simulator, turn: Turn): Promise<ParsedDocument> {
	const alive = setInterval(() => turn.report(0, 0), reportInterval);
	try {
		return await prepare(job, simulator);
	} finally {
		clearInterval(alive);
	}
}

/** Null when it was cancelled. */
async function review(job: ReviewJob, simulator: Simulator, turn: Turn): Promise<JobResults['review'] | null> {
	const executed = new Map<number, LineRuns>();
	const codeLines = new Set<number>();
	const watched: Simulator = {
		...simulator,
		run: (request) => counted(executed, request, simulator.run(request)),
		place: (change, kernel) => placed(codeLines, simulator.place(change, kernel)),
	};
	const parsed = await prepared(job, simulator, turn);
	const steps = reviewDocument(parsed, watched, job.settings);
	let reported = performance.now();
	for (;;) {
		if (turn.isCancelled()) return null;
		const step = steps.next();
		if (step.done === true)
			return job.file === undefined ? { document: slim(step.value), executed, codeLines } : outcomeInFile(parsed, step.value, executed, codeLines);
		if (performance.now() - reported < reportInterval) continue;
		reported = performance.now();
		turn.report(step.value.done, step.value.total);
	}
}

/** Results on the diff of a file, with the lines of the file. */
function outcomeInFile(
	{ patches }: ParsedDocument,
	document: ReportDocument,
	executed: ReadonlyMap<number, LineRuns>,
	codeLines: ReadonlySet<number>,
): JobResults['review'] {
	const lines = new Map(patches.flatMap((patch) => [...linesInFile(patch)]));
	return {
		document: { ...document, patches: document.patches.map((report, i) => inFile(report, patches[i] as Patch)), problems: [] },
		executed: new Map([...executed].flatMap(([line, runs]) => (lines.has(line) ? [[lines.get(line) as number, runs] as const] : []))),
		codeLines: new Set([...codeLines].flatMap((line) => lines.get(line) ?? [])),
	};
}

async function evidence(job: EvidenceJob, simulator: Simulator, turn: Turn): Promise<string> {
	const { made, patch } = await evidenceAgain(job, simulator, turn);
	return job.form === 'reply' ? formatReply([made], patch?.hunks ?? []) : formatEvidence(made, job.found.number);
}

async function timeline(job: TimelineJob, simulator: Simulator, turn: Turn): Promise<Timeline> {
	const { made, patch } = await evidenceAgain(job, simulator, turn);
	return timelineOf(job.file === undefined || patch === undefined ? made : evidenceInFile(made, patch), job.found.number);
}

/** The evidence of a finding, and its patch. */
async function evidenceAgain(
	job: EvidenceJob | TimelineJob,
	simulator: Simulator,
	turn: Turn,
): Promise<{ readonly made: Evidence; readonly patch: Patch | undefined }> {
	const { found, report, settings } = job;
	const parsed = await prepared(job, simulator, turn);
	const made = evidenceOf(parsed, found.patch, report, found.finding, simulator, settings);
	if (made === null) throw new Error('the run of this finding cannot be made again');
	return { made, patch: parsed.patches[found.patch] };
}

function placed(codeLines: Set<number>, placement: Placement): Placement {
	for (const line of [...placement.codeLines.before, ...placement.codeLines.after]) codeLines.add(line);
	return placement;
}

/** Null when it was cancelled. */
async function check(job: CheckJob, simulator: Simulator, turn: Turn): Promise<boolean | null> {
	const { found, report, settings } = job;
	const steps = isGone(await prepared(job, simulator, turn), found.patch, report, found.finding, simulator, settings);
	for (;;) {
		if (turn.isCancelled()) return null;
		const step = steps.next();
		if (step.done === true) return step.value;
		turn.report(step.value.done, step.value.total);
	}
}

/** Null when it was cancelled. */
function explorations({ wanted, next }: ExploreJob, simulator: Simulator, turn: Turn, give: (part: ExplorationPart) => void): number | null {
	const at = new Int32Array(next);
	for (let done = 0; ; done++) {
		if (turn.isCancelled()) return null;
		const index = Atomics.add(at, 0, 1);
		const exploration = wanted[index];
		if (exploration === undefined) return done;
		const { request, tree } = exploration;
		simulator.attach(tree === null ? null : { ...tree, read: (path) => tree.files.get(path) });
		give({ index, result: simulator.run(request) });
		turn.report(done + 1, wanted.length);
	}
}

function counted(executed: Map<number, LineRuns>, { scenario, arch }: RunRequest, result: RunResult): RunResult {
	for (const [line, times] of result.executed) {
		if (times === 0) continue;
		const known = executed.get(line);
		const most = known === undefined || times > known.times ? { times, scenario, arch } : known;
		executed.set(line, { ...most, runs: (known?.runs ?? 0) + 1 });
	}
	return result;
}

/** Null when it was cancelled. */
function scenarios({ scenarios: names, kernel: wanted, settings }: ScenarioJob, simulator: Simulator, turn: Turn): string | null {
	const policy = settings.policy ?? MAINLINE;
	const kernel = kernelFor(simulator, policy, wanted, settings);
	const chosen = simulator.scenarios().filter(({ name }) => names.includes(name));
	const requests = chosen.flatMap(({ name, variants }) =>
		(variants.length > 0 ? variants : ['']).flatMap((variant) =>
			architecturesFor(simulator, kernel, settings.arch).run.map((arch) => ({ scenario: name, variant, arch, kernel, policy, stack: [] })),
		),
	);
	const runs: RunReport['runs'][number][] = [];
	const notes = new Set<string>();
	let done = 0;
	for (const { stack, ...request } of requests) {
		if (turn.isCancelled()) return null;
		const said = reportedRun(simulator, { ...request, stack });
		if (said !== null) runs.push(said.run);
		for (const { rule, message } of said?.notes ?? []) notes.add(`note: ${rule}: ${message}\n`);
		turn.report(++done, requests.length);
	}
	return formatRunsTable({ schema: 1, runs }, { colour: false }) + [...notes].join('');
}

/** Null when it was cancelled. */
function comparison({ scenario, policy, kernel, settings }: CompareJob, simulator: Simulator, turn: Turn): JobResults['compare'] | null {
	const info = simulator.scenarios().find(({ name }) => name === scenario);
	if (info === undefined) throw new Error(`there is no scenario ${scenario}`);
	const steps = compare(simulator, info, comparedWith(policy, simulator.policies()), settings, kernel);
	for (;;) {
		if (turn.isCancelled()) return null;
		const step = steps.next();
		if (step.done === true) return { line: comparisonLine(step.value), text: formatComparison(step.value) };
		turn.report(step.value.done, step.value.total);
	}
}

/** Null when it was cancelled. */
function test({ scenario, policy, against, kernel, settings }: TestJob, simulator: Simulator, turn: Turn): Trial[] | null {
	const info = simulator.scenarios().find(({ name }) => name === scenario);
	if (info === undefined) throw new Error(`there is no scenario ${scenario}`);
	const steps = tryScenario(simulator, info, policy, against, settings, kernel);
	for (;;) {
		if (turn.isCancelled()) return null;
		const step = steps.next();
		if (step.done === true) return step.value;
		turn.report(step.value.done, step.value.total);
	}
}
