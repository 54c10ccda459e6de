/**
 * The whole public interface of the simulator. Pure and deterministic: same request, same result.
 */
import type { CodeLine } from './c/ast.ts';
import type { Trace } from './trace/trace.ts';

export type { CodeLine } from './c/ast.ts';
export type { Trace, TraceCall, TraceStep } from './trace/trace.ts';

/** A change of one function as the simulator takes it; `server/patch` makes it. See FunctionChange there. */
export interface SimChange {
	readonly id: string;
	readonly name: string;
	readonly file: string;
	readonly whole: boolean;
	readonly declaration: string;
	readonly anchor: readonly CodeLine[] | null;
	readonly before: readonly CodeLine[] | null;
	readonly after: readonly CodeLine[] | null;
	/** Whole texts of the files that the patch touches, by path, where it was applied to a kernel tree. */
	readonly files?: { readonly before: ReadonlyMap<string, string>; readonly after: ReadonlyMap<string, string> };
}

/** One live patch of a kernel's stack: a change, and which of its sides is loaded. */
export interface StackEntry {
	readonly change: SimChange;
	readonly side: 'before' | 'after';
}

/** Where a change goes, or why it cannot go anywhere. */
export interface Placement {
	/** The patchable symbol, or null when the change is not mapped. */
	readonly hook: string | null;
	/** Every symbol in which the change can show: the hook, or all that call a function which is no hook itself. */
	readonly hooks: readonly string[];
	readonly mode: 'function' | 'fragment' | 'none';
	/** Why it is not mapped, what was assumed; each becomes a note. `rule` is a note rule of the report. */
	readonly notes: readonly SimNote[];
	/** Document lines among the changed ones that hold code that can run, per side. */
	readonly codeLines: { readonly before: readonly number[]; readonly after: readonly number[] };
	/** True when the function is new and the reference model stands in for the side before. */
	readonly modelStandsIn: boolean;
}

export interface SimNote {
	readonly rule: 'not-modelled' | 'not-mapped' | 'undeclared' | 'budget' | 'model-stood-in' | 'model-disagrees' | 'skipped-arch';
	/** Line in the document, or null when it belongs to the change as a whole. */
	readonly line: number | null;
	readonly message: string;
}

export interface RunRequest {
	readonly scenario: string;
	readonly variant: string;
	/** `arm64`, or `arm64@6.19` for an architecture of a later kernel. */
	readonly arch: string;
	/** mm version, `MAJOR.MINOR`. */
	readonly kernel: string;
	readonly policy: string;
	/** Live patches, bottom first. */
	readonly stack: readonly StackEntry[];
	/** Steps (statements of compiled C) that a run may take. */
	readonly budget?: number;
	/** Whether `called` is wanted; it slows the run. */
	readonly track?: boolean;
	/** Scheduling steps that looking for harm in other orders of the tasks may take beside the run; 0 or absent: it is not looked for. */
	readonly explore?: number;
	/** Of the random search that is made where the space of orders is too large: 32 bits. */
	readonly seed?: number;
}

export interface TraceRequest extends RunRequest {
	/** Absent or `0`: the order of `run`. */
	readonly schedule?: string;
}

/** A run in every order of its tasks that can make a difference, as far as the steps go. */
export interface ExploreRequest extends RunRequest {
	/** Scheduling steps of all executions together; without it some 300,000. */
	readonly steps?: number;
	/** Whether the first harm ends the search. */
	readonly firstOnly?: boolean;
}

export interface ExploreResult extends Explored {
	readonly applies: boolean;
	/** True when executions ended early (not modelled, budget spent): what was found holds, what was not found says little. */
	readonly ended: boolean;
	readonly notes: readonly SimNote[];
	/** Harm, each with the schedule of fewest switches that was found for it. */
	readonly violations: readonly {
		readonly kind: string;
		readonly schedule: string;
		readonly line: number | null;
		readonly message: string;
		/** Switches of the schedule away from a task that could go on. */
		readonly switches: number;
	}[];
	/** How often each document line of the stack ran in the last execution. */
	readonly executed: ReadonlyMap<number, number>;
}

/** What a task waited for a class of locks. */
export interface LockWait {
	readonly who: string;
	/** The class; `folio` for a folio that is read or locked. */
	readonly on: string;
	/** Modelled cycles; 0 for a lock that was taken without waiting. */
	readonly cycles: number;
	/**
	 * The longest chain that it stood behind: who had the lock, who had what that one waited for, and so on. `on` is what each waits
	 * for, null for one at work; `queued` marks one that only stood in line before.
	 */
	readonly behind?: readonly { readonly who: string; readonly on: string | null; readonly queued?: true }[];
}

export interface RunResult {
	/** Every metric id of `metrics` with its count; 0 when nothing happened. */
	readonly metrics: Readonly<Record<string, number>>;
	readonly waits: readonly LockWait[];
	/** `line` is a document line of the patch, or null. */
	readonly violations: readonly {
		readonly kind: string;
		readonly schedule: string;
		readonly line: number | null;
		readonly message: string;
		/** Of a schedule that is not the run's own: its switches away from a task that could go on. */
		readonly switches?: number;
	}[];
	readonly notes: readonly SimNote[];
	/** False when the variant cannot happen on this kernel and architecture; nothing was run then. */
	readonly applies: boolean;
	/** True when the run ended early (not modelled, budget spent): its figures are no basis for a finding. */
	readonly ended: boolean;
	/** How often each document line of the stack ran. */
	readonly executed: ReadonlyMap<number, number>;
	/** Events that happened while a document line was the current one: line -> metric -> count. */
	readonly events: ReadonlyMap<number, Readonly<Record<string, number>>>;
	/** Symbols of the reference kernel that were called, replaced ones included; empty unless `track` was set. */
	readonly called: readonly string[];
	/** How far other orders of the tasks were looked at; absent if they were not. */
	readonly explored?: Explored;
}

/** What was looked at of the orders in which the tasks of a scenario can do their steps. */
export interface Explored {
	/** All executions that differ; those with at most `preemptions` switches away from a task that could go on; or random ones. */
	readonly method: 'exhaustive' | 'preemption-bounded' | 'random';
	readonly executions: number;
	readonly steps: number;
	/** Whether that space was looked at as a whole. */
	readonly exhausted: boolean;
	readonly preemptions: number | null;
}

export interface ScenarioInfo {
	readonly name: string;
	readonly family: string;
	/** One sentence. */
	readonly doc: string;
	readonly variants: readonly string[];
	/** Symbols that the scenario exercises. */
	readonly exercises: readonly string[];
	/** Whether several of its tasks do something at the same time, so that their order matters. */
	readonly concurrent: boolean;
	/** Whether these are all that it calls, found by running it, and not what it is about. */
	readonly traced?: boolean;
	/** The user's text that it comes from; absent for a built-in one. */
	readonly file?: string;
}

/** A text of the user's with scenarios. */
export interface ScenarioSource {
	/** Its name in messages. */
	readonly file: string;
	readonly text: string;
}

/** What is wrong in such a text; places are 1-based. */
export interface ScenarioProblem {
	readonly file: string;
	readonly line: number;
	readonly character: number;
	readonly message: string;
}

export interface PolicyInfo {
	readonly name: string;
	readonly doc: string;
	/** mm version that the policy is a difference from; null: the version at hand. */
	readonly base: string | null;
	/** Symbols whose behaviour it changes. */
	readonly touches: readonly string[];
	/** Words by which people call it in mails. A reading aid: they say which policy is offered for comparison, never a verdict. */
	readonly names: readonly string[];
	/** Scenarios that show its difference, the most telling first. */
	readonly scenarios: readonly string[];
}

export interface ArchInfo {
	readonly name: string;
	readonly doc: string;
	/** First version that has it. */
	readonly since: string;
}

export interface MetricInfo {
	readonly id: string;
	readonly doc: string;
	/** Rule of a finding that reports a difference in this metric, or null for one that is printed but never a finding. */
	readonly rule: string | null;
	/** What an increase means. */
	readonly harm: 'error' | 'warning' | 'information';
	readonly unit: string;
}

export interface AbiInfo {
	readonly name: string;
	readonly kind: 'function' | 'nop' | 'constant' | 'iterator' | 'symbol';
	/** C declaration, or the value of a constant. */
	readonly signature: string;
	readonly doc: string;
	/** What it does on each architecture, where that differs. */
	readonly perArch: Readonly<Record<string, string>> | null;
	readonly since: string | null;
	readonly until: string | null;
}

/** The text of a kernel tree, read ahead. */
export interface TreeText {
	/** Stands for the texts: another id, another tree. */
	readonly id: string;
	/** `MAJOR.MINOR`. */
	readonly kernel: string;
	/** Undefined: the tree has no such file. */
	read(path: string): string | undefined;
	/** All that `read` knows, by path, where that can be handed on to another thread. */
	readonly files?: ReadonlyMap<string, string>;
}

export interface Simulator {
	/** Files of a kernel tree that are read when there is one. */
	readonly treePaths: readonly string[];
	/** Whole functions of patches run within this tree from now on; null: within the model alone. */
	attach(tree: TreeText | null): void;
	place(change: SimChange, kernel: string): Placement;
	run(request: RunRequest): RunResult;
	/** Looks for harm in the interleavings of the scenario's tasks. Deterministic: same request, same result. */
	explore(request: ExploreRequest): ExploreResult;
	/** The same run, step by step, in the order that `schedule` says: as it was given with harm. Takes some ten times as long; nothing of it is kept. */
	trace(request: TraceRequest): Trace;
	scenarios(): readonly ScenarioInfo[];
	/** The user's scenarios are those of these texts from now on. Returns what is wrong in them; what is right can be run. */
	define(sources: readonly ScenarioSource[]): readonly ScenarioProblem[];
	policies(): readonly PolicyInfo[];
	/** Architectures of mm version `kernel`, and those that it does not have. */
	architectures(kernel: string): { readonly present: readonly ArchInfo[]; readonly absent: readonly ArchInfo[] };
	/** Whether a kernel of that architecture (`arm64`, `arm64@6.19`) is built with the file. */
	builds(arch: string, file: string): boolean;
	metrics(): readonly MetricInfo[];
	/** One ABI entry or symbol by name, for that version's spelling. Linear-time lookup, safe for any string. */
	explain(name: string, kernel?: string): AbiInfo | undefined;
	abi(): readonly AbiInfo[];
	/** Patchable symbols. */
	hooks(): readonly { readonly name: string; readonly file: string; readonly stages: readonly string[]; readonly scenarios: readonly string[] }[];
}

export { createCParser } from './c/parser.ts';
export { type Catalogue, catalogue } from './catalogue.ts';
export { isMemoryManagement } from './hooks/live-patch.ts';
export { scenarioProblems } from './scenarios/book.ts';
export { createSimulator } from './simulator.ts';
