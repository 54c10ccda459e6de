import type { Timeline } from '../../server/session/results-protocol.ts';
import { button, html } from './dom.ts';
import { matrixPage } from './matrix.ts';
import type { FromView, ToView } from './messages.ts';
import { type Position, timelinePage } from './timeline.ts';

/** What VS Code gives to the script of a page. */
declare function acquireVsCodeApi(): { postMessage(message: FromView): void; getState(): Saved | undefined; setState(state: Saved): void };

/** Where the user was, so that a page that was hidden comes back as it was. */
interface Saved {
	readonly finding: number;
	readonly position: Position;
}

const vscode = acquireVsCodeApi();
const page = document.getElementById('page') as HTMLElement;
const said = document.getElementById('said') as HTMLElement;
let report: (ToView & { readonly kind: 'report' }) | undefined;
let timeline: Timeline | undefined;

function showReport(): void {
	if (report === undefined) return;
	const { name, answer } = report;
	page.replaceChildren(matrixPage(name, answer, { open, reveal }));
}

function showTimeline(next: Timeline): void {
	timeline = next;
	const saved = vscode.getState();
	const start = saved?.finding === next.number ? inRange(next, saved.position) : undefined;
	const made = timelinePage(
		next,
		{
			...{ back, reveal },
			text: () => vscode.postMessage({ kind: 'text', finding: next.number }),
			replay: (side) => vscode.postMessage({ kind: 'replay', finding: next.number, side }),
			moved(position, text) {
				vscode.setState({ finding: next.number, position });
				said.textContent = text;
			},
		},
		start,
	);
	page.replaceChildren(made);
	made.querySelector<HTMLElement>('[aria-label="Step forward"]')?.focus();
}

/** A run may have become another since. */
function inRange(of: Timeline, position: Position): Position | undefined {
	return position.at < of[position.side].steps.length ? position : undefined;
}

function open(finding: number): void {
	vscode.postMessage({ kind: 'open', finding });
}

function reveal(line: number): void {
	vscode.postMessage({ kind: 'reveal', line });
}

function back(): void {
	const finding = timeline?.number;
	timeline = undefined;
	vscode.postMessage({ kind: 'table' });
	showReport();
	page.querySelector<HTMLElement>(`[data-finding="${finding}"]`)?.focus();
}

function notice(text: string, ...actions: readonly HTMLElement[]): void {
	timeline = undefined;
	said.textContent = text;
	page.replaceChildren(html('p', { class: 'state' }, text), ...actions);
}

window.addEventListener('message', ({ data }: MessageEvent<ToView>) => {
	switch (data.kind) {
		case 'report':
			// A finding that is being stepped through stays until its document is another, or has no such result any more.
			if (timeline !== undefined && report?.name === data.name && data.answer.state !== 'closed') {
				report = data;
				return;
			}
			timeline = undefined;
			report = data;
			return showReport();
		case 'tracing':
			return notice(`Finding #${data.finding} is run again, step by step…`, button('← Table', back));
		case 'timeline':
			return showTimeline(data.timeline);
		case 'problem':
			return notice(`It cannot be shown: ${data.detail}.`, button('← Table', back));
		case 'stopped':
			return notice(data.detail, ...(data.canRestart ? [button('Restart Server', () => vscode.postMessage({ kind: 'restart' }))] : []));
	}
});
vscode.postMessage({ kind: 'ready' });
