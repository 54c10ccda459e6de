import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { unifiedDiff } from '../../../server/patch/diff.ts';
import { onTree } from '../../../server/patch/on-tree.ts';
import { read } from './show.ts';

const F = ['static int f(struct s *s)', '{', '\ta();', '\tb();', '\tc();', '\td();', '\te();', '\tg();', '\treturn 0;', '}', ''];

it('names the function and counts the lines', () => {
	expect(unifiedDiff('mm/a.c', F.join('\n'), F.join('\n').replace('\te();', '\te();\n\th();')).split('\n')).toEqual([
		...['diff --git a/mm/a.c b/mm/a.c', '--- a/mm/a.c', '+++ b/mm/a.c', '@@ -5,6 +5,7 @@ static int f(struct s *s)'],
		...[' \tc();', ' \td();', ' \te();', '+\th();', ' \tg();', ' \treturn 0;', ' }', ''],
	]);
});

it('is empty for equal texts', () => {
	expect(unifiedDiff('mm/a.c', F.join('\n'), F.join('\n'))).toBe('');
});

it('leads from any text to any other', () => {
	const word = fc.constantFrom('\ta();', '\tb();', '\tc();', '\tif (x) {', '\t}', '\tz();');
	const text = fc.array(word, { maxLength: 40 }).map((lines) => lines.map((line) => `${line}\n`).join(''));
	fc.assert(
		fc.property(text, text, (before, after) => {
			const diff = unifiedDiff('mm/a.c', before, after);
			if (diff === '') {
				expect(before).toBe(after);
				return;
			}
			const doc = onTree(read(diff), () => ({ label: 't', kernel: '6.12', decides: false, file: () => before, blob: () => undefined }));
			// A file that becomes empty keeps no line to hold on to.
			expect(doc.patches[0]?.files?.get('mm/a.c')?.after ?? '').toBe(after);
		}),
		{ numRuns: 300 },
	);
});

it('is as short as what diff(1) finds', () => {
	let seed = 5;
	const next = (n: number): number => {
		seed = (seed * 1103515245 + 12345) & 0x7fffffff;
		return (seed >> 8) % n;
	};
	const lines = Array.from({ length: 300 }, () => `\tcall_${next(40)}();`);
	const other = lines.flatMap((line) => (next(9) === 0 ? [] : next(9) === 0 ? [line, `\tnew_${next(5)}();`] : [line]));
	const changed = (text: string): number => text.split('\n').filter((line) => /^[-+]\t/.test(line)).length;
	let theirs: string;
	try {
		const script = 'diff --minimal -u <(printf %s "$1") <(printf %s "$2") || true';
		theirs = execFileSync('bash', ['-c', script, 'x', `${lines.join('\n')}\n`, `${other.join('\n')}\n`], { encoding: 'utf8' });
	} catch {
		console.log('not compared: there is no diff program');
		return;
	}
	expect(changed(unifiedDiff('mm/a.c', `${lines.join('\n')}\n`, `${other.join('\n')}\n`))).toBe(changed(theirs));
});
