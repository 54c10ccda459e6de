import type { Report } from '../../../server/review/report.ts';
import { finishReview, reviewDocument } from '../../../server/review/review.ts';
import { DEFAULT_SETTINGS } from '../../../server/review/settings.ts';
import { documentOf, type PatchText } from '../review/documents.ts';
import { fakeSimulator } from '../review/fake-simulator.ts';

/** A report of the fake simulator. */
export function reportOf(...patches: readonly PatchText[]): Report {
	const document = finishReview(reviewDocument(documentOf(...patches), fakeSimulator(), DEFAULT_SETTINGS));
	return { schema: 1, faultline: '0.0.0', documents: [document] };
}

export const body = (text: string, name = 'do_fault'): PatchText => ({ hunks: [{ name, body: text }] });
