import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ruleAddress } from '../../server/features/diagnostic-items.ts';
import { rules } from '../../server/review/rules.ts';
import { catalogue } from '../../simulator/index.ts';

/** The reference pages are written by this test: `npx vitest run test/tidy/docs.test.ts -u` after a change of the tables. */
const cat = catalogue();
const cell = (text: string): string => text.replaceAll('|', '\\|');
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
	[head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');
const page = (title: string, ...parts: readonly string[]): string =>
	`${[`# ${title}`, 'Generated from the code by `test/tidy/docs.test.ts`.', ...parts].join('\n\n')}\n`;

const PAGES: readonly [name: string, text: string][] = [
	[
		'rules',
		page(
			'Rules',
			table(
				['rule', 'what it tells'],
				rules().map((r) => [`\`${r.id}\``, r.doc]),
			),
		),
	],
	[
		'metrics',
		page(
			'Metrics',
			table(
				['metric', 'unit', 'what it counts', 'rule'],
				cat.metrics().map((m) => [`\`${m.id}\``, m.unit, m.doc, m.rule === null ? '' : `\`${m.rule}\``]),
			),
		),
	],
	[
		'scenarios',
		page(
			'Scenarios',
			table(
				['scenario', 'family', 'what happens', 'variants'],
				cat.scenarios().map((s) => [`\`${s.name}\``, s.family, s.doc, s.variants.filter((v) => v !== '').join(', ')]),
			),
		),
	],
	[
		'abi',
		page(
			'What C code may name',
			`${cat.abi().length} names. Anything else is not modelled: reaching it ends the run with a note.`,
			table(
				['declaration or value', 'what it does', 'from', 'until'],
				cat.abi().map((e) => [`\`${e.kind === 'constant' ? `${e.name} = ${e.signature}` : e.signature}\``, e.doc, e.since ?? '', e.until ?? '']),
			),
			'## What differs by architecture',
			...cat.abi().flatMap((e) => (e.perArch === null ? [] : [`### ${e.name}`, table(['architecture', 'newest kernel'], Object.entries(e.perArch))])),
		),
	],
];

it.each(PAGES)('docs/%s.md says what the code says', async (name, text) => {
	await expect(text).toMatchFileSnapshot(`../../docs/${name}.md`);
});

it('each rule is described on the line that diagnostics lead to', () => {
	const page = readFileSync(new URL('../../docs/rules.md', import.meta.url), 'utf8').split('\n');
	for (const { id } of rules()) {
		const line = Number(/#L(\d+)$/.exec(ruleAddress(new URL('file:///rules.md'), id) ?? '')?.[1]);
		expect(page[line - 1]).toContain(`\`${id}\``);
	}
	expect(ruleAddress(new URL('file:///rules.md'), 'unusable')).toBeNull();
});
