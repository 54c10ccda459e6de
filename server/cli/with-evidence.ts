import type { Simulator } from '../../simulator/index.ts';
import { formatReply } from '../formats/reply.ts';
import { formatSarif } from '../formats/sarif.ts';
import type { ParsedDocument } from '../patch/types.ts';
import { type Evidence, evidenceOf } from '../review/evidence.ts';
import { type NumberedFinding, numbered } from '../review/numbered.ts';
import type { Finding, Report } from '../review/report.ts';
import type { ReviewSettings } from '../review/settings.ts';

/** Findings of a report whose runs are made again for their schedules, and findings that one mail speaks of. */
const MOST_TRACED = 20;
const MOST_ASKED = 5;

/** The formats that show schedules. The worst findings come first in a report, so they have theirs. */
export function withEvidence(format: 'sarif' | 'reply', parsed: readonly ParsedDocument[], report: Report, sim: Simulator, settings: ReviewSettings): string {
	const worse = numbered(report.documents).filter(({ finding }) => finding.after > finding.before && finding.severity !== 'information');
	const evidence = (one: NumberedFinding): Evidence | null => {
		const document = parsed[one.document];
		const patch = report.documents[one.document]?.patches[one.patch];
		return document === undefined || patch === undefined ? null : evidenceOf(document, one.patch, patch, one.finding, sim, settings);
	};
	if (format === 'sarif') {
		const made = worse.slice(0, MOST_TRACED).flatMap((one): [Finding, Evidence][] => {
			const own = evidence(one);
			return own === null ? [] : [[one.finding, own]];
		});
		return formatSarif(report, new Map(made));
	}
	const bodies = parsed.flatMap((document, d) =>
		document.patches.flatMap(({ hunks }, p) => {
			const own = worse.filter((one) => one.document === d && one.patch === p).slice(0, MOST_ASKED);
			const made = own.flatMap((one) => evidence(one) ?? []);
			return made.length === 0 ? [] : [formatReply(made, hunks)];
		}),
	);
	return bodies.length === 0 ? 'nothing to ask: no finding is for the worse\n' : bodies.join('\n');
}
