import type { Form, ScenarioText } from './ast.ts';
import { formOf, type Line } from './form.ts';
import { NAME, type Problem, withoutComment } from './lex.ts';
import { merged } from './merge.ts';

export type { Problem } from './lex.ts';

/** What is read of a document at most, and told about it. */
const MAX = { text: 1 << 20, line: 2000, scenarios: 200, values: 16, problems: 100 } as const;

export interface Parsed {
	/** Those without a problem, in order. */
	readonly scenarios: readonly ScenarioText[];
	/** In the order of the lines. */
	readonly problems: readonly Problem[];
}

/** Reads the scenarios of a document. Never throws. A scenario with a problem is left out; the others are read. */
export function parseScenarios(text: string, file: string): Parsed {
	const problems: Problem[] = [];
	const seen = new Set<string>();
	const wrong = (line: number, character: number, message: string): void => {
		const key = `${line} ${character} ${message}`;
		// Every variant of a scenario meets the same problem.
		if (!seen.has(key) && seen.size < MAX.problems) problems.push({ file, line, character, message });
		seen.add(key);
	};
	const scenarios: ScenarioText[] = [];
	const names = new Set<string>();
	for (const block of blocksOf(text, wrong)) {
		const before = seen.size;
		const scenario = scenarioOf(block, file, wrong);
		if (scenario !== null && names.has(scenario.name))
			wrong(scenario.line, 1, `a scenario called ${scenario.name} comes before in this file: give it another name`);
		if (scenario !== null && seen.size === before) checkVary(scenario, block, wrong);
		if (scenario === null || seen.size > before) continue;
		names.add(scenario.name);
		scenarios.push(scenario);
	}
	return { scenarios, problems: problems.sort((a, b) => a.line - b.line || a.character - b.character) };
}

type Wrong = (line: number, character: number, message: string) => void;

/** The lines of each scenario, the one that names it first. */
function blocksOf(text: string, wrong: Wrong): Line[][] {
	if (text.length > MAX.text) wrong(1, 1, `the file is longer than ${MAX.text} characters: what comes after them is not read`);
	const blocks: Line[][] = [];
	let strayed = false;
	for (const [at, raw] of text.slice(0, MAX.text).split('\n').entries()) {
		const number = at + 1;
		if (raw.length > MAX.line) {
			wrong(number, MAX.line, `the line is longer than ${MAX.line} characters`);
			continue;
		}
		const line = withoutComment(number === 1 ? raw.replace(/^\uFEFF/, ' ') : raw);
		if (line.trim() === '') continue;
		if (/^\s*scenario(\s|$)/.test(line)) blocks.push([{ text: line, number }]);
		else if (blocks.length > 0) blocks.at(-1)?.push({ text: line, number });
		else if (!strayed) {
			strayed = true;
			wrong(number, 1, 'a scenario begins with a line such as "scenario mprotect-remote"; what comes before it is not read');
		}
	}
	if (blocks.length > MAX.scenarios) wrong(blocks[MAX.scenarios]?.[0]?.number ?? 1, 1, `more than ${MAX.scenarios} scenarios in a file: split it`);
	return blocks.slice(0, MAX.scenarios);
}

/** Null when something could not be read. */
function scenarioOf(block: readonly Line[], file: string, tell: Wrong): ScenarioText | null {
	const [first, ...lines] = block as [Line, ...Line[]];
	let wrongs = 0;
	const wrong: Wrong = (...where) => {
		wrongs++;
		tell(...where);
	};
	const name = nameOf(first, wrong);
	const said = sayingsOf(lines, wrong);
	const vary = varyOf(said.get('vary') ?? [], wrong);
	const rest = lines.filter(({ text }) => !SAYINGS.has(wordOf(text)));
	const forms = (vary?.values ?? ['']).map((value) => formOf(rest, value, new Map(vary === null ? [] : [[vary.name, value]]), wrong));
	const family = familyOf(said.get('family') ?? [], wrong);
	const exercises = exercisesOf(said.get('exercises') ?? [], wrong);
	const doc = (said.get('doc') ?? []).map((line) => afterWord(line.text).text.replace(/\s+/g, ' ')).join(' ');
	// What is missing may be what could not be read.
	if (wrongs > 0) return null;
	checkWhole(forms[0] as Form, doc, first.number, wrong);
	return { name, family, doc, file, line: first.number, vary, exercises, forms };
}

/** Lines of the header that the programs do not depend on. */
const SAYINGS: ReadonlySet<string> = new Set(['family', 'doc', 'vary', 'exercises']);

const wordOf = (line: string): string => line.trimStart().split(/\s/, 1)[0] ?? '';

/** The text behind the first word, and the 1-based column at which it begins. */
function afterWord(line: string): { readonly text: string; readonly character: number } {
	const start = line.length - line.trimStart().length + wordOf(line).length;
	const text = line.slice(start);
	return { text: text.trim(), character: start + (text.length - text.trimStart().length) + 1 };
}

function sayingsOf(lines: readonly Line[], wrong: Wrong): Map<string, Line[]> {
	const said = new Map<string, Line[]>();
	for (const line of lines) {
		const word = wordOf(line.text);
		if (!SAYINGS.has(word)) continue;
		const same = said.get(word) ?? [];
		if (same.length > 0 && (word === 'family' || word === 'vary')) wrong(line.number, 1, `a scenario has one ${word} line`);
		said.set(word, [...same, line]);
	}
	return said;
}

function nameOf(line: Line, wrong: Wrong): string {
	const { text, character } = afterWord(line.text);
	if (text === '') wrong(line.number, character, 'the scenario has no name: write "scenario my-name"');
	else if (!NAME.test(text) || text.length > 64) wrong(line.number, character, 'the name of a scenario is letters, digits and hyphens, at most 64');
	return text;
}

function familyOf([line]: readonly Line[], wrong: Wrong): string {
	if (line === undefined) return 'user';
	const { text, character } = afterWord(line.text);
	if (!NAME.test(text)) wrong(line.number, character, 'the name of a family is one word of letters, digits and hyphens');
	return text;
}

function exercisesOf(lines: readonly Line[], wrong: Wrong): string[] {
	return lines.flatMap((line) => {
		const { text, character } = afterWord(line.text);
		const names = text.split(/[\s,]+/).filter(Boolean);
		if (names.some((name) => !/^\w{1,80}$/.test(name))) wrong(line.number, character, 'exercises lists names of kernel functions, separated by spaces');
		return names;
	});
}

/** `vary pages 1 8 64`. */
function varyOf([line]: readonly Line[], wrong: Wrong): ScenarioText['vary'] {
	if (line === undefined) return null;
	const { text, character } = afterWord(line.text);
	const [name = '', ...values] = text.split(/\s+/);
	const bad = values.find((value) => !isValue(value));
	if (!NAME.test(name)) wrong(line.number, character, 'vary names a parameter and its values, as in "vary pages 1 8 64"');
	else if (values.length === 0 || values.length > MAX.values)
		wrong(line.number, character, `vary ${name} needs 1 to ${MAX.values} values, as in "vary pages 1 8 64"`);
	else if (bad !== undefined) wrong(line.number, character, `${JSON.stringify(bad.slice(0, 40))} cannot be a value: a number, a word or a version can`);
	else if (new Set(values).size < values.length) wrong(line.number, character, `vary ${name} has a value twice`);
	else return { name, values };
	return null;
}

function checkVary({ vary, forms }: ScenarioText, block: readonly Line[], wrong: Wrong): void {
	if (vary === null || merged(forms, vary) !== null) return;
	const line = block.find(({ text }) => wordOf(text) === 'vary')?.number ?? 1;
	wrong(line, 1, `$${vary.name} stands for different kinds of things: its values must fit the same place, as 1 8 64 do`);
}

function isValue(value: string): boolean {
	return /^\d{1,10}(\.\d+)?$/.test(value) || (NAME.test(value) && value.length <= 40);
}

/** Nothing is missing, and counting begins once and ends once. */
function checkWhole(form: Form, doc: string, line: number, wrong: Wrong): void {
	if (doc === '') wrong(line, 1, 'the scenario has no doc line: say in a sentence what happens in it');
	if (form.columns.length === 0) wrong(line, 1, 'the scenario has no columns: begin them with a line such as "CPU0  CPU1"');
	else if (!form.rows.some((row) => row.kind === 'steps')) wrong(line, 1, 'the scenario has no steps after its columns');
	let measuring = false;
	let began = false;
	for (const row of form.rows) {
		if (row.kind === 'measure') {
			if (began) wrong(row.line, 1, 'measure comes once');
			[measuring, began] = [true, true];
		} else if (row.kind === 'end') {
			if (!measuring) wrong(row.line, 1, 'nothing is being measured: "measure" comes first');
			measuring = false;
		}
	}
}
