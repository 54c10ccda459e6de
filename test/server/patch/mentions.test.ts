import { describe, expect, it } from 'vitest';
import { MAX_PLACES, mentionsOf } from '../../../server/patch/mentions.ts';

const show = (...lines: string[]): string[] => mentionsOf(lines).flatMap(({ name, places }) => places.map(({ line, column }) => `${name} ${line}:${column}`));

describe('mentions', () => {
	it.each<readonly [string, readonly string[]]>([
		['So munmap() calls flush_tlb_batched_pending(mm), see mm->mmap_lock.', ['munmap 1:3', 'flush_tlb_batched_pending 1:18', 'mmap_lock 1:57']],
		['> +\tif (pte_none(*pte))', ['pte_none 1:8']],
		['\u00e9\ud83d\ude00 do_wp_page', ['do_wp_page 1:4']],
		['set FAULT_FLAG_TRIED then', ['FAULT_FLAG_TRIED 1:4']],
		['yang_shi@some_where.org https://x_y.org/a_b <a_b.c(d)@e>', []],
		['page(s) and while (x) if(x) return(y)', []],
		['an _emphasised_ word, __x86 and _really_ more', ['__x86 1:22']],
		['0xdead_beef 1234_5 d065bd810b6d ("x")', []],
		['Message-ID: <a_b(c)>', []],
		['Subject: mm: fix do_wp_page()', ['do_wp_page 1:17']],
		['constructor() __proto__', ['constructor 1:0', '__proto__ 1:14']],
	])('%j', (line, names) => expect(show(line)).toEqual(names));

	it('collects the places of one name in order', () => {
		expect(mentionsOf(['pte_none', 'x pte_none pte_none'])).toEqual([
			{
				name: 'pte_none',
				places: [
					{ line: 1, column: 0 },
					{ line: 2, column: 2 },
					{ line: 2, column: 11 },
				],
			},
		]);
	});

	it('stops at its limit', () => {
		const places = mentionsOf(Array.from({ length: 3 }, () => 'a_b '.repeat(MAX_PLACES))).reduce((sum, mention) => sum + mention.places.length, 0);
		expect(places).toBe(MAX_PLACES);
	});
});
