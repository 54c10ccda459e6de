import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { root } from './sources.ts';

/** The table of settings is written by this test: `npx vitest run test/tidy/readme.test.ts -u` after a change of the manifest. */
interface Property {
	readonly default: unknown;
	readonly markdownDescription: string;
}

const BEGIN = '<!-- settings -->\n';
const END = '<!-- /settings -->\n';

function tableOf(properties: Readonly<Record<string, Property>>): string {
	const cell = (text: string): string => text.replaceAll('|', '\\|');
	const rows = Object.entries(properties).map(([name, { default: value, markdownDescription }]) => {
		return `| \`${name}\` | \`${JSON.stringify(value)}\` | ${cell(markdownDescription)} |`;
	});
	return ['| setting | default | what it does |', '|---|---|---|', ...rows, ''].join('\n');
}

it("README's table of settings says what the manifest says", async () => {
	const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
	const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
	const [start, end] = [readme.indexOf(BEGIN) + BEGIN.length, readme.indexOf(END)];
	expect(start).toBeGreaterThan(BEGIN.length);
	expect(end).toBeGreaterThanOrEqual(start);
	const wanted = readme.slice(0, start) + tableOf(manifest.contributes.configuration.properties) + readme.slice(end);
	await expect(wanted).toMatchFileSnapshot('../../README.md');
});
