import { type CancellationToken, ErrorCodes, LSPErrorCodes, ResponseError } from 'vscode-languageserver/node';
import { reviewSettings } from '../session/configuration.ts';
import { defaultKernel, type RunScenarioArgument, readArgument, type ScenarioItem, serverCommands } from '../session/protocol.ts';
import type { ReviewedDocument } from '../session/reviewed-document.ts';
import { nameOf } from '../session/reviews.ts';
import type { Feature, Session } from '../session/session.ts';
import { workOn } from './answer.ts';
import { scenariosOf } from './code-lens.ts';
import { comparePolicies } from './comparison.ts';
import { reviewReply, showEvidence } from './evidence.ts';
import { rerun, textOf } from './rerun.ts';
import { shown } from './shown.ts';
import { silenceRule } from './silence.ts';
import { compareVersions } from './versions.ts';

/** Runs scenarios on demand and answers with text, so that every editor can show it. */
export const executeCommand: Feature = {
	capabilities: () => ({ executeCommandProvider: { commands: Object.values(serverCommands) } }),
	register(session) {
		session.connection.onExecuteCommand(async ({ command, arguments: [argument] = [] }, token): Promise<string | ScenarioItem[]> => {
			if (command === serverCommands.listScenarios) return session.catalogue.scenarios().map(({ name, family, doc }) => ({ name, family, doc }));
			if (command === serverCommands.runScenario) return await runScenario(session, readArgument(argument) ?? {}, token);
			if (command === serverCommands.showEvidence) return await showEvidence(session, readArgument(argument) ?? {}, token);
			if (command === serverCommands.comparePolicies) return await comparePolicies(session, readArgument(argument) ?? {}, token);
			if (command === serverCommands.reviewReply) return await reviewReply(session, readArgument(argument) ?? {}, token);
			if (command === serverCommands.rerun) return await rerun(session, readArgument(argument) ?? {}, token);
			if (command === serverCommands.compareVersions) return await compareVersions(session, readArgument(argument) ?? {}, token);
			if (command === serverCommands.silenceRule) return silenceRule(session, readArgument(argument) ?? {});
			throw new ResponseError(ErrorCodes.InvalidParams, `there is no command ${command}`);
		});
		return {};
	},
};

async function runScenario(session: Session, argument: RunScenarioArgument, token: CancellationToken): Promise<string> {
	const { uri, hunk, symbol, scenario } = argument;
	if (uri !== undefined && hunk !== undefined) {
		const document = session.documents.get(uri);
		if (document === undefined) throw new ResponseError(ErrorCodes.InvalidParams, 'this document is not open; open it and try again');
		return shown(session, await hunkText(session, document, hunk, token), `${nameOf(uri)} hunk ${hunk}`);
	}
	const known = new Set(session.catalogue.scenarios().map(({ name }) => name));
	const scenarios = scenario !== undefined ? [scenario].filter((name) => known.has(name)) : scenariosOf(session, symbol === undefined ? [] : [symbol]);
	if (scenarios.length === 0) {
		const what =
			scenario !== undefined ? `there is no scenario ${scenario}` : symbol !== undefined ? `no scenario exercises ${symbol}` : 'no scenario was named';
		throw new ResponseError(ErrorCodes.InvalidParams, what);
	}
	const document = uri === undefined ? undefined : session.documents.get(uri);
	const kernel = (document && session.parsed(document)?.patches[0]?.kernel) ?? defaultKernel;
	return shown(session, await scenarioText(session, scenarios, kernel, token), symbol ?? scenarios.join(' '));
}

/** What the review found out about one hunk; the review is waited for. */
async function hunkText(session: Session, document: ReviewedDocument, hunk: number, token: CancellationToken): Promise<string> {
	if (!(await session.settled(document, token))) throw new ResponseError(LSPErrorCodes.RequestCancelled, 'the review was overtaken by an edit');
	if (document.review === undefined || document.review.version !== document.version) return `Not simulated: ${document.failure ?? 'there is no result'}.\n`;
	return textOf(document.review.document, hunk);
}

async function scenarioText(session: Session, scenarios: readonly string[], kernel: string, token: CancellationToken): Promise<string> {
	const settings = reviewSettings(session.configuration());
	return await workOn(session, { kind: 'scenario', scenarios, kernel, settings, texts: session.texts() }, scenarios.join(', '), token);
}
