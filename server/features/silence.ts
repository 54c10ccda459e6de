import { ErrorCodes, ResponseError } from 'vscode-languageserver/node';
import { ruleInfo } from '../review/rules.ts';
import type { RunScenarioArgument } from '../session/protocol.ts';
import type { Session } from '../session/session.ts';
import { shown } from './shown.ts';

/** The setting that silences a rule, with what is set already. No server can write settings: VS Code's side does, elsewhere the user. */
export function silenceRule(session: Session, { rule }: RunScenarioArgument): string {
	if (rule === undefined || ruleInfo(rule) === undefined)
		throw new ResponseError(ErrorCodes.InvalidParams, rule === undefined ? 'no rule was named' : `there is no rule ${rule}`);
	return shown(session, `"faultline.severities": ${JSON.stringify({ ...session.configuration().severities, [rule]: 'off' })}`);
}
