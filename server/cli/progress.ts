import type { ReviewStep } from '../review/review.ts';
import type { Host } from './host.ts';

/** Milliseconds before the first sign, and between two. */
const PATIENCE = 500;
const INTERVAL = 100;

export interface ProgressBar {
	show(step: ReviewStep): void;
	say(text: string): void;
	/** Takes the bar off the screen. */
	end(): void;
}

/** A line on standard error for work that takes more than half a second, on a terminal only. */
export function progressBar(host: Host): ProgressBar {
	const start = host.now();
	let last = start;
	let shown = false;
	const say = (text: string): void => {
		const now = host.now();
		if (!host.errIsTerminal || now - start < PATIENCE || (shown && now - last < INTERVAL)) return;
		[last, shown] = [now, true];
		host.err(`\r\x1b[K${text}`);
	};
	return {
		say,
		show: ({ done, total, scenario, arch }) => say(scenario === '' ? 'looking for the places of the changes' : `${done}/${total} ${scenario} ${arch}`),
		end() {
			if (shown) host.err('\r\x1b[K');
			shown = false;
		},
	};
}
