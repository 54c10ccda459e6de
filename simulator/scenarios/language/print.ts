import type { Column, FileDecl, Form, MapStep, Need, Row, ScenarioText, Spot, Step, Target } from './ast.ts';
import { merged } from './merge.ts';

/** Columns of a line, where the text allows it. */
const WIDTH = 78;

/** The scenario as text that parses to the same. */
export function printScenario(scenario: ScenarioText): string {
	const { name, family, doc, vary, exercises, forms } = scenario;
	const form = (vary === null ? forms[0] : merged(forms, vary)) as Form;
	return [
		`scenario ${name}`,
		`family ${family}`,
		...wrapped('doc', doc),
		...(vary === null ? [] : [`vary ${vary.name} ${vary.values.join(' ')}`]),
		...(exercises.length === 0 ? [] : wrapped('exercises', exercises.join(' '))),
		...form.needs.map(needText),
		...form.files.map(fileText),
		...form.maps.map(stepText),
		'',
		...printRows(form.columns, form.rows.map(rowCells)),
		'',
	].join('\n');
}

export function printScenarios(scenarios: readonly ScenarioText[]): string {
	return scenarios.map(printScenario).join('\n');
}

/** A row as its cells' texts, or the word of a row that has no cells. */
export type PrintedRow = string | readonly string[];

function rowCells(row: Row): PrintedRow {
	return row.kind === 'steps' ? row.cells.map((cell) => cell.map(stepText).join('; ')) : row.kind;
}

/** The heading and the rows, columns aligned. A column is as wide as its widest cell needs. */
export function printRows(columns: readonly Column[], rows: readonly PrintedRow[]): string[] {
	const heads = columns.map(columnText);
	const width = heads.map((head, i) => Math.max(head.length, ...rows.map((row) => (typeof row === 'string' ? 0 : (row[i] ?? '').length))) + 1);
	const line = (cells: readonly string[], bar: string): string => {
		const last = cells.findLastIndex((cell) => cell !== '');
		return cells
			.slice(0, last + 1)
			.map((cell, i) => (i < last ? cell.padEnd(width[i] as number) : cell))
			.join(bar);
	};
	return [line(heads, '  '), ...rows.map((row) => (typeof row === 'string' ? row : line(row, '| ')))];
}

/** Lines of at most 78 columns that each begin with the keyword. */
function wrapped(keyword: string, text: string): string[] {
	const lines: string[] = [];
	let line = keyword;
	for (const word of text.split(' ')) {
		if (line !== keyword && line.length + 1 + word.length > WIDTH) {
			lines.push(line);
			line = keyword;
		}
		line += ` ${word}`;
	}
	return [...lines, line];
}

function needText({ what, since, until }: Need): string {
	return what === 'kernel' ? `needs kernel ${since ?? ''}..${until ?? ''}` : `needs ${what}`;
}

function fileText({ name, pages, kind, cache, order }: FileDecl): string {
	return words('file', name, pages, unless(cache, 'cached'), unless(kind, 'disk'), Number(order) === 0 ? '' : `order ${order}`);
}

export function columnText({ cpu, process }: Column): string {
	return words(`CPU${cpu}`, process);
}

/** The step as it is written. */
export function stepText(step: Step): string {
	return words(step.op, ...operands(step), step.expect.length === 0 ? '' : `-> ${step.expect.join(' or ')}`);
}

function operands(step: Step): readonly (string | number)[] {
	switch (step.op) {
		case 'map':
			return mapOperands(step);
		case 'load':
		case 'store':
		case 'read':
		case 'write':
		case 'pin-load':
		case 'pin-store':
		case 'device-load':
		case 'device-store':
			return [targetText(step.target), step.value === null ? '' : `= ${step.value}`];
		case 'mprotect':
			return [targetText(step.target), step.prot];
		case 'madvise':
			return [targetText(step.target), step.advice];
		case 'mremap':
			return [targetText(step.target), step.pages, step.to === null ? '' : `to ${step.to}`, spotText(step.at)];
		case 'fork':
			return [step.process];
		case 'fsync':
			return [step.name];
		case 'truncate':
			return [step.name, step.pages];
		case 'pin':
			return [targetText(step.target), unless(step.access, 'read')];
		case 'wait':
			return [step.cycles];
		case 'exit':
		case 'clear_refs':
		case 'device-attach':
			return [];
		default:
			return [targetText(step.target)];
	}
}

function mapOperands({ name, source, pages, prot, sharing, thp, offset, at }: MapStep): readonly (string | number)[] {
	return [name, source, pages, prot, unless(sharing, 'private'), unless(thp, 'small'), Number(offset) === 0 ? '' : `offset ${offset}`, spotText(at)];
}

const spotText = (at: Spot | null): string => (at === null ? '' : `at ${at.name}+${at.page}`);

function targetText({ name, first, pages, stride }: Target): string {
	const every = Number(stride) === 1 ? '' : `:${stride}`;
	if (pages === null) return Number(first) === 0 && every === '' ? name : `${name}[${first}+${every}]`;
	return Number(pages) === 1 && every === '' ? `${name}[${first}]` : `${name}[${first}+${pages}${every}]`;
}

const unless = (word: string, usual: string): string => (word === usual ? '' : word);

const words = (...parts: readonly (string | number)[]): string => parts.filter((part) => part !== '').join(' ');
