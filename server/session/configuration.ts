import { DEFAULT_SETTINGS, type ReviewSettings } from '../review/settings.ts';

/** Settings of the language server. Every name, type and default equals the manifest's; a test compares them. */
export interface Configuration {
	/** `MAJOR.MINOR`, or empty: inferred from the patch. */
	readonly kernel: string;
	/** Empty: every architecture that the kernel version has. */
	readonly architectures: readonly string[];
	readonly policy: string;
	/** Folder of a kernel tree, or a source archive, that hunks are applied to; empty: the workspace, or the system's archive. */
	readonly kernelTree: string;
	/** Whether the system's source archives (`/usr/src/linux-source-X.Y.tar.xz`) may be used. */
	readonly systemSources: boolean;
	/** Scheduling steps that may be taken to look at other orders of one scenario's tasks; 0: none is looked at. */
	readonly exploration: number;
	/** Severity of a change for the worse, by rule; `off` silences the rule, notes included. */
	readonly severities: Readonly<Record<string, SeveritySetting>>;
	/** Smallest relative change, in percent, that a cost rule reports, by rule. */
	readonly thresholds: Readonly<Record<string, number>>;
	/** What stands at line ends: nothing, the difference where there is a finding, or how often each changed line ran as well. */
	readonly inlayHints: InlayHintsSetting;
	readonly trace: {
		/** Read by VS Code's client; the server takes the level from the protocol. */
		readonly server: TraceSetting;
	};
}

export const severitySettings = ['error', 'warning', 'information', 'off'] as const;
export type SeveritySetting = (typeof severitySettings)[number];

export const inlayHintsSettings = ['off', 'small', 'all'] as const;
export type InlayHintsSetting = (typeof inlayHintsSettings)[number];

export const traceSettings = ['off', 'messages', 'verbose'] as const;
export type TraceSetting = (typeof traceSettings)[number];

export const defaultConfiguration: Configuration = {
	kernel: '',
	architectures: [],
	policy: 'mainline',
	kernelTree: '',
	systemSources: true,
	exploration: DEFAULT_SETTINGS.explore,
	severities: {},
	thresholds: {},
	inlayHints: 'small',
	trace: { server: 'off' },
};

/** Reads what a client sent. A value that does not fit keeps its default and is named in `problems`; nothing is thrown. */
export function readConfiguration(value: unknown): { readonly configuration: Configuration; readonly problems: readonly string[] } {
	const problems: string[] = [];
	const given = asRecord(value) ?? {};
	function take<T>(name: string, source: Readonly<Record<string, unknown>>, key: string, accept: (candidate: unknown) => candidate is T, fallback: T): T {
		const candidate = Object.hasOwn(source, key) ? source[key] : undefined;
		if (candidate === undefined || candidate === null) return fallback;
		if (accept(candidate)) return candidate;
		problems.push(`setting faultline.${name} is ignored: ${JSON.stringify(candidate)?.slice(0, 80)} is not ${expected[name]}`);
		return fallback;
	}
	const trace = asRecord(given.trace) ?? {};
	const configuration: Configuration = {
		kernel: take('kernel', given, 'kernel', isKernel, defaultConfiguration.kernel),
		architectures: take('architectures', given, 'architectures', isNames, defaultConfiguration.architectures),
		policy: take('policy', given, 'policy', isName, defaultConfiguration.policy),
		kernelTree: take('kernelTree', given, 'kernelTree', isPath, defaultConfiguration.kernelTree),
		systemSources: take('systemSources', given, 'systemSources', isBoolean, defaultConfiguration.systemSources),
		exploration: take('exploration', given, 'exploration', isSteps, defaultConfiguration.exploration),
		severities: take('severities', given, 'severities', isSeverities, defaultConfiguration.severities),
		thresholds: take('thresholds', given, 'thresholds', isThresholds, defaultConfiguration.thresholds),
		inlayHints: take('inlayHints', given, 'inlayHints', isInlayHints, defaultConfiguration.inlayHints),
		trace: { server: take('trace.server', trace, 'server', isTrace, defaultConfiguration.trace.server) },
	};
	return { configuration, problems };
}

/**
 * A race may take twice as many, and five times that to look for its harm before the patch: some seconds in which the worker says nothing,
 * and after ten it is given up.
 */
const MOST_STEPS = 30_000;

const expected: Readonly<Record<string, string>> = {
	kernel: 'a version such as "6.12"',
	architectures: 'a list of names such as ["arm64"]',
	policy: 'a name such as "mainline"',
	kernelTree: 'a path of a folder',
	systemSources: 'true or false',
	exploration: `a number of steps from 0 to ${MOST_STEPS}`,
	severities: `an object of rules with ${severitySettings.join(', ')}`,
	thresholds: 'an object of rules with percentages from 0',
	inlayHints: inlayHintsSettings.join(', '),
	'trace.server': traceSettings.join(', '),
};

function asRecord(value: unknown): Readonly<Record<string, unknown>> | undefined {
	return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : undefined;
}

function isKernel(value: unknown): value is string {
	return typeof value === 'string' && /^(?:\d{1,3}\.\d{1,3})?$/.test(value);
}

function isName(value: unknown): value is string {
	return typeof value === 'string' && /^[\w.@-]{1,64}$/.test(value);
}

function isPath(value: unknown): value is string {
	return typeof value === 'string' && value.length <= 4096 && !value.includes('\0');
}

function isBoolean(value: unknown): value is boolean {
	return typeof value === 'boolean';
}

function isSteps(value: unknown): value is number {
	return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MOST_STEPS;
}

function isNames(value: unknown): value is readonly string[] {
	return Array.isArray(value) && value.length <= 64 && value.every(isName);
}

function isSeverities(value: unknown): value is Readonly<Record<string, SeveritySetting>> {
	const record = asRecord(value);
	return record !== undefined && Object.values(record).every((entry) => severitySettings.some((setting) => setting === entry));
}

function isThresholds(value: unknown): value is Readonly<Record<string, number>> {
	const record = asRecord(value);
	return record !== undefined && Object.values(record).every((entry) => typeof entry === 'number' && entry >= 0 && Number.isFinite(entry));
}

function isInlayHints(value: unknown): value is InlayHintsSetting {
	return inlayHintsSettings.some((setting) => setting === value);
}

function isTrace(value: unknown): value is TraceSetting {
	return traceSettings.some((setting) => setting === value);
}

/** The settings of a review that the configuration stands for. */
export function reviewSettings(configuration: Configuration): ReviewSettings {
	return {
		...DEFAULT_SETTINGS,
		...(configuration.kernel === '' ? {} : { kernel: configuration.kernel }),
		arch: configuration.architectures.length === 0 ? null : configuration.architectures,
		// The default policy is left open, so that a patch which mainline never reaches is reviewed under one that does.
		policy: configuration.policy === defaultConfiguration.policy ? null : configuration.policy,
		explore: configuration.exploration,
		severities: configuration.severities,
		thresholds: configuration.thresholds,
	};
}
