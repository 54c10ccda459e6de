/**
 * What the language server offers beyond the protocol, and what VS Code's side of it needs to know.
 * Plain names and data: the client imports this file and nothing else of the server.
 */

/** Commands of workspace/executeCommand. Their answer is text (or, for the list, data), in every editor. */
export const serverCommands = {
	/** Takes `RunScenarioArgument`; answers with plain text. */
	runScenario: 'faultline.server.runScenario',
	/** Takes `RunScenarioArgument` with a finding of an open document; answers with plain text: the program and the schedule behind a finding. */
	showEvidence: 'faultline.server.showEvidence',
	/** Takes `RunScenarioArgument` with an open document, a scenario and a policy; answers with plain text: the policy against mainline. */
	comparePolicies: 'faultline.server.comparePolicies',
	/** Takes `RunScenarioArgument` with a finding of an open document; answers with plain text: a mail body that quotes the hunk, asks, and shows figures and schedule. */
	reviewReply: 'faultline.server.reviewReply',
	/**
	 * Takes `RunScenarioArgument` with a hunk or a finding of an open document and an architecture (`*`: all), a policy, or both; answers with
	 * plain text: the review of the hunk under them. With neither, the user is asked which, where the client can ask.
	 */
	rerun: 'faultline.server.rerun',
	/** Takes `RunScenarioArgument` with a patch of an open document; answers with plain text: what came and what went since the version before it. */
	compareVersions: 'faultline.server.compareVersions',
	/** Takes `RunScenarioArgument` with a rule; answers with plain text: the setting that silences it, as JSON. VS Code's side writes it. */
	silenceRule: 'faultline.server.silenceRule',
	/** Takes nothing; answers with `ScenarioItem[]`. */
	listScenarios: 'faultline.server.listScenarios',
} as const;

/** Commands that VS Code's side has by itself. */
export const clientCommands = {
	/** Takes `RunScenarioArgument` with a finding of an open document. */
	replayFinding: 'faultline.replayFinding',
} as const;

/** Kernel of a run that no document and no setting gives one. */
export const defaultKernel = '6.12';

export const notifications = {
	/** Client to server, `ReviewParams`: review this open document whatever its language. */
	review: 'faultline/review',
	/** Server to client, `StatusParams`; only sent to a client whose initialization options ask for it with `status: true`. */
	status: 'faultline/status',
} as const;

export const requests = {
	/** Client to server, `ContentParams`: the text behind a `faultline-trace:` URI, for a client without workspace/textDocumentContent; answers with `ContentResult` or null. */
	content: 'faultline/content',
} as const;

/** Scheme of documents that only the server knows: the trace behind a finding and the report of a document. */
export const contentScheme = 'faultline-trace';

export interface ContentParams {
	readonly uri: string;
}

export interface ContentResult {
	readonly text: string;
}

export interface ReviewParams {
	readonly uri: string;
}

export interface StatusParams {
	/** `over-budget`: a run was ended before its end. `failed`: there is no result. */
	readonly state: 'ready' | 'busy' | 'over-budget' | 'failed';
	/** What is being reviewed, or what went wrong last; empty when there is nothing to say. */
	readonly detail: string;
	/** Of the document that was reviewed last: its kernel version and architectures; absent while nothing was. */
	readonly uri?: string;
	readonly kernel?: string;
	readonly architectures?: readonly string[];
}

/** Either a hunk or a finding of an open document, or a kernel symbol, or a scenario, with a policy to compare mainline with. */
export interface RunScenarioArgument {
	readonly uri?: string;
	/** Hunk id in the report of the document. */
	readonly hunk?: number;
	/** Every scenario that exercises this symbol. */
	readonly symbol?: string;
	readonly scenario?: string;
	readonly policy?: string;
	/** Number of a finding of the document, from 1. */
	readonly finding?: number;
	/** Name of an architecture, `arm64@6.19` for one of a later kernel, or `*` for all. */
	readonly arch?: string;
	readonly rule?: string;
	/** Index of a patch in the document. */
	readonly patch?: number;
}

export interface ScenarioItem {
	readonly name: string;
	readonly family: string;
	readonly doc: string;
}

/** What a client handed back; it may be anything. */
export function readArgument(value: unknown): RunScenarioArgument | undefined {
	if (typeof value !== 'object' || value === null) return undefined;
	const { uri, hunk, symbol, scenario, policy, finding, arch, rule, patch } = value as Readonly<Record<keyof RunScenarioArgument, unknown>>;
	return {
		...(typeof uri === 'string' ? { uri } : {}),
		...(typeof hunk === 'number' ? { hunk } : {}),
		...(typeof symbol === 'string' ? { symbol } : {}),
		...(typeof scenario === 'string' ? { scenario } : {}),
		...(typeof policy === 'string' ? { policy } : {}),
		...(typeof finding === 'number' ? { finding } : {}),
		...(typeof arch === 'string' ? { arch } : {}),
		...(typeof rule === 'string' ? { rule } : {}),
		...(typeof patch === 'number' ? { patch } : {}),
	};
}
