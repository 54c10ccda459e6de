import { describe, expect, it } from 'vitest';
import { ReviewedDocument } from '../../server/session/reviewed-document.ts';

const text = 'one\ntwo\nthree\nfour\nfive\n';

function reviewed(): ReviewedDocument {
	const document = new ReviewedDocument('file:///x', 'diff', 1, text);
	document.setReview(1, { document: { source: 'x', patches: [], problems: [] }, executed: new Map(), codeLines: new Set() });
	return document;
}

const edit = (
	startLine: number,
	endLine: number,
	inserted: string,
): { range: { start: { line: number; character: number }; end: { line: number; character: number } }; text: string } => ({
	range: { start: { line: startLine, character: 0 }, end: { line: endLine, character: 0 } },
	text: inserted,
});

describe('lines of a reviewed text after edits', () => {
	it.each([
		['a line inserted above', [edit(0, 0, 'new\n')], [2, 3, 4, 5, 6]],
		['a line inserted below', [edit(5, 5, 'new\n')], [1, 2, 3, 4, 5]],
		['a line removed', [edit(1, 2, '')], [1, 2, 2, 3, 4]],
		['two lines replaced by three', [edit(1, 3, 'a\nb\nc\n')], [1, 2, 3, 5, 6]],
		['two edits', [edit(0, 0, 'new\n'), edit(2, 2, 'new\n')], [2, 4, 5, 6, 7]],
		['text within a line', [{ ...edit(1, 1, 'x'), text: 'x' }], [1, 2, 3, 4, 5]],
		['everything removed', [edit(0, 5, '')], [1, 1, 1, 1, 1]],
	])('%s', (_, edits, expected) => {
		const document = reviewed();
		for (const [index, change] of edits.entries()) document.update([change], index + 2);
		expect([1, 2, 3, 4, 5].map((line) => document.lineNow(line))).toEqual(expected);
	});

	it.each([
		['a line inserted above', [edit(1, 1, 'new\n')], false],
		['a line inserted between', [edit(2, 2, 'new\n')], true],
		['a line inserted below', [edit(3, 3, 'new\n')], false],
		['a line removed above', [edit(0, 1, '')], false],
		['the last of them removed', [edit(2, 3, '')], true],
		['a line removed far below', [edit(4, 5, '')], false],
		['text within', [{ ...edit(1, 1, 'x'), range: { start: { line: 2, character: 1 }, end: { line: 2, character: 2 } } }], true],
		['text at the begin of a line', [edit(1, 1, 'x')], true],
		['text above, then lines', [edit(0, 0, 'x'), edit(0, 0, 'new\nnewer\n')], false],
		['text within, then lines above', [edit(2, 2, 'x'), edit(0, 0, 'new\nnewer\n')], true],
	])('are edited by %s, or not', (_, edits, expected) => {
		const document = reviewed();
		for (const [index, change] of edits.entries()) document.update([change], index + 2);
		// The second and the third.
		expect(document.isEdited(document.lineNow(2), document.lineNow(3))).toBe(expected);
	});

	it('are found again from where they are now, and new ones are not', () => {
		const document = reviewed();
		document.update([edit(1, 1, 'new\nnewer\n')], 2);
		expect([1, 3, 4, 5, 6, 7].map((line) => document.lineReviewed(line))).toEqual([1, null, 2, 3, 4, 5]);
	});

	it('are themselves once a review of the new text is there', () => {
		const document = reviewed();
		document.update([edit(0, 0, 'new\n')], 2);
		document.setReview(2, { document: { source: 'x', patches: [], problems: [] }, executed: new Map(), codeLines: new Set() });
		expect(document.lineNow(3)).toBe(3);
	});

	it('give ranges without leading and trailing space, whatever ends them', () => {
		const document = new ReviewedDocument('file:///x', 'diff', 1, 'a\r\n\t+ b \r\nc\rd');
		expect(document.range(2, 2)).toEqual({ start: { line: 1, character: 1 }, end: { line: 1, character: 4 } });
		expect(document.range(4, 9)).toEqual({ start: { line: 3, character: 0 }, end: { line: 3, character: 1 } });
		expect(document.normalized.split('\n')).toEqual(['a', '\t+ b ', 'c', 'd']);
	});
});
