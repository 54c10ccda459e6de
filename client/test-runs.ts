import * as vscode from 'vscode';
import { type CoverageAnswer, type ReportAnswer, requests, type TestAnswer, type TestParams, type Trial } from '../server/session/results-protocol.ts';
import { activePatch } from './patches.ts';
import type { ServerProcess } from './server-process.ts';
import type { Scenarios, Target } from './test-explorer.ts';
import { messageOf } from './titles.ts';

type Lines = CoverageAnswer['lines'];

/** One request to the server, and the items that its answer is about. */
interface Batch {
	readonly params: TestParams;
	/** By architecture; the empty name for an item that stands for all of them. */
	readonly items: ReadonlyMap<string, vscode.TestItem>;
}

/** Run a scenario, compare policies, run with the open patch, and show which changed lines of that ran. */
export function runProfiles(scenarios: Scenarios, server: ServerProcess): void {
	const { controller } = scenarios;
	const { Run, Coverage } = vscode.TestRunProfileKind;
	const details = new WeakMap<vscode.FileCoverage, vscode.StatementCoverage[]>();

	controller.createRunProfile('Run', Run, (request, token) => start(request, token, {}), true);
	controller.createRunProfile('Run with the Open Patch', Run, (request, token) => withPatch(request, token, false));
	controller.createRunProfile('Compare Policies', Run, async (request, token) => {
		const policy = await pickPolicy(scenarios);
		if (policy !== undefined) await start(request, token, { policy });
	});
	const coverage = controller.createRunProfile('Changed Lines of the Open Patch', Coverage, (request, token) => withPatch(request, token, true), true);
	coverage.loadDetailedCoverage = async (_run, file) => details.get(file) ?? [];

	async function withPatch(request: vscode.TestRunRequest, token: vscode.CancellationToken, covers: boolean): Promise<void> {
		const document = activePatch();
		if (document === undefined) {
			void vscode.window.showInformationMessage('Open the patch to run with first.');
			return;
		}
		await start(request, token, { document, covers });
	}

	async function start(request: vscode.TestRunRequest, token: vscode.CancellationToken, how: How): Promise<void> {
		const run = controller.createTestRun(request, how.document === undefined ? undefined : `with ${nameOf(how.document.uri)}`);
		const aborted = vscode.Disposable.from(run.token.onCancellationRequested(() => run.end()));
		try {
			const items = await itemsFor(request, how);
			const batches = batchesOf(items, scenarios, how);
			for (const { items: wanted } of batches) for (const item of wanted.values()) run.enqueued(item);
			const lines = new Map<number, number>();
			for (const batch of batches) {
				if (token.isCancellationRequested) break;
				for (const [line, times] of await runBatch(run, batch, how, token)) lines.set(line, Math.max(times, lines.get(line) ?? 0));
			}
			if (how.covers && how.document !== undefined) addCoverage(run, how.document, [...lines]);
		} catch (error) {
			run.appendOutput(`${messageOf(error)}\r\n`);
		} finally {
			aborted.dispose();
			run.end();
		}
	}

	/** Without a selection: with a patch, what its review runs; else everything. */
	async function itemsFor({ include, exclude }: vscode.TestRunRequest, { document }: How): Promise<readonly vscode.TestItem[]> {
		if (controller.items.size === 0) await scenarios.load();
		const out = new Set(exclude ?? []);
		const all: vscode.TestItem[] = [];
		if (include !== undefined) all.push(...include);
		else if (document === undefined) controller.items.forEach((item) => void all.push(item));
		else {
			const report = await server.request<ReportAnswer>(requests.report, { uri: document.uri.toString() });
			const names = new Set(report.matrix?.patches.flatMap(({ rows }) => rows.map(({ scenario }) => scenario)) ?? []);
			all.push(...[...names].flatMap((name) => scenarios.scenarioItem(name) ?? []));
		}
		return all.flatMap((item) => scenarios.leavesOf(item)).filter((item) => !out.has(item) && (item.parent === undefined || !out.has(item.parent)));
	}

	async function runBatch(run: vscode.TestRun, { params, items }: Batch, { document }: How, token: vscode.CancellationToken): Promise<Lines> {
		for (const item of items.values()) run.started(item);
		const began = performance.now();
		try {
			const { trials, lines } = await server.request<TestAnswer>(requests.test, params, token);
			const each = (performance.now() - began) / Math.max(1, items.size);
			for (const [arch, item] of items) tell(run, item, arch === '' ? trials : trials.filter((trial) => trial.arch === arch), each, document);
			return lines;
		} catch (error) {
			for (const item of items.values()) {
				if (token.isCancellationRequested) run.skipped(item);
				else run.errored(item, new vscode.TestMessage(messageOf(error)));
			}
			return [];
		}
	}

	function addCoverage(run: vscode.TestRun, document: vscode.TextDocument, lines: Lines): void {
		const statements = lines
			.filter(([line]) => line >= 1 && line <= document.lineCount)
			.map(([line, times]) => new vscode.StatementCoverage(times, document.lineAt(line - 1).range));
		const ran = statements.filter(({ executed }) => executed !== 0).length;
		const file = new vscode.FileCoverage(document.uri, new vscode.TestCoverageCount(ran, statements.length));
		details.set(file, statements);
		run.addCoverage(file);
	}
}

interface How {
	/** To compare with mainline; items below a policy have their own. */
	readonly policy?: string;
	readonly document?: vscode.TextDocument;
	readonly covers?: boolean;
}

/** Architectures of a scenario are run together. */
function batchesOf(items: readonly vscode.TestItem[], scenarios: Scenarios, { policy, document }: How): Batch[] {
	const groups = new Map<string, { readonly target: Target; readonly items: Map<string, vscode.TestItem> }>();
	for (const item of items) {
		const target = scenarios.targetOf(item);
		if (target === undefined) continue;
		const key = JSON.stringify([target.scenario, target.policy]);
		const group = groups.get(key) ?? { target, items: new Map() };
		groups.set(key, group);
		group.items.set(target.arch ?? '', item);
	}
	return [...groups.values()].map(({ target, items: own }) => {
		const chosen = target.policy ?? policy;
		const architectures = [...own.keys()].filter((arch) => arch !== '');
		return {
			params: {
				...{ scenario: target.scenario, architectures },
				...(chosen === undefined ? {} : { policy: chosen }),
				...(document === undefined ? {} : { uri: document.uri.toString() }),
			},
			items: own,
		};
	});
}

function tell(run: vscode.TestRun, item: vscode.TestItem, trials: readonly Trial[], milliseconds: number, document: vscode.TextDocument | undefined): void {
	const failed = trials.filter(({ outcome }) => outcome === 'failed');
	for (const { arch, message } of trials) {
		if (message !== '')
			run.appendOutput(
				`${[arch, message]
					.filter((part) => part !== '')
					.join(': ')
					.replaceAll('\n', '\r\n  ')}\r\n`,
				undefined,
				item,
			);
	}
	const one = new Set(failed.map(({ schedule }) => schedule));
	for (const schedule of one) if (schedule !== '') run.appendOutput(`\r\n${schedule.replaceAll('\n', '\r\n')}\r\n`, undefined, item);
	if (failed.length > 0)
		run.failed(
			item,
			failed.flatMap((trial) => messagesOf(trial, document)),
			milliseconds,
		);
	else if (trials.some(({ outcome }) => outcome === 'passed')) run.passed(item, milliseconds);
	else run.skipped(item);
}

/** What differs, then the steps that lead to it. */
function messagesOf({ arch, message, expected, actual, schedule, line }: Trial, document: vscode.TextDocument | undefined): vscode.TestMessage[] {
	const difference = vscode.TestMessage.diff(`${arch}: ${message}`, expected, actual);
	// Not Markdown: in a message, a block of code loses the spaces that columns stand by.
	const steps = new vscode.TestMessage(schedule);
	const messages = schedule === '' ? [difference] : [difference, steps];
	if (document !== undefined && line !== null && line <= document.lineCount)
		for (const one of messages) one.location = new vscode.Location(document.uri, document.lineAt(line - 1).range);
	return messages;
}

async function pickPolicy(scenarios: Scenarios): Promise<string | undefined> {
	if (scenarios.policies().length === 0) await scenarios.load();
	const items = scenarios.policies().flatMap(({ name, doc }) => (name === 'mainline' ? [] : [{ label: name, detail: doc }]));
	return (await vscode.window.showQuickPick(items, { title: 'Policy to compare with mainline', matchOnDetail: true }))?.label;
}

function nameOf({ path }: vscode.Uri): string {
	return path.slice(path.lastIndexOf('/') + 1);
}
