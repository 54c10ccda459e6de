import type { StepKind, TimelineSide } from '../../server/session/results-protocol.ts';
import { html, svg } from './dom.ts';
import { lanesOf } from './state.ts';

/** Objects that are drawn at most. */
const MOST = 10;
/** Units of the drawing's width; it is stretched to the page's. */
const WIDTH = 1000;

export interface LaneView {
	readonly element: HTMLElement;
	/** Moves the cursor to a step. */
	at(step: number): void;
}

/** The whole run as a picture: a lane for each CPU with its steps, and one for each object that tells the sides apart. */
export function lanes(side: TimelineSide, go: (step: number) => void): LaneView {
	const { steps, cpus } = side;
	const width = WIDTH / Math.max(1, steps.length);
	const cursors: SVGElement[] = [];
	const jump = (event: Event): void => {
		const box = (event.currentTarget as Element).getBoundingClientRect();
		go(Math.floor((((event as MouseEvent).clientX - box.left) / Math.max(1, box.width)) * steps.length));
	};
	const row = (name: string, table: string, shapes: readonly SVGElement[]): HTMLElement => {
		const cursor = svg('rect', { class: 'cursor', y: 0, height: 10, width: Math.max(width, 2) });
		cursors.push(cursor);
		const drawing = svg('svg', { viewBox: `0 0 ${WIDTH} 10`, preserveAspectRatio: 'none', 'aria-hidden': 'true', click: jump }, ...shapes, cursor);
		return html('div', { class: 'lane', 'data-table': table }, html('span', { class: 'name', title: name }, name), drawing);
	};
	const ofCpus = cpus.map(({ cpu, tasks }) => {
		const byClass = new Map<string, string>();
		for (const [i, step] of steps.entries()) {
			if (step.cpu !== cpu) continue;
			const kind = `tick ${step.kind}${step.differs ? ' differs' : ''}`;
			byClass.set(kind, `${byClass.get(kind) ?? ''}${tick(i * width, width, step.kind)}`);
		}
		return row(
			`CPU${cpu} ${tasks}`.trimEnd(),
			'cpu',
			[...byClass].map(([kind, d]) => svg('path', { class: kind, d })),
		);
	});
	const ofObjects = lanesOf(steps, MOST).map(({ table, object, spans }) =>
		row(
			object,
			table,
			spans.map(({ from, to, state }) =>
				svg(
					'rect',
					{ class: `span ${state === 'none' ? 'empty' : 'held'}`, x: from * width, y: 2, width: Math.max((to - from) * width, 1), height: 6 },
					svg('title', {}, `${object}: ${state}`),
				),
			),
		),
	);
	return {
		// What it shows is said by the step, the schedule and the tables of states.
		element: html('div', { role: 'img', 'aria-label': 'Overview of the run' }, ...ofCpus, ...ofObjects),
		at(step) {
			for (const cursor of cursors) cursor.setAttribute('x', String(step * width));
		},
	};
}

/** Harm goes from top to bottom, what the patch's functions do is higher than the rest. */
function tick(x: number, width: number, kind: StepKind): string {
	const height = kind === 'harm' ? 10 : kind === 'flush' || kind === 'call' ? 7 : 4;
	return `M${x.toFixed(2)} ${(10 - height) / 2}h${Math.max(width * 0.8, 1).toFixed(2)}v${height}h-${Math.max(width * 0.8, 1).toFixed(2)}z`;
}
