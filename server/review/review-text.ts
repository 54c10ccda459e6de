import type { Simulator } from '../../simulator/index.ts';
import { parseDocument } from '../patch/read.ts';
import type { ReportDocument } from './report.ts';
import { finishReview, reviewDocument } from './review.ts';
import type { ReviewSettings } from './settings.ts';

/** Parses and reviews in one go. Pure: same bytes, same settings, same report. */
export function reviewText(source: string, bytes: Uint8Array | string, sim: Simulator, settings: ReviewSettings): ReportDocument {
	const document = parseDocument(source, bytes, settings.kernel === undefined ? {} : { kernel: settings.kernel });
	return finishReview(reviewDocument(document, sim, settings));
}
