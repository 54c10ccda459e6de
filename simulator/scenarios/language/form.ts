import type { Column, FileDecl, Form, MapStep, Need, Row, Step } from './ast.ts';
import { Cursor, Mistake } from './cursor.ts';
import { tokensOf } from './lex.ts';
import { LIMITS, Scope } from './scope.ts';
import { mapBody, stepOf } from './steps.ts';

/** A line of a scenario, without the lines that only the scenario as a whole is concerned with. */
export interface Line {
	readonly text: string;
	/** 1-based. */
	readonly number: number;
}

type Wrong = (line: number, character: number, message: string) => void;

const DECLARATIONS = ['needs', 'file', 'map'] as const;
const HEADER = ['family', 'doc', 'vary', 'exercises', ...DECLARATIONS] as const;
const NEEDS = ['kernel', 'swap', 'huge', 'hw-young', 'simulator'] as const;
const CPUS = 4;

/** Reads the program of one variant. What cannot be understood is told to `wrong`, and what follows it is read all the same. */
export function formOf(lines: readonly Line[], variant: string, values: ReadonlyMap<string, string>, wrong: Wrong): Form {
	const form = { variant, needs: [] as Need[], files: [] as FileDecl[], maps: [] as MapStep[], columns: [] as Column[], rows: [] as Row[] };
	// Columns come after the declarations, but scope must know of which processes there are: they are looked for first.
	const scope = new Scope(processesOf(lines, values));
	for (const { text, number } of lines) {
		const tokens = tokensOf(text, values, (character, message) => wrong(number, character, message));
		if (tokens[0]?.kind === 'end') continue;
		const c = new Cursor(tokens, number);
		try {
			if (isColumns(c.here.text) && form.columns.length === 0) form.columns.push(...columnsOf(c));
			else if (form.columns.length > 0) {
				const row = rowOf(c, scope, form.columns, form.rows.length, wrong);
				if (row.kind !== 'steps' || row.cells.some((cell) => cell.length > 0)) form.rows.push(row);
			} else declaration(c, scope, form);
			if (form.rows.length > LIMITS.rows) c.wrong(`more than ${LIMITS.rows} rows`);
		} catch (error) {
			if (!(error instanceof Mistake)) throw error;
			wrong(number, error.character, error.message);
			// Without columns no row means anything; what a declaration meant to name is taken to be there.
			if (isColumns(tokens[0]?.text ?? '') || form.rows.length > LIMITS.rows) break;
			if (form.columns.length === 0) scope.assume(tokens);
		}
	}
	return form;
}

const isColumns = (word: string): boolean => /^CPU\d+$/.test(word);

function processesOf(lines: readonly Line[], values: ReadonlyMap<string, string>): string[] {
	const header = lines.find(({ text }) => isColumns(text.trim().split(/\s/, 1)[0] ?? ''));
	if (header === undefined) return [];
	const words = tokensOf(header.text, values, () => {});
	return words.flatMap(({ kind, text }) => (kind === 'word' && !isColumns(text) ? [text] : []));
}

function declaration(c: Cursor, scope: Scope, form: { needs: Need[]; files: FileDecl[]; maps: MapStep[] }): void {
	const { character } = c.here;
	if (c.here.kind === 'symbol' || c.here.text === 'measure' || c.here.text === 'end')
		c.wrong('a step comes before the columns: begin them with a line such as "CPU0  CPU1"');
	const word = c.oneOf('a line of the header or the columns ("CPU0  CPU1")', HEADER);
	if (word === 'needs') form.needs.push(needOf(c));
	else if (word === 'file') form.files.push(fileOf(c, scope));
	else if (word === 'map') form.maps.push(mapOf(c, scope, form.maps, character));
	c.done(word);
}

function mapOf(c: Cursor, scope: Scope, known: readonly MapStep[], character: number): MapStep {
	const name = c.here;
	if (known.some((m) => m.name === name.text)) c.wrong(`a mapping called ${name.text} exists already`, name);
	return { ...mapBody(c, scope, 'map'), line: c.line, character, expect: [] };
}

function needOf(c: Cursor): Need {
	const what = c.oneOf('what is needed', NEEDS);
	if (what !== 'kernel') return { line: c.line, what, since: null, until: null };
	const since = c.here.kind === 'number' ? version(c) : null;
	if (!(c.takes('.') && c.takes('.'))) c.wrong('versions are written 6.4.. (and later), ..6.0 (and earlier) or 5.8..6.0');
	const until = c.here.kind === 'number' ? version(c) : null;
	if (since === null && until === null) c.wrong('a version is expected, as in 6.4.. or ..6.0');
	return { line: c.line, what, since, until };
}

function version(c: Cursor): string {
	const major = c.number('the version', 2, 99);
	if (!c.takes('.')) c.wrong('a version has two numbers, as in 6.4');
	return `${major}.${c.number('the version', 0, 99)}`;
}

const FILE_OPTIONS = ['cached', 'cold', 'disk', 'shmem', 'order'] as const;

function fileOf(c: Cursor, scope: Scope): FileDecl {
	const name = c.word('a name for the file').text;
	const pages = c.number('the number of pages', 1, LIMITS.pages);
	let kind: FileDecl['kind'] = 'disk';
	let cache: FileDecl['cache'] = 'cached';
	let order = 0;
	while (!c.atEnd) {
		const option = c.oneOf('an option of the file', FILE_OPTIONS);
		if (option === 'disk' || option === 'shmem') kind = option;
		else if (option === 'order') order = c.number('the order of its folios', 0, 9);
		else cache = option;
	}
	if (pages % (1 << order) !== 0) c.wrong(`a file of order ${order} has a multiple of ${1 << order} pages`);
	scope.declareFile(c, name, pages);
	return { line: c.line, name, pages, kind, cache, order };
}

/** `CPU0  CPU1  CPU1 child`. A bar between columns is allowed. */
function columnsOf(c: Cursor): Column[] {
	const columns: Column[] = [];
	while (!c.atEnd) {
		if (columns.length > 0) c.takes('|');
		const token = c.word('a column such as CPU1');
		const cpu = Number(/^CPU(\d)$/.exec(token.text)?.[1] ?? Number.NaN);
		if (!(cpu < CPUS)) c.wrong(`the machine has CPU0 to CPU${CPUS - 1}`, token);
		const process = c.here.kind === 'word' && !isColumns(c.here.text) ? c.word('a process').text : '';
		if (columns.some((other) => other.cpu === cpu && other.process === process)) c.wrong('two columns are the same', token);
		columns.push({ cpu, process });
		if (columns.length > CPUS) c.wrong(`more than ${CPUS} columns`, token);
	}
	if (!columns.some(({ process }) => process === '')) c.wrong('the first process has no column: write one without a name, such as CPU0');
	return columns;
}

function rowOf(c: Cursor, scope: Scope, columns: readonly Column[], index: number, wrong: Wrong): Row {
	if (c.here.text === 'measure' || c.here.text === 'end') {
		const kind = c.here.text;
		c.takes(kind);
		c.done(kind);
		return { kind, line: c.line };
	}
	scope.row = index;
	const cells: Step[][] = columns.map(() => []);
	for (let column = 0; !c.atEnd; column++) {
		const { process } =
			columns[column] ?? c.wrong(`there ${columns.length === 1 ? 'is 1 column' : `are ${columns.length} columns`}, and this is cell ${column + 1}`);
		scope.process = process;
		(cells[column] as Step[]).push(...cellOf(c, scope, wrong));
		const ended = scope.endedIn(index);
		if (ended !== null && columns.some((other, i) => i < column && other.process === ended && (cells[i] as Step[]).length > 0))
			c.wrong('a process ends in a row of its own: a cell before this one belongs to it');
	}
	return { kind: 'steps', line: c.line, cells };
}

/** The steps up to the next bar. A step that is wrong does not hide what is wrong after it. */
function cellOf(c: Cursor, scope: Scope, wrong: Wrong): Step[] {
	const steps: Step[] = [];
	while (!c.atEnd && !c.takes('|')) {
		try {
			steps.push(stepOf(c, scope));
			if (!c.atEnd && c.here.text !== '|' && !c.takes(';')) c.wrong('steps of a cell are separated by ";", cells by "|"');
		} catch (error) {
			if (!(error instanceof Mistake)) throw error;
			wrong(c.line, error.character, error.message);
			c.skipTo(';', '|');
			c.takes(';');
		}
	}
	return steps;
}
