import type { Simulator } from '../../simulator/index.ts';
import { formatEvidence } from '../formats/evidence.ts';
import { formatReply } from '../formats/reply.ts';
import type { ParsedDocument } from '../patch/types.ts';
import { evidenceOf } from '../review/evidence.ts';
import { asked, type NumberedFinding, numbered } from '../review/numbered.ts';
import type { Report } from '../review/report.ts';
import type { ReviewSettings } from '../review/settings.ts';
import { UsageError } from './host.ts';

/** The evidence of the one finding that is asked for. */
export function explained(parsed: readonly ParsedDocument[], report: Report, text: string, sim: Simulator, settings: ReviewSettings, reply: boolean): string {
	const all = numbered(report.documents);
	const [found, ...more] = asked(all, text);
	const name = JSON.stringify(text.slice(0, 64));
	if (found === undefined) throw new UsageError(`no finding is ${name}; ${all.length === 0 ? 'there is none' : `there are:${listed(all)}`}`);
	if (more.length > 0) throw new UsageError(`${more.length + 1} findings are ${name}; name one by its number:${listed([found, ...more])}`);
	const document = parsed[found.document];
	const patch = report.documents[found.document]?.patches[found.patch];
	const evidence = document && patch && evidenceOf(document, found.patch, patch, found.finding, sim, settings);
	if (!evidence) throw new UsageError(`the run of finding ${name} cannot be made again`);
	return reply ? formatReply([evidence], document.patches[found.patch]?.hunks ?? []) : formatEvidence(evidence, found.number);
}

function listed(findings: readonly NumberedFinding[]): string {
	return findings.map(({ number, finding }) => `\n  #${number} ${finding.rule}:${finding.line} ${finding.message}`).join('');
}
