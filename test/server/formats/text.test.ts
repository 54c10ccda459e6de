import { expect, it } from 'vitest';
import { formatText } from '../../../server/formats/text.ts';
import type { PatchText } from '../review/documents.ts';
import { body, reportOf } from './reports.ts';

const text = (...patches: readonly PatchText[]) => formatText(reportOf(...patches), { colour: false });

it('prints a head, the findings as compilers do, and then the notes', () => {
	expect(text(body('+flush(4);\n+leak();'))).toBe(
		[
			'test.patch: mm: test',
			'  kernel 5.8, from the date; 3 scenarios x 2 architectures, 1 of 1 hunk',
			'test.patch:3: error: folio-leak: 1 folio reference leaked (0 -> 1) in touch; also in 2 others. [x86-64, arm64]',
			'test.patch:3: warning: tlb-flush: 4 more TLB flush operations (0 -> 4) in touch; also in 2 others. [x86-64, arm64]',
			'test.patch:1: note: skipped-arch: Not run: loongarch (not in kernel 5.8).',
			'test.patch:3: note: model-stood-in: do_fault is new; the reference model is the side before.',
			'',
		].join('\n'),
	);
});

it('says what was run when nothing differs, and that nothing was', () => {
	expect(text(body(' work();\n+more();'))).toContain('; 3 scenarios x 2 architectures, 1 of 1 hunk\n  no difference found\n');
	expect(text(body(' work();\n+more();\n+on(nowhere) more();'))).toContain('  no difference found; 1 of 2 changed lines ran\n');
	expect(text(body(' work();\n+on(nowhere) more();'))).toContain('  no difference found; no changed line ran\n');
	expect(text(body('+work();', 'elsewhere'))).toContain('nothing was run');
	expect(text(body('+work();', 'elsewhere'))).not.toContain('no difference');
	expect(text()).toBe('test.patch: no patch found\n');
});

it('shows who waits when that differs', () => {
	expect(text(body(' work();\n+wait(70);'))).toContain('    before: nobody waits\n    after:  writer-a waits 70 cycles for vma-lock\n');
});

it('lets no control character of the input reach the terminal', () => {
	const evil = text({ subject: 'a\u001b[2Jb\u202ec', ...body('+leak();') });
	expect(evil).toContain('a?[2Jb?c');
	expect(evil).not.toContain('\u001b');
});

it('uses colour only when asked', () => {
	const report = reportOf(body('+leak();'));
	expect(formatText(report, { colour: true })).toContain('\u001b[31merror\u001b[0m');
	expect(formatText(report, { colour: false })).not.toContain('\u001b');
});
