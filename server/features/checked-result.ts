import type { CancellationToken, TextEdit } from 'vscode-languageserver/node';
import { type Check, checksOf, edited, type LineEdit } from '../patch/check-result.ts';
import type { Hunk } from '../patch/types.ts';
import { reviewSettings } from '../session/configuration.ts';
import type { ReviewedDocument } from '../session/reviewed-document.ts';
import { subjectOf } from '../session/reviews.ts';
import type { Session } from '../session/session.ts';
import type { ShownFinding } from './findings.ts';

/** Milliseconds that a request waits which nobody made by hand. */
const PATIENCE = 200;

/** Edits after which a finding is gone. */
export interface CheckedResults {
	/** The first check of an ignored result without which the finding cannot be seen any more, or null. `wait`: to the end. */
	offer(document: ReviewedDocument, shown: ShownFinding, wait: boolean, token: CancellationToken): Promise<Check | null>;
	/** The text changed, or is closed. */
	forget(document: ReviewedDocument): void;
}

interface Trial {
	readonly result: Promise<Check | null>;
	cancel(): void;
}

/** Every way to check a result is tried in the worker, once for a text: what is offered has been run. */
export function checkedResults(session: Session): CheckedResults {
	const trials = new Map<ReviewedDocument, Map<number, Trial>>();

	function start(document: ReviewedDocument, shown: ShownFinding): Trial {
		const candidates = candidatesOf(session, document, shown);
		let over = false;
		let cancel: (() => void) | undefined;
		const run = async (): Promise<Check | null> => {
			const { found, patch } = shown;
			const subject = subjectOf(document);
			for (const check of candidates) {
				if (over) return null;
				const job = {
					kind: 'check',
					...{ ...subject, text: edited(subject.text, check.edits), found, report: patch },
					...{ settings: reviewSettings(session.configuration()), texts: session.texts(), sources: session.sources() },
				} as const;
				const task = session.pool.run<'check'>(job, { urgent: true });
				cancel = task.cancel;
				// What does not run is no help.
				if (await task.result.catch(() => false)) return check;
			}
			return null;
		};
		return {
			result: candidates.length === 0 ? Promise.resolve(null) : run(),
			cancel() {
				over = true;
				cancel?.();
			},
		};
	}

	return {
		async offer(document, shown, wait, token) {
			const { finding, number } = shown;
			const present = document.review?.version === document.version && document.isSettled && document.file === null;
			if (!present || finding.severity !== 'error' || finding.after <= finding.before) return null;
			const own = trials.get(document) ?? new Map<number, Trial>();
			trials.set(document, own);
			const trial = own.get(number) ?? start(document, shown);
			own.set(number, trial);
			const limit = wait ? [] : [new Promise<null>((resolve) => setTimeout(resolve, PATIENCE, null).unref())];
			const cancelled = new Promise<null>((resolve) => token.onCancellationRequested(() => resolve(null)));
			return await Promise.race([trial.result, cancelled, ...limit]);
		},
		forget(document) {
			for (const trial of trials.get(document)?.values() ?? []) trial.cancel();
			trials.delete(document);
		},
	};
}

function candidatesOf(session: Session, document: ReviewedDocument, { finding }: ShownFinding): readonly Check[] {
	const patches = session.parsed(document)?.patches ?? [];
	return patches.flatMap(({ hunks, kernel }) =>
		hunks
			.filter(({ id }) => finding.hunks.includes(id))
			.flatMap((hunk) => {
				const later = hunks.filter((other) => other.file === hunk.file && other.line > hunk.line && other.origin === hunk.origin);
				return checksOf(
					hunk,
					later,
					(line) => document.lineText(line),
					(name) => returnType(name, session.catalogue.explain(name, kernel)?.signature ?? declarationOf(hunks, name)),
				);
			}),
	);
}

/** A function that the patch itself has. */
function declarationOf(hunks: readonly Hunk[], name: string): string | undefined {
	return hunks.flatMap(({ functions }) => functions).find((change) => change.name === name)?.declaration;
}

/** `vm_fault_t` of `static vm_fault_t do_set_pmd(struct vm_fault *vmf, struct page *page)`; undefined for what is no function. */
function returnType(name: string, signature: string | undefined): string | undefined {
	const at = signature?.indexOf(`${name}(`) ?? -1;
	if (signature === undefined || at <= 0) return undefined;
	const type = signature.slice(0, at).replace(/\b(?:static|inline|extern|__\w+)\b/g, '');
	return (
		type
			.replace(/\s+/g, ' ')
			.replace(/ ?\* ?/g, '*')
			.trim() || undefined
	);
}

/** Edits in whole lines, with the line ends that the document has. */
export function textEdits(document: ReviewedDocument, edits: readonly LineEdit[]): TextEdit[] {
	const eol = /\r\n|\r|\n/.exec(document.text.getText())?.[0] ?? '\n';
	// The end of the last line stays as it is, so nothing is put behind the end of the document.
	return edits.map(({ line, end, text }) => ({
		range: { start: { line: line - 1, character: 0 }, end: { line: end - 2, character: document.lineText(end - 1).length } },
		newText: text.join(eol),
	}));
}
