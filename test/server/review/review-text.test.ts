import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatTable } from '../../../server/formats/table.ts';
import { formatText } from '../../../server/formats/text.ts';
import { reviewText } from '../../../server/review/review-text.ts';
import { DEFAULT_SETTINGS } from '../../../server/review/settings.ts';
import { fakeSimulator } from './fake-simulator.ts';

const schema = JSON.parse(readFileSync(new URL('../../../docs/report.schema.json', import.meta.url), 'utf8'));
const validate = new Ajv({ strict: false }).compile(schema);

/** Reviews any input and checks that every face can print it. */
function reviewAny(source: string, input: Uint8Array | string) {
	const document = reviewText(source, input, fakeSimulator(), DEFAULT_SETTINGS);
	const report = { schema: 1, faultline: '0.0.0', documents: [document] } as const;
	validate(JSON.parse(JSON.stringify(report)));
	expect(validate.errors).toBeNull();
	for (const format of [formatText, formatTable]) expect(format(report, { colour: false })).not.toMatch(/undefined|\[object/);
	return document;
}

const DRAFT = [
	'diff --git a/mm/memory.c b/mm/memory.c',
	'--- a/mm/memory.c',
	'+++ b/mm/memory.c',
	'@@ -10,4 +10,5 @@ static int do_fault(struct vm_fault *vmf)',
	' \twork();',
	'-\tflush(3);',
	'+\tflush(1);',
	'+\tleak();',
	' \tmore();',
	' \tlast();',
];
const WORDS = [
	...DRAFT,
	'',
	'-- ',
	'> +\tleak();',
	'@@',
	'@@ -0,0 +1 @@',
	'/*',
	'*/',
	'"',
	'+}',
	'-{',
	'\\ No newline at end of file',
	'Subject: [PATCH v2 2/3] x',
	'From a Mon',
];

it('finds what the patch adds', () => {
	const [patch] = reviewAny('x.patch', DRAFT.join('\n')).patches;
	expect(patch?.findings.map((f) => [f.rule, f.line])).toEqual([['folio-leak', 7]]);
});

it('reviews any text', () => {
	fc.assert(
		fc.property(fc.array(fc.constantFrom(...WORDS), { maxLength: 40 }), (lines) => void reviewAny('any', lines.join('\n'))),
		{ numRuns: 200, seed: 1 },
	);
});

it('reviews any bytes', () => {
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void reviewAny('any', bytes)),
		{ numRuns: 200, seed: 1 },
	);
});

const SEEDS = new URL('../../../../shared/seeds/', import.meta.url);
if (!existsSync(SEEDS)) console.log('skipped: the mails in ../shared/seeds are not here');
it.skipIf(!existsSync(SEEDS))('reviews the mails of the seed threads', () => {
	for (const name of readdirSync(SEEDS)) reviewAny(name, readFileSync(new URL(name, SEEDS)));
});
