import { describe, expect, it } from 'vitest';
import { onTree } from '../../../server/patch/on-tree.ts';
import type { FunctionChange, ParsedDocument, Patch } from '../../../server/patch/types.ts';
import { afterWithout } from '../../../server/patch/whole.ts';
import { functionText, MEMORY_C } from '../sources/kernels.ts';
import { read } from './show.ts';

const PATH = 'mm/memory.c';

interface Given {
	readonly text?: string;
	readonly blobs?: Readonly<Record<string, string>>;
	readonly decides?: boolean;
}

function applied(document: ParsedDocument, { text = MEMORY_C, blobs = {}, decides = false }: Given = {}): readonly Patch[] {
	const file = (path: string): string | null => (path === PATH ? text : null);
	return onTree(document, () => ({ label: 'linux-6.12', kernel: '6.12', decides, file, blob: (name) => blobs[name] })).patches;
}

/** A hunk around a line of a function of MEMORY_C. */
function hunk(line: string, put: readonly string[], { remove = true, context = 3, shift = 0 } = {}): string[] {
	const lines = MEMORY_C.split('\n');
	const at = lines.indexOf(line);
	const [above, below] = [lines.slice(at - context, at), lines.slice(at + 1, at + 1 + context)];
	const name = lines.slice(0, at).findLast((text) => text.startsWith('static int'));
	const body = [...above.map((l) => ` ${l}`), `${remove ? '-' : ' '}${line}`, ...put.map((l) => `+${l}`), ...below.map((l) => ` ${l}`)];
	const old = body.filter((l) => l[0] !== '+').length;
	const now = body.filter((l) => l[0] !== '-').length;
	return [`@@ -${at - context + 1 + shift},${old} +${at - context + 1 + shift},${now} @@ ${name}`, ...body];
}

const HEAD = [`--- a/${PATH}`, `+++ b/${PATH}`];

function functions(patches: readonly Patch[]): FunctionChange[] {
	return patches.flatMap(({ hunks }) => hunks.flatMap((h) => h.functions));
}

const text = (lines: FunctionChange['before']): string => `${lines?.map((l) => l.text).join('\n')}\n`;

describe('a hunk that shows a piece of a function', () => {
	it('becomes the whole function, with the lines of the document where it shows them', () => {
		const patches = applied(read([...HEAD, ...hunk('\ttwo(vma);', ['\ttwice(vma);'])]));
		const [change, ...others] = functions(patches);
		expect(others).toEqual([]);
		expect(change).toMatchObject({ id: '0.0', name: 'second', whole: true, from: 'tree', line: 7, endLine: 8 });
		expect(text(change?.before ?? null)).toBe(functionText('second', ['\ttwo(vma);']));
		expect(text(change?.after ?? null)).toBe(functionText('second', ['\ttwice(vma);']));
		// The document's lines 4 to 11; above and below it the tree's alone.
		expect(change?.after?.map((l) => l.line)).toEqual([0, 0, 0, 0, 0, 4, 5, 6, 8, 9, 10, 11, 0, 0, 0, 0, 0]);
		expect(change?.before?.filter((l) => l.changed).map((l) => [l.line, l.treeLine])).toEqual([[7, MEMORY_C.split('\n').indexOf('\ttwo(vma);') + 1]]);
		expect(change?.pieces).toMatchObject([{ name: 'second', whole: false }]);
	});
	it('gives the whole file before and after', () => {
		const [patch] = applied(read([...HEAD, ...hunk('\ttwo(vma);', ['\ttwice(vma);'])]));
		expect(patch?.files?.get(PATH)).toEqual({ before: MEMORY_C, after: MEMORY_C.replace('two(vma)', 'twice(vma)') });
	});
	it('is one change with the other hunks of the function', () => {
		const both = [
			...HEAD,
			...hunk('\tsecond_above_1(vma);', ['\tup(vma);'], { context: 1 }),
			...hunk('\tsecond_below_4(vma);', ['\tdown(vma);'], { context: 1 }),
		];
		const patches = applied(read(both));
		const changes = functions(patches);
		expect(changes.map(({ id, line }) => `${id} at ${line}`)).toEqual(['0.0 at 5', '1.0 at 10']);
		expect(changes[0]?.after).toEqual(changes[1]?.after);
		expect(text(changes[0]?.after ?? null)).toContain('\tup(vma);');
		expect(text(changes[0]?.after ?? null)).toContain('\tdown(vma);');
		const [first] = patches[0]?.hunks ?? [];
		if (first === undefined || changes[0] === undefined) throw new Error('no hunk');
		const without = text(afterWithout(changes[0], first));
		expect(without).toBe(functionText('second', ['\ttwo(vma);']).replace('\tsecond_below_4(vma);', '\tdown(vma);'));
	});
});

describe('a hunk finds its place', () => {
	const CHANGE = hunk('\ttwo(vma);', ['\ttwice(vma);']);
	const eaten = [...CHANGE.slice(0, 1), ...CHANGE.slice(1).map((line) => (/^[-+]/.test(line) ? `${line[0]} ${line.slice(1).trim()}` : line.trim()))];
	it.each([
		['lines further down', `${'/* more */\n'.repeat(40)}${MEMORY_C}`, CHANGE],
		['after white space was eaten', MEMORY_C, eaten],
		['with one line of context changed at each end', MEMORY_C.replace('second_above_3(', 'other(').replace('second_below_2(', 'another('), CHANGE],
		['without its header', MEMORY_C, CHANGE.slice(1)],
		['in a tree that has the change already', MEMORY_C.replace('two(vma)', 'twice(vma)'), CHANGE],
	])('%s', (_, tree, lines) => {
		const patches = applied(read([...HEAD, ...lines]), { text: tree });
		expect(patches[0]?.notes).toBeUndefined();
		const [change] = functions(patches);
		expect([change?.name, change?.from]).toEqual(['second', 'tree']);
		expect(text(change?.before ?? null)).toContain('\ttwo(vma);');
		expect(change?.after?.filter((l) => l.changed).map((l) => l.text.trim())).toEqual(['twice(vma);']);
	});
	it('in the function that its header names, where the lines are in several', () => {
		const same = [functionText('a', []), functionText('b', [])].join('\n').replace(/[ab]_(above|below)/g, '$1');
		const lines = [
			'@@ -100,6 +100,7 @@ static int a(struct vm_area_struct *vma)',
			' \tabove_4(vma);',
			' \tabove_5(vma);',
			'+\tnew(vma);',
			' \tbelow_0(vma);',
			' \tbelow_1(vma);',
		];
		const [change] = functions(applied(read([...HEAD, ...lines]), { text: same }));
		expect(change?.name).toBe('a');
	});
	it('across the names of other kernels, and takes over the spelling of the tree', () => {
		const tree = MEMORY_C.replace('\ttwo(vma);', '\tmmap_read_lock(mm);\n\tfolio_lock(page);\n\ttwo(vma);');
		const old = [
			...['@@ -10,5 +10,6 @@ static int second(struct vm_area_struct *vma)', ' \tsecond_above_5(vma);', ' \tdown_read(&mm->mmap_sem);', ' \tlock_page(page);'],
			...[' \ttwo(vma);', '+\tlock_page(other);', ' \tsecond_below_0(vma);'],
		];
		const [change] = functions(applied(read([...HEAD, ...old]), { text: tree }));
		expect(text(change?.after ?? null)).toContain('\tmmap_read_lock(mm);\n\tfolio_lock(page);\n\ttwo(vma);\n\tfolio_lock(other);\n');
	});
});

describe('a hunk that does not apply', () => {
	const away = MEMORY_C.replace('\ttwo(vma);', '\tthree_and_a_half(vma);');
	const lines = [...HEAD, ...hunk('\ttwo(vma);', ['\ttwice(vma);'])];
	it('is named with the line that differs, and stays what it shows', () => {
		const [patch] = applied(read(lines), { text: away });
		const line = away.split('\n').indexOf('\tthree_and_a_half(vma);') + 1;
		expect(patch?.notes).toEqual([
			{
				...{ rule: 'not-mapped', line: 7, hunks: [0] },
				message: `The hunk does not apply to linux-6.12: mm/memory.c:${line} has "three_and_a_half(vma);" where line 7 has "two(vma);". Only what the hunk shows was run.`,
			},
		]);
		expect(functions([patch as Patch])).toMatchObject([{ name: 'second', whole: false }]);
		expect(patch?.files).toBeUndefined();
	});
	it('takes the other hunks of its function with it, and no others', () => {
		const both = [...lines, ...hunk('\tsecond_below_5(vma);', ['\tx(vma);'], { context: 1 }), ...hunk('\tthree(vma);', ['\tthrice(vma);'])];
		const changes = functions(applied(read(both), { text: away }));
		expect(changes.map(({ name, whole }) => `${name} ${whole}`)).toEqual(['second false', 'second false', 'third true']);
	});
	it('in a file that the tree does not have is said so', () => {
		const [patch] = applied(read(lines.map((line) => line.replace('mm/memory.c', 'mm/gone.c'))));
		expect(patch?.notes?.map(({ message }) => message)).toEqual(['linux-6.12 has no mm/gone.c, so only what the hunk shows was run.']);
	});
});

describe('the version of a tree', () => {
	const lines = [...HEAD, ...hunk('\ttwo(vma);', ['\ttwice(vma);'])];
	it('decides when the user named the tree and the patch applies to it', () => {
		expect(applied(read(lines, '5.8'), { decides: true })[0]).toMatchObject({ kernel: '6.12', kernelFrom: 'option' });
	});
	it('does not when nothing applies, or nobody named it', () => {
		expect(applied(read(lines, '5.8'), { decides: true, text: 'int x;\n' })[0]?.kernel).toBe('5.8');
		expect(applied(read(lines, '5.8'))[0]?.kernel).toBe('5.8');
	});
});

describe('the object that a patch was made from', () => {
	it('goes before the tree', () => {
		const lines = [`diff --git a/${PATH} b/${PATH}`, 'index 0123456789ab..ba9876543210 100644', ...HEAD, ...hunk('\ttwo(vma);', ['\ttwice(vma);'])];
		const [change] = functions(applied(read(lines), { text: 'int other;\n', blobs: { '0123456789ab': MEMORY_C } }));
		expect([change?.name, change?.from, change?.whole]).toEqual(['second', 'blob', true]);
	});
});

describe('a series', () => {
	const mail = (n: number, version: string, lines: readonly string[]): string[] => [
		`From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001`,
		'From: A <a@example.org>',
		`Date: Wed, 30 Oct 2024 10:0${n}:00 +0000`,
		`Subject: [PATCH${version} ${n}/2] mm: part ${n}`,
		'',
		'---',
		...HEAD,
		...lines,
		'-- ',
		'2.39',
		'',
	];
	const first = hunk('\ttwo(vma);', ['\ttwice(vma);']);
	const second = hunk('\ttwo(vma);', ['\ttwice(vma);', '\tagain(vma);'], { remove: false }).map((line) =>
		line === ' \ttwo(vma);' ? '-\ttwice(vma);' : line === '+\ttwice(vma);' ? '+\tthree_times(vma);' : line,
	);
	it('is applied patch by patch', () => {
		const patches = applied(read([...mail(1, '', first), ...mail(2, '', second)]));
		expect(patches.flatMap(({ notes }) => notes ?? [])).toEqual([]);
		const [, later] = functions(patches);
		expect(text(later?.before ?? null)).toBe(functionText('second', ['\ttwice(vma);']));
		expect(text(later?.after ?? null)).toBe(functionText('second', ['\tthree_times(vma);', '\tagain(vma);']));
	});
	it('does not lie on another version of itself', () => {
		const patches = applied(read([...mail(1, '', first), ...mail(2, '', second), ...mail(1, ' v2', first)]));
		const [, , again] = functions(patches);
		expect(text(again?.before ?? null)).toBe(functionText('second', ['\ttwo(vma);']));
	});
});

describe('a suggestion', () => {
	it('is applied to what the draft leaves', () => {
		const lines = [
			'Subject: Re: [PATCH] mm: twice',
			'',
			...[...HEAD, ...hunk('\ttwo(vma);', ['\ttwice(vma);'])].map((line) => `> ${line}`),
			'',
			'Rather:',
			'',
			'-\ttwice(vma);',
			'+\tthrice(vma);',
			'',
		];
		const changes = functions(applied(read(lines)));
		const last = changes.at(-1);
		expect(changes).toHaveLength(2);
		expect(text(last?.before ?? null)).toBe(functionText('second', ['\ttwice(vma);']));
		expect(text(last?.after ?? null)).toBe(functionText('second', ['\tthrice(vma);']));
	});
});
