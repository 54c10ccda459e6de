import type { Kernel } from '../../kernel/kernel.ts';
import type { Seen } from './acts.ts';
import type { Column, ScenarioText, Step } from './ast.ts';
import { columnText, stepText } from './print.ts';

/** Tells the kernel's violations what the program saw and must not see: the first such access of the step. */
export function checkSeen(k: Kernel, text: ScenarioText, column: Column, step: Step, seen: readonly Seen[]): void {
	const wrong = seen.find(({ what }) => !isExpected(step, what));
	// An access that never ended has no result, and what it would have done is missing from there on.
	if (wrong === undefined || k.violations.some(({ kind }) => kind === 'no-progress')) return;
	const { line } = k.rt;
	// What a program sees belongs to no line of a patch.
	k.rt.line = 0;
	k.violate(kindOf(step, wrong.what), messageOf(text, column, step, wrong));
	k.rt.line = line;
}

function isExpected(step: Step, what: string): boolean {
	if (step.expect.length > 0 && !step.expect.includes('any')) return step.expect.includes(what);
	return step.expect.length > 0 || !isFailure(what);
}

const isFailure = (what: string): boolean => /^(SIG|E[A-Z]|error )/.test(what);

const WRITES: ReadonlySet<string> = new Set(['store', 'device-store']);

/** An access that must be refused and is not goes through a translation that must be gone. */
function kindOf(step: Step, what: string): string {
	if (isFailure(what)) return 'wrong-result';
	if (step.expect.some((outcome) => /^\d/.test(outcome))) return 'data-leak';
	if (!step.expect.some((outcome) => outcome.startsWith('SIG'))) return 'wrong-result';
	return WRITES.has(step.op) ? 'stale-write' : 'stale-read';
}

function messageOf({ file, name }: ScenarioText, column: Column, step: Step, { page, what }: Seen): string {
	const expected = step.expect.length === 0 ? 'it must succeed' : `expected is ${step.expect.join(' or ')}`;
	const where = page === null ? '' : ` page ${page}`;
	return `${file === '' ? name : file}:${step.line}: ${columnText(column)} ${stepText({ ...step, expect: [] })}:${where} gives ${described(step, what)}, ${expected}`;
}

function described(step: Step, what: string): string {
	if (isFailure(what)) return what;
	return WRITES.has(step.op) ? 'no signal' : what === 'ok' ? 'success' : what;
}
