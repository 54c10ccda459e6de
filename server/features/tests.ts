import { type CancellationToken, ErrorCodes, ResponseError } from 'vscode-languageserver/node';
import { plain } from '../formats/paint.ts';
import { trialsOfReport } from '../formats/trial.ts';
import { numbered } from '../review/numbered.ts';
import type { ReviewSettings } from '../review/settings.ts';
import { reviewSettings } from '../session/configuration.ts';
import { defaultKernel } from '../session/protocol.ts';
import { type CatalogueAnswer, readTestParams, requests, type TestAnswer, type TestParams } from '../session/results-protocol.ts';
import type { ReviewedDocument } from '../session/reviewed-document.ts';
import { subjectOf } from '../session/reviews.ts';
import type { Feature, Session } from '../session/session.ts';
import { answerOf } from './answer.ts';
import { coveredLines } from './results.ts';

/** Scenarios as tests: what there is, and one of them run, on its own, under a policy, or with the patches of a document. */
export const tests: Feature = {
	capabilities: () => ({}),
	register(session) {
		const { connection } = session;
		connection.onRequest(requests.catalogue, (): CatalogueAnswer => catalogueOf(session));
		connection.onRequest(requests.test, async (given: unknown, token: CancellationToken): Promise<TestAnswer> => {
			const params = readTestParams(given);
			if (params === null || !session.catalogue.scenarios().some(({ name }) => name === params.scenario))
				throw new ResponseError(ErrorCodes.InvalidParams, params === null ? 'no scenario was named' : `there is no scenario ${params.scenario}`);
			const { architectures, uri } = params;
			const settings = { ...reviewSettings(session.configuration()), ...(architectures.length === 0 ? {} : { arch: architectures }) };
			if (uri === undefined) return await runAlone(session, params, settings, token);
			const document = session.documents.get(uri);
			if (document === undefined) throw new ResponseError(ErrorCodes.InvalidParams, 'this document is not open, or it is no patch; open it and try again');
			return await runWith(session, document, params, settings, token);
		});
		return {};
	},
};

function catalogueOf({ catalogue }: Session): CatalogueAnswer {
	const scenarios = catalogue.scenarios().map(({ name, family, doc }) => ({ name, family, doc }));
	const known = new Set(scenarios.map(({ name }) => name));
	const architectures = catalogue.architectures(newest).present;
	return {
		scenarios,
		policies: catalogue.policies().map(({ name, doc, scenarios: shown }) => ({ name, doc, scenarios: shown.filter((one) => known.has(one)) })),
		architectures: architectures.map(({ name, doc }) => ({ name, doc })),
		kernels,
	};
}

/** Every release of Linux that is modelled, newest first. */
const kernels: readonly string[] = [...Array.from({ length: 20 }, (_, i) => `6.${19 - i}`), ...Array.from({ length: 15 }, (_, i) => `5.${19 - i}`)];
const newest = kernels[0] as string;

async function runAlone(session: Session, { scenario, policy }: TestParams, settings: ReviewSettings, token: CancellationToken): Promise<TestAnswer> {
	const own = policy ?? settings.policy ?? 'mainline';
	const job = { kind: 'test', scenario, policy: own, against: policy === undefined || policy === 'mainline' ? null : 'mainline' } as const;
	const task = session.pool.run({ ...job, kernel: defaultKernel, settings, texts: session.texts() }, { urgent: true });
	return { trials: await answerOf(task, token), lines: [] };
}

async function runWith(
	session: Session,
	document: ReviewedDocument,
	{ scenario, policy }: TestParams,
	settings: ReviewSettings,
	token: CancellationToken,
): Promise<TestAnswer> {
	const wanted = { ...settings, scenarios: [scenario], ...(policy === undefined ? {} : { policy }) };
	const job = { kind: 'review', ...subjectOf(document), settings: wanted, texts: session.texts(), sources: session.sources() } as const;
	const outcome = await answerOf(session.pool.run(job, { urgent: true }), token);
	const trials = trialsOfReport(outcome.document, scenario, session.catalogue.metrics());
	// The order of steps is made for one of those that fail alike: it takes a run of its own.
	const worst = numbered([outcome.document]).find(({ finding }) => trials.some(({ message }) => message === plain(finding.message)));
	const report = outcome.document.patches[worst?.patch ?? -1];
	const schedule =
		worst === undefined || report === undefined
			? ''
			: await answerOf(session.pool.run({ ...job, kind: 'evidence', found: worst, report }, { urgent: true }), token);
	const nothing = { outcome: 'skipped', message: 'the patch changes nothing that it runs', expected: '', actual: '', schedule: '', line: null } as const;
	const silent = settings.arch?.filter((arch) => !trials.some((trial) => trial.arch === arch)) ?? (trials.length === 0 ? [''] : []);
	const shown = trials.map((trial) => (trial.outcome === 'failed' && trial.message === plain(worst?.finding.message ?? '') ? { ...trial, schedule } : trial));
	return { trials: [...shown, ...silent.map((arch) => ({ arch, ...nothing }))], lines: coveredLines(outcome, (line) => line) };
}
