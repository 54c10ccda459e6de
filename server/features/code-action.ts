import {
	type CodeAction,
	type CodeActionContext,
	CodeActionKind,
	CodeActionTriggerKind,
	type Command,
	type Range,
	type TextEdit,
	type WorkspaceEdit,
} from 'vscode-languageserver/node';
import { clientCommands, type RunScenarioArgument, serverCommands } from '../session/protocol.ts';
import type { ReviewedDocument } from '../session/reviewed-document.ts';
import type { Feature, Session } from '../session/session.ts';
import { checkedResults, textEdits } from './checked-result.ts';
import { type ShownFinding, shownFindings } from './findings.ts';
import { hunkAt } from './names.ts';
import { choicesFor } from './rerun.ts';

/** Findings of one place that get actions, and policies and architectures that have an action of their own. */
const maxFindings = 3;
const maxChoices = 3;

/** What can be done about a finding: check the result that was ignored, see the evidence, ask the author, try elsewhere, silence the rule. */
export const codeAction: Feature = {
	capabilities: () => ({ codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix], resolveProvider: false } }),
	register(session) {
		const { connection, client, documents } = session;
		const checks = checkedResults(session);
		connection.onCodeAction(async ({ textDocument, range, context }, token) => {
			const document = documents.get(textDocument.uri);
			if (document === undefined || !isWanted(context)) return [];
			const here = shownFindings(document).filter(({ line, endLine }) => line - 1 <= range.end.line && endLine - 1 >= range.start.line);
			const actions: CodeAction[] = [];
			for (const shown of here.slice(0, maxFindings)) {
				if (client.codeActions) {
					// An editor that asks with each move of the cursor gets at once what is known.
					const check = await checks.offer(document, shown, context.triggerKind !== CodeActionTriggerKind.Automatic, token);
					const title = `Check the result of ${check?.name}()`;
					const known = actions.some((action) => action.title === title);
					if (check !== null && !known) actions.push(fix(session, document, shown, title, textEdits(document, check.edits), context));
				}
				actions.push(...aboutFinding(document, shown, context, client.status));
			}
			actions.push(...again(session, document, range, here[0]));
			return client.codeActions ? actions : actions.flatMap(({ command }): Command[] => (command === undefined ? [] : [command]));
		});
		return {
			parsed: checks.forget,
			settled: checks.forget,
			closed: checks.forget,
		};
	},
};

function isWanted({ only }: CodeActionContext): boolean {
	return only === undefined || only.some((kind) => kind === CodeActionKind.Empty || kind === CodeActionKind.QuickFix);
}

function fix(session: Session, document: ReviewedDocument, shown: ShownFinding, title: string, edits: TextEdit[], context: CodeActionContext): CodeAction {
	const { uri, version } = document;
	const edit: WorkspaceEdit = session.client.versionedEdits ? { documentChanges: [{ textDocument: { uri, version }, edits }] } : { changes: { [uri]: edits } };
	return { title, kind: CodeActionKind.QuickFix, isPreferred: true, edit, ...answers(shown, context) };
}

/** `replays`: the client is VS Code's side, which has a debugger for it. */
function aboutFinding(document: ReviewedDocument, shown: ShownFinding, context: CodeActionContext, replays: boolean): CodeAction[] {
	const { number, finding } = shown;
	const argument: RunScenarioArgument = { uri: document.uri, finding: number };
	const action = (title: string, command: string, given: RunScenarioArgument): CodeAction => ({
		...{ title, kind: CodeActionKind.QuickFix, command: { title, command, arguments: [given] } },
		...answers(shown, context),
	});
	return [
		action(`Show evidence of #${number} ${finding.rule}`, serverCommands.showEvidence, argument),
		...(replays ? [action(`Replay #${number} ${finding.rule} in the debugger`, clientCommands.replayFinding, argument)] : []),
		action(`Copy review reply about #${number} ${finding.rule}`, serverCommands.reviewReply, argument),
		action(`Silence the rule ${finding.rule}`, serverCommands.silenceRule, { ...argument, rule: finding.rule }),
	];
}

/** Other policies and architectures, on a finding and on the header of a hunk. */
function again(session: Session, document: ReviewedDocument, range: Range, shown: ShownFinding | undefined): CodeAction[] {
	const patches = session.parsed(document)?.patches ?? [];
	const line = range.start.line + 1;
	const hunk = shown?.finding.hunks[0] ?? patches.flatMap((patch) => hunkAt(patch, line) ?? []).find((one) => one.line === line)?.id;
	if (hunk === undefined || document.file !== null) return [];
	const choices = choicesFor(session, document, hunk);
	const own = choices.slice(0, maxChoices).map(({ title, choice }) => action(`Run with ${title}`, { uri: document.uri, hunk, ...choice }));
	const rest = choices.length > maxChoices ? [action('Run with another policy or architecture...', { uri: document.uri, hunk })] : [];
	return [...own, ...rest];
}

function action(title: string, argument: RunScenarioArgument): CodeAction {
	return { title, kind: CodeActionKind.QuickFix, command: { title, command: serverCommands.rerun, arguments: [argument] } };
}

/** The diagnostics of the request that are the finding's. */
function answers({ finding, line }: ShownFinding, { diagnostics }: CodeActionContext): Pick<CodeAction, 'diagnostics'> {
	const own = diagnostics.filter(({ code, range }) => code === finding.rule && range.start.line === line - 1);
	return own.length === 0 ? {} : { diagnostics: own };
}
