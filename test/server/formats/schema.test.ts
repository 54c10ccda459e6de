import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { expect, it } from 'vitest';
import { runCommandLine } from '../../../server/cli/command.ts';
import { formatJson } from '../../../server/formats/json.ts';
import { testHost } from '../cli/host.ts';
import { body, reportOf } from './reports.ts';

const schema = (name: string) => new Ajv({ strict: false }).compile(JSON.parse(readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8')));

it.each([
	['findings of every kind', [body('-flush(4);\n+leak();\n+stale();\n+wait(5);')]],
	['notes', [body('+unknown();'), body('+work();', 'elsewhere')]],
	['a policy', [body('+on(spf) leak();', 'do_hidden')]],
	['a series', [{ series: { version: 2, n: 1, of: 2 }, ...body('+leak();') }]],
	['no patch', []],
])('prints a report with %s that its schema accepts', (_, patches) => {
	const validate = schema('report.schema.json');
	validate(JSON.parse(formatJson(reportOf(...patches))));
	expect(validate.errors).toBeNull();
});

it('refuses a report with a name that is not in the contract', () => {
	const report = JSON.parse(formatJson(reportOf(body('+leak();'))));
	const validate = schema('report.schema.json');
	expect(validate({ ...report, extra: 1 })).toBe(false);
	report.documents[0].patches[0].findings[0].line = 0;
	expect(validate(report)).toBe(false);
});

it('prints runs that their schema accepts', async () => {
	const host = testHost();
	expect(await runCommandLine(['run', 'touch', '--format', 'json'], host)).toBe(0);
	const validate = schema('run.schema.json');
	validate(JSON.parse(host.written.out));
	expect(validate.errors).toBeNull();
});
