/** What begins again and again. */
import type { Judge } from './rules.ts';

const WORDS = {
	access: (tries: number) => `one access faults more than ${tries} times`,
	fault: (tries: number) => `a fault is retried more than ${tries} times`,
	device: () => 'a device faults without end',
} as const;

export function endless(judge: Judge, what: keyof typeof WORDS, tries: number): void {
	judge.report('progress.fault', 'no-progress', WORDS[what](tries));
}
