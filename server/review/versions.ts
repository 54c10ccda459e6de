import { topicOf } from '../mail/headers.ts';
import type { Finding, FormerFinding, ReportDocument, ReportPatch, Since } from './report.ts';

/**
 * Says of each patch that is a later version of another one what came and what went since the latest version before it. A finding
 * that is not there any more is gone only if this version ran what showed it; else it is not known what became of it.
 */
export function withVersions(documents: readonly ReportDocument[]): ReportDocument[] {
	const versions = documents.flatMap(({ source, patches }) => patches.filter(isVersion).map((patch) => versionIn(source, patch)));
	return documents.map((document) => {
		if (versions.length < 2) return document;
		const nearestFirst = [...versions.filter(({ source }) => source === document.source), ...versions.filter(({ source }) => source !== document.source)];
		return {
			...document,
			patches: document.patches.map((patch) => {
				const { since: _, ...rest } = patch;
				const former = isVersion(patch) ? formerVersion(versionIn(document.source, patch), nearestFirst) : undefined;
				return former === undefined ? rest : { ...rest, since: difference(former, patch, document.source) };
			}),
		};
	});
}

interface Version extends Versioned {
	readonly source: string;
	readonly patch: ReportPatch;
}

function versionIn(source: string, patch: ReportPatch): Version {
	const { series, subject, hunks } = patch;
	return { source, patch, series, subject, changes: hunks.flatMap(({ file, function: name }) => (name === '' ? [] : [`${file} ${name}`])) };
}

/** Mails that only talk have a series in their subject as well. */
function isVersion({ series, hunks }: ReportPatch): boolean {
	return series !== null && hunks.length > 0;
}

/** A patch as one of the versions of itself. */
export interface Versioned {
	readonly series: ReportPatch['series'];
	readonly subject: string;
	/** The functions that it changes, each with its file. */
	readonly changes: readonly string[];
}

/**
 * The latest version before the patch: of the same title, or, as a new version may have changed that, in the same place of its series
 * with a function that both change. Two patches to one file are not versions of each other for that.
 */
export function formerVersion<T extends Versioned>(patch: Versioned, versions: readonly T[]): T | undefined {
	const version = versionOf(patch);
	const earlier = versions.filter((other) => versionOf(other) < version);
	const named = earlier.filter(({ subject }) => topicOf(subject) === topicOf(patch.subject));
	const placed = earlier.filter(({ series, changes }) => series?.n === patch.series?.n && series?.of === patch.series?.of && shares(changes, patch.changes));
	const candidates = named.length > 0 ? named : placed;
	return candidates.reduce<T | undefined>((best, one) => (best === undefined || versionOf(one) > versionOf(best) ? one : best), undefined);
}

function versionOf({ series }: Versioned): number {
	return series?.version ?? 0;
}

function difference({ source, patch: former }: Version, patch: ReportPatch, own: string): Since {
	const same = (a: Finding, b: Finding): boolean =>
		a.rule === b.rule && a.metric === b.metric && a.policy === b.policy && (a.scenario === b.scenario || shares(functionsOf(a, former), functionsOf(b, patch)));
	const missing = former.findings.filter((finding) => !patch.findings.some((one) => same(finding, one)));
	const shown = (finding: Finding): FormerFinding => {
		const { rule, severity, message, line, scenario } = finding;
		return { ...{ rule, severity, message, line, scenario }, ...(source === own ? {} : { source }) };
	};
	const appeared = patch.findings.flatMap((finding, i) => (former.findings.some((one) => same(one, finding)) ? [] : [i]));
	return {
		version: former.series?.version ?? 1,
		gone: missing.filter((finding) => isRunAgain(finding, patch)).map(shown),
		unknown: missing.filter((finding) => !isRunAgain(finding, patch)).map(shown),
		appeared,
		kept: patch.findings.flatMap((_, i) => (appeared.includes(i) ? [] : [i])),
	};
}

/** Whether a patch ran what showed the finding, on one of its architectures. */
function isRunAgain({ scenario, variant, policy, arch }: Finding, { runs }: ReportPatch): boolean {
	return runs.some((run) => run.scenario === scenario && run.variant === variant && run.policy === policy && arch.includes(run.arch));
}

function functionsOf({ hunks }: Finding, patch: ReportPatch): readonly string[] {
	return patch.hunks.filter(({ id, function: name }) => hunks.includes(id) && name !== '').map((hunk) => hunk.function);
}

function shares(a: readonly string[], b: readonly string[]): boolean {
	return a.some((name) => b.includes(name));
}

/** `since v1: 3 findings gone (no-progress, folio-leak, extra-fault), none new`. */
export function sinceText({ version, gone, unknown, appeared, kept }: Since, findings: readonly Finding[]): string {
	const named = (rules: readonly string[]): string => (rules.length === 0 ? '' : ` (${[...new Set(rules)].join(', ')})`);
	const rules = (indexes: readonly number[]): string => named(indexes.flatMap((i) => findings[i]?.rule ?? []));
	const parts = [
		gone.length === 0 ? '' : `${gone.length} ${gone.length === 1 ? 'finding' : 'findings'} gone${named(gone.map(({ rule }) => rule))}`,
		kept.length === 0 ? '' : `${kept.length} still there${rules(kept)}`,
		appeared.length === 0 ? 'none new' : `${appeared.length} new${rules(appeared)}`,
		unknown.length === 0 ? '' : `${unknown.length} not known, as what showed it was not run${named(unknown.map(({ rule }) => rule))}`,
	];
	const said = parts.filter((part) => part !== '');
	return `since v${version}: ${gone.length + kept.length + appeared.length + unknown.length === 0 ? 'no finding then, none now' : said.join(', ')}`;
}
