import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseDocument } from '../../../server/patch/read.ts';
import type { ParsedDocument } from '../../../server/patch/types.ts';
import { hunksOf, showFunctions, showHunks } from './show.ts';

const FOLDER = resolve(import.meta.dirname, '../../../../shared/seeds');
const present = existsSync(FOLDER);
if (!present) console.log('The seed mails are not beside this checkout (../shared/seeds), so the tests that read them are skipped.');

function seed(prefix: string): ParsedDocument {
	const name = readdirSync(FOLDER).find((file) => file.startsWith(prefix)) ?? '';
	return parseDocument(name, readFileSync(join(FOLDER, name)), {});
}

describe.skipIf(!present)('seed mails', () => {
	it.each<readonly [string, string, string, readonly string[], readonly string[], string]>([
		['000', '5.8', 'date', ['0 quoted mm/memory.c 64-75 "   - ++++++"'], ['0.0 handle_pte_fault part 5/10'], 'ptep_set_access_flags'],
		['001', '6.10', 'date', [], [], 'flush_tlb_batched_pending'],
		[
			'002',
			'5.11',
			'date',
			[`0 quoted mm/filemap.c 46-146 "   ${'+'.repeat(62)}"`, '1 suggestion amends 0 mm/filemap.c 110-116 "---++++"', '2 quoted mm/memory.c 152-157 "   -+"'],
			['0.0 filemap_map_pmd whole -/62', '1.0 filemap_map_pmd whole 62/63', '2.0 do_anonymous_page part 4/4'],
			'do_set_pmd',
		],
		['003', '5.17', 'text', [], [], 'ptlock_free'],
		['004', '6.3', 'date', ['0 diff mm/filemap.c 114-125 "   -++++   "'], ['0.0 __folio_lock_or_retry part 7/10'], 'mmap_read_unlock'],
	])('%s', (prefix, kernel, kernelFrom, hunks, functions, mention) => {
		const document = seed(prefix);
		expect(document.problems).toEqual([]);
		expect(document.patches).toHaveLength(1);
		expect(document.patches[0]).toMatchObject({ kernel, kernelFrom, line: 1 });
		expect(showHunks(document)).toEqual(hunks);
		expect(showFunctions(document)).toEqual(functions);
		expect(document.mentions.map(({ name }) => name)).toContain(mention);
	});

	it('002: the suggestion amends the draft, which the kernel does not have', () => {
		const [, suggestion] = hunksOf(seed('002'));
		const [change] = suggestion?.functions ?? [];
		expect(change?.anchor).toBeNull();
		expect(change?.before?.filter(({ changed }) => changed).map(({ line }) => line)).toEqual([104, 118, 119]);
		expect(change?.after?.filter(({ changed }) => changed).map(({ line }) => line)).toEqual([113, 114, 115, 116]);
	});

	it('003: columns point into the one long line', () => {
		const document = seed('003');
		const text = readFileSync(join(FOLDER, document.source), 'utf8');
		for (const { name, places } of document.mentions)
			for (const { line, column } of places) expect([line, text.slice(column, column + name.length)]).toEqual([1, name]);
	});
});
