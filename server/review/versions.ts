import { topicOf } from '../mail/headers.ts';
import type { Finding, FormerFinding, ReportDocument, ReportPatch, Since } from './report.ts';

/**
 * Says of each patch that is a later version of another one what came and what went since the latest version before it. A finding
 * that is not there any more is gone only if this version ran what showed it; else it is not known what became of it.
 */
export function withVersions(documents: readonly ReportDocument[]): ReportDocument[] {
	const versions = documents.flatMap(({ source, patches }) => patches.filter(isVersion).map((patch) => ({ source, patch })));
	return documents.map((document) => {
		if (versions.length < 2) return document;
		const nearestFirst = [...versions.filter(({ source }) => source === document.source), ...versions.filter(({ source }) => source !== document.source)];
		return {
			...document,
			patches: document.patches.map((patch) => {
				const { since: _, ...rest } = patch;
				const former = isVersion(patch) ? formerVersion(patch, nearestFirst) : undefined;
				return former === undefined ? rest : { ...rest, since: difference(former, patch, document.source) };
			}),
		};
	});
}

interface Version {
	readonly source: string;
	readonly patch: ReportPatch;
}

/** Mails that only talk have a series in their subject as well. */
function isVersion({ series, hunks }: ReportPatch): boolean {
	return series !== null && hunks.length > 0;
}

/** The latest version before the patch, by its title, which a new version may have changed, and then by its place in the series and what it changes. */
export function formerVersion<T extends { readonly patch: Pick<ReportPatch, 'series' | 'subject'> & { readonly hunks: readonly { readonly file: string }[] } }>(
	patch: T['patch'],
	versions: readonly T[],
): T | undefined {
	const version = patch.series?.version ?? 1;
	const earlier = versions.filter(({ patch: other }) => other.hunks.length > 0 && (other.series?.version ?? version) < version);
	const files = new Set(patch.hunks.map(({ file }) => file));
	const named = earlier.filter(({ patch: other }) => topicOf(other.subject) === topicOf(patch.subject));
	const placed = earlier.filter(
		({ patch: other }) => other.series?.n === patch.series?.n && other.series?.of === patch.series?.of && other.hunks.some(({ file }) => files.has(file)),
	);
	const candidates = named.length > 0 ? named : placed;
	return candidates.reduce<T | undefined>((best, one) => (best === undefined || versionOf(one) > versionOf(best) ? one : best), undefined);
}

function versionOf({ patch }: { readonly patch: Pick<ReportPatch, 'series'> }): number {
	return patch.series?.version ?? 0;
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
