import type { Heat, MatrixCell, MatrixFinding, MatrixPatch, MatrixRow, ReportAnswer } from '../../server/session/results-protocol.ts';
import { button, counted, html } from './dom.ts';

/** What the table asks for. */
export interface MatrixActions {
	open(finding: number): void;
	reveal(line: number): void;
}

/** By heat: what stands in a cell, so that colour is never all that tells, and what it means. */
const SIGNS: Readonly<Record<Heat, readonly [sign: string, meaning: string]>> = {
	error: ['✕', 'harm or a leak that was not there before'],
	warning: ['▲', 'costs more'],
	information: ['▼', 'better than before'],
	same: ['·', 'no difference that matters'],
	none: ['', 'not run'],
};

const SEVERITIES: Readonly<Record<string, Heat>> = { error: 'error', warning: 'warning', information: 'information' };

export function matrixPage(name: string, { state, detail, matrix }: ReportAnswer, actions: MatrixActions): HTMLElement {
	const head = html('header', {}, html('h1', {}, name), stateLine(state, detail));
	if (matrix === null) return html('div', {}, head);
	const patches = matrix.patches.filter(({ rows, findings, notes }) => rows.length + findings.length + notes.length > 0);
	const nothing = state === 'reviewed' && patches.length === 0 ? html('p', {}, 'There is no hunk in it that has a place in the simulated kernel.') : null;
	return html('div', {}, head, nothing, ...patches.map((patch) => patchSection(patch, actions)));
}

function stateLine(state: ReportAnswer['state'], detail: string): HTMLElement | null {
	const said = {
		closed: 'This document is no longer open, or it is no patch.',
		running: 'Scenarios are running…',
		failed: `Not simulated: ${detail}.`,
		reviewed: '',
	}[state];
	return said === '' ? null : html('p', { class: `state ${state}` }, said);
}

function patchSection(patch: MatrixPatch, actions: MatrixActions): HTMLElement {
	const { subject, kernel, changedLines, executedLines, findings, rows, notes } = patch;
	const telling = rows.filter(({ cells }) => cells.some(({ heat }) => heat !== 'same' && heat !== 'none'));
	const quiet = rows.filter((row) => !telling.includes(row));
	const ran = changedLines === 0 ? '' : ` ${executedLines} of ${counted(changedLines, 'changed line')} that can run did run.`;
	return html(
		'section',
		{},
		html('h2', {}, subject === '' ? 'Patch without a subject' : subject),
		html('p', { class: 'quiet' }, `Linux ${kernel}, ${counted(rows.length, 'scenario')}, ${counted(findings.length, 'finding')}.${ran}`),
		findings.length === 0 ? null : findingList(findings, actions),
		telling.length === 0 ? null : grid(patch, telling, actions),
		quiet.length === 0
			? null
			: html(
					'details',
					{},
					html('summary', {}, `${counted(quiet.length, 'scenario')} without a difference`),
					html('p', { class: 'quiet' }, quiet.map(({ label }) => label).join('; ')),
				),
		notes.length === 0
			? null
			: html(
					'details',
					{},
					html('summary', {}, counted(notes.length, 'note')),
					html('ul', { class: 'notes' }, ...notes.map(({ rule, line, message }) => html('li', {}, lineButton(line, actions), ` ${rule}: ${message}`))),
				),
	);
}

function findingList(findings: readonly MatrixFinding[], actions: MatrixActions): HTMLElement {
	return html(
		'ul',
		{ class: 'findings', 'aria-label': 'Findings' },
		...findings.map((finding) => {
			const { number, rule, severity, line, message } = finding;
			const heat = SEVERITIES[severity] ?? 'same';
			return html(
				'li',
				{},
				html('span', { class: `sign ${heat}`, 'aria-hidden': 'true' }, SIGNS[heat][0]),
				html(
					'span',
					{},
					html('strong', {}, `#${number} ${rule}`),
					html('span', { class: 'heard' }, `, ${severity}`),
					' ',
					lineButton(line, actions),
					` ${message}`,
				),
				button('Step through', () => actions.open(number), { 'aria-label': `Step through finding ${number}, ${rule}`, 'data-finding': number }),
			);
		}),
	);
}

function lineButton(line: number, actions: MatrixActions): HTMLElement {
	return button(`line ${line}`, () => actions.reveal(line), { class: 'link' });
}

/** A grid that is one stop of the Tab key: arrows move in it, Enter and a click show what a cell is about. */
function grid({ architectures, subject }: MatrixPatch, rows: readonly MatrixRow[], actions: MatrixActions): HTMLElement {
	const details = html('div', { class: 'details', role: 'region', 'aria-live': 'polite', 'aria-label': 'Selected cell' });
	const cells: HTMLElement[][] = rows.map((row) => row.cells.map((cell) => cellOf(row, cell, () => select(row, cell))));

	function select(row: MatrixRow, cell: MatrixCell): void {
		for (const one of cells.flat()) one.setAttribute('aria-selected', 'false');
		cells[rows.indexOf(row)]?.[row.cells.indexOf(cell)]?.setAttribute('aria-selected', 'true');
		details.replaceChildren(
			html('strong', {}, `${row.label} on ${cell.arch}`),
			cell.said.length === 0 ? html('p', { class: 'quiet' }, SIGNS[cell.heat][1]) : html('ul', {}, ...cell.said.map((text) => html('li', {}, text))),
			...cell.findings.map((number) => button(`Step through #${number}`, () => actions.open(number))),
		);
	}

	function move(event: Event): void {
		const { key } = event as KeyboardEvent;
		const step = STEPS[key];
		const at = cells.findIndex((row) => row.includes(document.activeElement as HTMLElement));
		const column = cells[at]?.indexOf(document.activeElement as HTMLElement) ?? -1;
		if (at < 0 || (step === undefined && key !== 'Home' && key !== 'End')) return;
		event.preventDefault();
		const y = Math.min(Math.max(0, at + (step?.[1] ?? 0)), cells.length - 1);
		const last = (cells[y]?.length ?? 1) - 1;
		const x = key === 'Home' ? 0 : key === 'End' ? last : Math.min(Math.max(0, column + (step?.[0] ?? 0)), last);
		focus(cells[y]?.[x]);
	}

	function focus(cell: HTMLElement | undefined): void {
		for (const one of cells.flat()) one.tabIndex = -1;
		if (cell === undefined) return;
		cell.tabIndex = 0;
		cell.focus();
	}

	const first = cells[0]?.[0];
	if (first !== undefined) first.tabIndex = 0;
	const head = html(
		'tr',
		{},
		html('th', { scope: 'col' }, 'scenario'),
		...architectures.map((arch) => html('th', { scope: 'col', class: 'arch' }, html('span', {}, arch))),
	);
	const body = rows.map((row, y) => html('tr', {}, html('th', { scope: 'row' }, row.label), ...(cells[y] ?? [])));
	return html(
		'div',
		{ class: 'matrix' },
		html(
			'div',
			{ class: 'scrolled' },
			html(
				'table',
				{ role: 'grid', 'aria-label': `Scenarios by architecture: ${subject}`, keydown: move },
				html('thead', {}, head),
				html('tbody', {}, ...body),
			),
		),
		legend(),
		details,
	);
}

const STEPS: Readonly<Record<string, readonly [x: number, y: number]>> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function cellOf({ label }: MatrixRow, { arch, heat, findings, said }: MatrixCell, press: () => void): HTMLElement {
	const [sign, meaning] = SIGNS[heat];
	const numbers = findings.length === 0 ? '' : `#${findings.join(',')}`;
	const name = [`${label} on ${arch}: ${meaning}`, numbers === '' ? '' : `findings ${numbers}`, said[0] ?? ''].filter((part) => part !== '').join('; ');
	return html(
		'td',
		{
			...{ role: 'gridcell', class: `cell ${heat}`, tabindex: -1, 'aria-label': name, 'aria-selected': 'false', title: said[0] ?? meaning },
			click: press,
			keydown: (event) => {
				const { key } = event as KeyboardEvent;
				if (key !== 'Enter' && key !== ' ') return;
				event.preventDefault();
				press();
			},
		},
		html('span', { class: 'sign', 'aria-hidden': 'true' }, sign),
		numbers === '' ? null : html('span', { class: 'number', 'aria-hidden': 'true' }, numbers),
	);
}

function legend(): HTMLElement {
	const shown: readonly Heat[] = ['error', 'warning', 'information', 'same'];
	return html(
		'p',
		{ class: 'legend quiet' },
		...shown.map((heat) => html('span', {}, html('span', { class: `sign ${heat}`, 'aria-hidden': 'true' }, SIGNS[heat][0]), ` ${SIGNS[heat][1]}`)),
	);
}
