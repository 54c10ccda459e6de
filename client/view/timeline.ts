import type { Timeline, TimelineSide, TimelineStep } from '../../server/session/results-protocol.ts';
import { button, counted, html } from './dom.ts';
import { type LaneView, lanes } from './lanes.ts';
import { firstStep, nextDifference, stateAt } from './state.ts';

export interface Position {
	readonly side: 'before' | 'after';
	readonly at: number;
}

export interface TimelineActions {
	back(): void;
	reveal(line: number): void;
	text(): void;
	replay(side: 'before' | 'after'): void;
	/** The position changed; `said` is for screen readers. */
	moved(position: Position, said: string): void;
}

/** Rows of the schedule that are shown above and below the present one. */
const AROUND = 6;
/** Objects of one kind whose state is shown. */
const MOST_OBJECTS = 10;

const TABLES = [
	['tlb', 'TLB entries'],
	['entry', 'Page-table entries'],
	['lock', 'Locks'],
	['folio', 'Folios'],
] as const;

/** A finding's run, step by step: forwards and backwards on either side, with what is in TLBs, page tables and locks by then. */
export function timelinePage(timeline: Timeline, actions: TimelineActions, start?: Position): HTMLElement {
	const { number, rule, severity, line, message, about, program } = timeline;
	const text = new Map(timeline.lines);
	let { side, at } = start ?? { side: 'after' as const, at: firstStep(timeline.after.steps) };
	let overview: LaneView | undefined;

	const place = html('span', { class: 'place' });
	const slider = html('input', { type: 'range', min: 0, 'aria-label': 'Step', input: () => go(Number(slider.value)) });
	const sides = html('div', { class: 'sides', role: 'radiogroup', 'aria-label': 'Side of the patch' }, ...(['before', 'after'] as const).map(sideButton));
	const drawn = html('div', { class: 'lanes' });
	const step = html('div', { class: 'step', 'data-kind': '' });
	const schedule = html('div', { class: 'scrolled schedule' });
	const state = html('div', { class: 'states' });

	const shown = (): TimelineSide => timeline[side];
	const clamp = (i: number): number => Math.min(Math.max(0, i), Math.max(0, shown().steps.length - 1));

	function sideButton(which: 'before' | 'after'): HTMLElement {
		return button(which === 'before' ? 'Before the patch' : 'After the patch', () => turn(which), { role: 'radio', 'data-side': which });
	}

	function turn(which: 'before' | 'after'): void {
		if (which === side) return;
		const beside = shown().steps[at]?.beside ?? 0;
		side = which;
		at = clamp(beside);
		overview = undefined;
		draw();
	}

	function go(to: number | null): void {
		if (to === null) return;
		at = clamp(to);
		draw();
	}

	function draw(): void {
		const { steps, cpus, gap } = shown();
		const present = steps[at];
		if (overview === undefined) {
			overview = lanes(shown(), go);
			drawn.replaceChildren(overview.element);
		}
		overview.at(at);
		for (const one of sides.children) {
			const isOn = one.getAttribute('data-side') === side;
			one.setAttribute('aria-checked', String(isOn));
			(one as HTMLElement).tabIndex = isOn ? 0 : -1;
		}
		slider.max = String(Math.max(0, steps.length - 1));
		slider.value = String(at);
		const name = steps.length === 0 ? 'nothing runs' : `Step ${at + 1} of ${steps.length}`;
		slider.setAttribute('aria-valuetext', present === undefined ? name : `${name}: ${spoken(present)}`);
		place.textContent = `${name}, ${counted(steps.filter(({ differs }) => differs).length, 'step')} only on this side`;
		step.replaceChildren(...(present === undefined ? [] : stepParts(present)));
		step.setAttribute('data-kind', present?.kind ?? '');
		schedule.replaceChildren(scheduleTable(steps, cpus, gap));
		state.replaceChildren(...TABLES.map(([table, title]) => stateTable(table, title)));
		actions.moved({ side, at }, present === undefined ? name : `${name}. ${spoken(present)}`);
	}

	function stepParts({ cpu, task, place: where, call, text: said, differs, line: at, kind }: TimelineStep): HTMLElement[] {
		const who = [
			`CPU${cpu}${task === '' ? '' : ` ${task.replace(/^CPU\d+ ?/, '')}`}`.trimEnd(),
			where === '' ? 'user space' : `in ${where}`,
			call === '' ? '' : `during ${call}`,
		];
		const code = at === null ? undefined : text.get(at);
		return [
			html('p', { class: 'quiet' }, who.filter((part) => part !== '').join(', ')),
			html('p', { class: `what ${kind}` }, differs ? html('span', { class: 'only' }, `only ${side}`) : null, said),
			at === null
				? html('p', { class: 'quiet' }, 'No line of the patch is running.')
				: html(
						'p',
						{},
						button(`line ${at}`, () => actions.reveal(at), { class: 'link' }),
						' ',
						html('code', { class: signOf(code) }, code ?? ''),
					),
		];
	}

	function scheduleTable(steps: readonly TimelineStep[], cpus: TimelineSide['cpus'], gap: TimelineSide['gap']): HTMLElement {
		const from = Math.max(0, Math.min(at - AROUND, steps.length - 1 - 2 * AROUND));
		const rows = steps.slice(from, from + 2 * AROUND + 1).flatMap((one, k) => {
			const i = from + k;
			const columns = cpus.map(({ cpu }) => html('td', {}, cpu === one.cpu ? html('span', { class: one.kind }, one.text) : null));
			const row = html(
				'tr',
				{ class: one.differs ? 'differs' : '', 'aria-current': i === at ? 'step' : undefined, click: () => go(i) },
				html('td', { class: 'quiet' }, String(i + 1)),
				html('td', { class: 'mark', 'aria-label': one.differs ? `only ${side}` : '' }, one.differs ? (side === 'before' ? '−' : '+') : ''),
				html('td', { class: 'quiet' }, one.line === null ? '' : `:${one.line}`),
				...columns,
			);
			const left =
				gap?.at === i ? [html('tr', {}, html('td', { colspan: 3 + cpus.length, class: 'quiet' }, `… ${counted(gap.steps, 'step')} left out …`))] : [];
			return [...left, row];
		});
		const heads = cpus.map(({ cpu, tasks }) => html('th', { scope: 'col' }, `CPU${cpu} ${tasks}`.trimEnd()));
		return html(
			'table',
			{ 'aria-label': 'Schedule around this step' },
			html(
				'thead',
				{},
				html(
					'tr',
					{},
					html('th', { scope: 'col' }, 'step'),
					html('th', { scope: 'col' }, html('span', { class: 'heard' }, 'side')),
					html('th', { scope: 'col' }, 'line'),
					...heads,
				),
			),
			html('tbody', {}, ...rows),
		);
	}

	function stateTable(table: (typeof TABLES)[number][0], title: string): HTMLElement {
		const all = stateAt(shown().steps, at).filter((known) => known.table === table);
		// What changed last is what somebody looks for.
		const most = all.toSorted((a, b) => b.since - a.since).slice(0, MOST_OBJECTS);
		const rows = all
			.filter((known) => most.includes(known))
			.map(({ object, state: word, since }) => {
				const isNew = since === at;
				return html(
					'tr',
					{ class: isNew ? 'changed' : '' },
					html('td', {}, object),
					html('td', {}, word.replaceAll(',', ', '), isNew ? html('span', { class: 'heard' }, ' (changed by this step)') : null),
				);
			});
		const more = all.length > most.length ? html('p', { class: 'quiet' }, `${all.length - most.length} more`) : null;
		const none = all.length === 0 ? html('p', { class: 'quiet' }, 'none') : null;
		return html(
			'section',
			{ 'data-table': table },
			html('h3', {}, title),
			none,
			rows.length === 0 ? null : html('table', { 'aria-label': title }, html('tbody', {}, ...rows)),
			more,
		);
	}

	function keys(event: Event): void {
		const { key, target, shiftKey, ctrlKey, altKey, metaKey } = event as KeyboardEvent;
		if (ctrlKey || altKey || metaKey) return;
		if (target instanceof Element && target.closest('[role=radiogroup]') !== null && key.startsWith('Arrow')) {
			event.preventDefault();
			turn(side === 'before' ? 'after' : 'before');
			return sides.querySelector<HTMLElement>('[aria-checked=true]')?.focus();
		}
		const { steps } = shown();
		const moves: Readonly<Record<string, () => void>> = {
			ArrowRight: () => go(shiftKey ? nextDifference(steps, at, 1) : at + 1),
			ArrowLeft: () => go(shiftKey ? nextDifference(steps, at, -1) : at - 1),
			Home: () => go(0),
			End: () => go(steps.length - 1),
			Escape: actions.back,
		};
		const move = moves[key];
		if (move === undefined) return;
		event.preventDefault();
		move();
	}

	const controls = html(
		'div',
		{ class: 'controls', role: 'toolbar', 'aria-label': 'Steps' },
		button('|◀', () => go(0), { 'aria-label': 'First step', title: 'First step (Home)' }),
		button('◀', () => go(at - 1), { 'aria-label': 'Step back', title: 'Step back (Left)' }),
		button('▶', () => go(at + 1), { 'aria-label': 'Step forward', title: 'Step forward (Right)' }),
		button('▶|', () => go(shown().steps.length - 1), { 'aria-label': 'Last step', title: 'Last step (End)' }),
		button('◀ difference', () => go(nextDifference(shown().steps, at, -1)), { 'aria-label': 'Previous difference', title: 'Previous difference (Shift+Left)' }),
		button('difference ▶', () => go(nextDifference(shown().steps, at, 1)), { 'aria-label': 'Next difference', title: 'Next difference (Shift+Right)' }),
		place,
	);
	const page = html(
		'div',
		{ class: 'timeline', keydown: keys },
		html(
			'div',
			{ class: 'bar' },
			button('← Table', actions.back),
			button('Show as text', actions.text),
			button('Replay in Debugger', () => actions.replay(side)),
			button(`Go to line ${line}`, () => actions.reveal(line)),
		),
		html('h1', {}, `#${number} ${rule}`, html('span', { class: 'heard' }, `, ${severity}`)),
		html('p', {}, message),
		html('p', { class: 'quiet' }, about),
		html('details', {}, html('summary', {}, 'The program'), html('pre', {}, program.join('\n'))),
		...[sides, controls, slider, drawn, step, state, schedule],
	);
	draw();
	return page;
}

function signOf(code: string | undefined): string {
	return code?.startsWith('+') ? 'added' : code?.startsWith('-') ? 'removed' : '';
}

function spoken({ cpu, task, text, line, differs }: TimelineStep): string {
	const who = `CPU${cpu}${task === '' ? '' : ` ${task.replace(/^CPU\d+ ?/, '')}`}`.trimEnd();
	return `${who}: ${text.replaceAll('->', 'to')}${line === null ? '' : `, line ${line}`}${differs ? ', only on this side' : ''}`;
}
