import { type CancellationToken, ErrorCodes, ResponseError } from 'vscode-languageserver/node';
import { comparisonTitle } from '../formats/comparison.ts';
import type { Compared } from '../session/comparisons.ts';
import { reviewSettings } from '../session/configuration.ts';
import { defaultKernel, type RunScenarioArgument } from '../session/protocol.ts';
import type { ReviewedDocument } from '../session/reviewed-document.ts';
import type { Session } from '../session/session.ts';
import type { Task } from '../session/worker-pool.ts';
import { answerOf } from './answer.ts';
import { shown } from './shown.ts';

/** The title of an offer: what is compared, and once that has run what came of it. A client that cannot be told to ask again waits. */
export async function offerTitle(session: Session, document: ReviewedDocument, compared: Compared, token: CancellationToken): Promise<string> {
	const { scenario, policy } = compared;
	const known = session.comparisons.known(document, compared);
	if (known !== undefined) return `${scenario}: ${known.line}`;
	const title = comparisonTitle(scenario, policy);
	if (session.client.refreshesLenses) return title;
	return await answerOf(session.comparisons.run(document, compared, false), token).then(
		({ line }) => `${scenario}: ${line}`,
		() => title,
	);
}

/** The scenario under mainline, the policy and its what-if variants, with a schedule of each violation. */
export async function comparePolicies(session: Session, { uri, scenario, policy }: RunScenarioArgument, token: CancellationToken): Promise<string> {
	const document = uri === undefined ? undefined : session.documents.get(uri);
	if (uri !== undefined && document === undefined) throw new ResponseError(ErrorCodes.InvalidParams, 'this document is not open; open it and try again');
	const { catalogue } = session;
	if (scenario === undefined || !catalogue.scenarios().some(({ name }) => name === scenario))
		throw new ResponseError(ErrorCodes.InvalidParams, scenario === undefined ? 'no scenario was named' : `there is no scenario ${scenario}`);
	if (policy === undefined || !catalogue.policies().some(({ name }) => name === policy))
		throw new ResponseError(ErrorCodes.InvalidParams, policy === undefined ? 'no policy was named' : `there is no policy ${policy}`);
	const { text } = await answerOf(
		document === undefined ? alone(session, scenario, policy) : session.comparisons.run(document, { scenario, policy }, true),
		token,
	);
	return shown(session, text, `${scenario} ${policy}`);
}

/** Without a document there is no version that it speaks of. */
function alone(session: Session, scenario: string, policy: string): Task<'compare'> {
	const job = { kind: 'compare', scenario, policy, kernel: defaultKernel, settings: reviewSettings(session.configuration()), texts: session.texts() } as const;
	return session.pool.run(job, { urgent: true });
}
