import type { Simulator } from '../../simulator/index.ts';
import { formatJson } from '../formats/json.ts';
import { parseDocument } from '../patch/read.ts';
import type { ParsedDocument } from '../patch/types.ts';
import type { Report, ReportDocument } from '../review/report.ts';
import { reviewDocument } from '../review/review.ts';
import { DEFAULT_SETTINGS, type ReviewSettings } from '../review/settings.ts';
import { withVersions } from '../review/versions.ts';
import { type Sources, withSources } from '../sources/attach.ts';
import { VERSION } from '../version.ts';
import type { Arguments } from './arguments.ts';
import { isGit, readGit } from './git-input.ts';
import { CLEAN, FOUND, type Host, UNUSABLE, UsageError } from './host.ts';
import { openSimulator } from './open-simulator.ts';
import { progressBar } from './progress.ts';
import { jobsOption, type Threads, threadsOf } from './threads.ts';
import { archOption, exploreOption, kernelOption, namesOption, oneOf, seedOption } from './values.ts';

const FORMATS = ['text', 'table', 'json', 'sarif', 'reply'] as const;
type Format = (typeof FORMATS)[number];

/** Reviews the files in order and prints one report. A file that cannot be read does not keep the others from it. */
export async function reviewCommand(args: Arguments, host: Host): Promise<number> {
	const format = oneOf(args, 'format', FORMATS, 'text');
	const failOn = oneOf(args, 'fail-on', ['error', 'warning', 'never'], 'error');
	const kernel = kernelOption(args);
	const search = { explore: exploreOption(args, DEFAULT_SETTINGS.explore), seed: seedOption(args) };
	const jobs = jobsOption(args);
	const explain = explainOption(args, format);
	const fromGit = isGit(args);
	const piped = !fromGit && args.operands.length === 0 ? await pipedInput(host) : null;
	const { sim, texts, broken } = await openSimulator(host);
	const settings = { ...settingsOf(args, sim, kernel), ...search };
	const sources = await sourcesOf(args, fromGit, host);
	const threads = threadsOf(host, jobs, texts);

	const documents: ReportDocument[] = [];
	const parsed: ParsedDocument[] = [];
	let unreadable = false;
	const take = async (read: ParsedDocument): Promise<void> => {
		const document = await withSources(read, sources, sim.treePaths);
		parsed.push(document);
		documents.push(await reviewOne(document, sim, settings, host, threads));
	};
	try {
		if (fromGit) {
			const read = await readGit(args, sources, settings);
			if (read === null) host.err('no changes to review\n');
			else await take(read);
		}
		for (const path of fromGit ? [] : piped === null ? args.operands : ['-']) {
			const bytes = piped ?? (await readOperand(path, host));
			if (bytes === null) unreadable = true;
			else await take(parseDocument(path, bytes, settings.kernel === undefined ? {} : { kernel: settings.kernel }));
		}
	} finally {
		await Promise.all([sources.close(), threads.close()]);
	}
	const report: Report = { schema: 1, faultline: VERSION, documents: withVersions(documents) };
	if (explain !== null && documents.length > 0) host.out((await import('./evidence.ts')).explained(parsed, report, explain, sim, settings, format === 'reply'));
	else if (documents.length > 0 && (format === 'sarif' || format === 'reply'))
		host.out((await import('./with-evidence.ts')).withEvidence(format, parsed, report, sim, settings));
	else if (documents.length > 0) host.out(await formatted(report, format, host));
	if (unreadable || broken) return UNUSABLE;
	return failOn !== 'never' && hasFinding(report, failOn) ? FOUND : CLEAN;
}

async function reviewOne(document: ParsedDocument, sim: Simulator, settings: ReviewSettings, host: Host, threads: Threads): Promise<ReportDocument> {
	const progress = progressBar(host);
	const review = (on: Simulator): ReportDocument => {
		const steps = reviewDocument(document, on, settings);
		for (;;) {
			const step = steps.next();
			if (step.done === true) return step.value;
			progress.show(step.value);
		}
	};
	const report = await threads.explored(sim, review, progress);
	progress.end();
	return report;
}

/** Where whole functions come from: the tree that the command line names, else the system's archive of the patch's version. */
async function sourcesOf(args: Arguments, fromGit: boolean, host: Host): Promise<Sources> {
	const tree = args.options.get('tree')?.[0] ?? (fromGit ? '.' : null);
	const none = args.options.has('no-tree');
	if (tree !== null && none) throw new UsageError(`${fromGit ? '--git' : '--tree'} and --no-tree exclude each other`);
	try {
		return await host.sources({ tree, none });
	} catch (error) {
		throw new UsageError(`${args.options.has('tree') ? '--tree' : '--git'}: ${error instanceof Error ? error.message : String(error)}`);
	}
}

function settingsOf(args: Arguments, sim: Simulator, kernel: string | undefined): ReviewSettings {
	const policies = namesOption(
		args,
		'policy',
		sim.policies().map(({ name }) => name),
	);
	if (policies !== null && policies.length > 1) throw new UsageError('review takes one --policy; run compares two');
	return {
		...DEFAULT_SETTINGS,
		...(kernel === undefined ? {} : { kernel }),
		arch: archOption(args, sim),
		policy: policies?.[0] ?? null,
		scenarios: namesOption(
			args,
			'scenario',
			sim.scenarios().map(({ name }) => name),
		),
	};
}

/** Standard input when no file is named. An empty pipe is no patch either: usage, not silence. */
async function pipedInput(host: Host): Promise<Uint8Array> {
	const bytes = await host.input();
	if (bytes === null || bytes.length === 0) throw new UsageError('review: no FILE and nothing on standard input; try --help');
	return bytes;
}

async function readOperand(path: string, host: Host): Promise<Uint8Array | null> {
	try {
		return path === '-' ? ((await host.input()) ?? new Uint8Array()) : await host.read(path);
	} catch (error) {
		host.err(`${path}: ${reasonOf(error)}\n`);
		return null;
	}
}

const REASONS: ReadonlyMap<string, string> = new Map([
	['ENOENT', 'no such file'],
	['EISDIR', 'is a directory'],
	['EACCES', 'permission denied'],
	['ENOTDIR', 'a part of the path is not a directory'],
	['ENAMETOOLONG', 'name too long'],
]);

function reasonOf(error: unknown): string {
	const code = error instanceof Error && 'code' in error ? String(error.code) : '';
	return REASONS.get(code) ?? (error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : 'cannot be read');
}

function explainOption(args: Arguments, format: Format): string | null {
	const given = args.options.get('explain')?.[0];
	if (given === undefined) return null;
	if (format !== 'text' && format !== 'reply') throw new UsageError(`--explain prints text, not ${format}`);
	return given;
}

async function formatted(report: Report, format: Format, host: Host): Promise<string> {
	const options = { colour: host.outIsTerminal && !host.noColour };
	if (format === 'text') return (await import('../formats/text.ts')).formatText(report, { ...options, numbered: true });
	if (format === 'table') return (await import('../formats/table.ts')).formatTable(report, options);
	return formatJson(report);
}

function hasFinding(report: Report, failOn: 'error' | 'warning'): boolean {
	const findings = report.documents.flatMap(({ patches }) => patches.flatMap((patch) => patch.findings));
	return findings.some(({ severity }) => severity === 'error' || (failOn === 'warning' && severity === 'warning'));
}
