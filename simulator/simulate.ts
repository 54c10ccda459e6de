/** Places changes, builds kernels from stacks of live patches, and runs scenarios on them. */
import { type ArchChoice, archExists, builtWith, chooseArch } from './arch/index.ts';
import type { CParser } from './c/parser.ts';
import { catalogue } from './catalogue.ts';
import { explore, follow, USUAL_STEPS } from './explore/explore.ts';
import { contractsOf, type Loaded, type LoadedStack, loadStack, replacementsOf } from './hooks/live-patch.ts';
import type { ExploreResult, Placement, RunRequest, RunResult, SimChange, SimNote, Simulator, StackEntry, TraceRequest } from './index.ts';
import { bindKernel, useArch } from './kernel/build.ts';
import { type Feature, featuresOf, versionNumber } from './kernel/features.ts';
import type { Kernel, Watch } from './kernel/kernel.ts';
import { createMachine, createRecordingMachine, type Machine } from './kernel/machine.ts';
import { policyOf } from './policies/index.ts';
import { ScenarioBook } from './scenarios/book.ts';
import { calledBy, type Outcome, runScenario } from './scenarios/run.ts';
import { type Scenario, USER } from './scenarios/scenario.ts';
import { SUSPENDABLE } from './schedule/form.ts';
import { callsOf } from './trace/calls.ts';
import { programOf } from './trace/program.ts';
import type { Recorder } from './trace/recorder.ts';
import type { Trace } from './trace/trace.ts';
import { record, wrapperFor } from './trace/watch.ts';
import { TREE_PATHS } from './tree/files.ts';
import { Places } from './tree/linkage.ts';
import { TreeLinker } from './tree/replace.ts';

/** Statements of compiled C and loop turns that one run may take. */
const DEFAULT_BUDGET = 2_000_000;
/** Kernels kept ready; each is some hundred closures. */
const KERNELS_KEPT = 96;
/** Results kept, some 3 KB each: what an unchanged hunk needs when the document is reviewed again. */
const RESULTS_KEPT = 2000;
const CHANGES_KEPT = 500;
/** Trees kept taken apart, some 20 MB each. */
const TREES_KEPT = 2;

/** @throws RangeError for a scenario, policy or architecture that does not exist. */
export function createSimulator(parser: CParser, machine: Machine = createMachine()): Simulator {
	// A change is known by what it says and where, so that a document parsed anew finds its kernels and results again.
	const known = new WeakMap<SimChange, number>();
	const byText = new Map<string, number>();
	let nextId = 1;
	const idOf = (change: SimChange): number => {
		let id = known.get(change);
		if (id !== undefined) return id;
		const { name, file, whole, declaration, anchor, before, after, files } = change;
		const text = JSON.stringify([
			name,
			file,
			whole,
			declaration,
			...[anchor, before, after].map((side) => side?.map((l) => [l.line, l.changed, l.text]) ?? null),
			files === undefined ? null : [...files.before, ...files.after],
		]);
		id = byText.get(text) ?? nextId++;
		remember(byText, text, id, CHANGES_KEPT);
		known.set(change, id);
		return id;
	};
	const keyOf = (stack: readonly StackEntry[]): string =>
		stack.length === 0 ? '' : `${tree?.text.id ?? ''} ${stack.map((e) => `${idOf(e.change)}${e.side[0]}`).join(',')}`;
	const kernels = new Map<string, Built>();
	const loads = new Map<string, LoadedStack>();
	let tree: TreeLinker | null = null;
	const linkers = new Map<string, TreeLinker>();
	const results = new Map<string, RunResult>();
	const book = new ScenarioBook();
	const exercised = new WeakMap<Scenario, readonly string[]>();

	const load = (stack: readonly StackEntry[], features: ReadonlySet<Feature>): LoadedStack => {
		const key = `${[...features].sort().join(' ')} ${keyOf(stack)}`;
		let loaded = loads.get(key);
		if (loaded === undefined) {
			loaded = loadStack(parser, stack, features, tree);
			remember(loads, key, loaded, KERNELS_KEPT);
		}
		return loaded;
	};

	/** A kernel of the version, the policy and the stack, as the architecture builds it. */
	const build = (
		request: RunRequest,
		choice: ArchChoice,
		on: Machine,
		tracking: boolean,
		watch: Watch | null = null,
		traced: TreeLinker | null = null,
	): Built => {
		const features = contractsOf(request.stack, policyFeatures(request.kernel, request.policy));
		const loaded = traced === null ? load(request.stack, features) : loadStack(parser, request.stack, features, traced);
		return {
			k: bindKernel(parser, [on, choice.arch, versionNumber(choice.version), features], tracking, replacementsOf(loaded), watch),
			notes: loaded.functions.flatMap((l) => l.notes),
		};
	};

	const kernelFor = (whole: RunRequest, choice: ArchChoice, tracking: boolean): Built => {
		const request = withoutOthers(whole, choice);
		const key = `${request.kernel} ${request.policy} ${tracking} ${keyOf(request.stack)}`;
		let kernel = kernels.get(key);
		if (kernel === undefined) {
			kernel = build(request, choice, machine, tracking);
			remember(kernels, key, kernel, KERNELS_KEPT);
		}
		useArch(kernel.k, choice.arch, versionNumber(choice.version));
		return kernel;
	};

	/** The run on a machine and a kernel of its own, which tell what they do. */
	const trace = (scenario: Scenario, request: TraceRequest, choice: ArchChoice): Trace => {
		let recorder: Recorder | null = null;
		const watch = wrapperFor(() => recorder);
		// Code of the tree is compiled anew, such that it says where it is.
		const places = new Places();
		const traced = tree === null ? null : new TreeLinker(parser, tree.text, null, places);
		const { k } = build(withoutOthers(request, choice), choice, SUSPENDABLE ? createRecordingMachine() : createMachine(), false, watch, traced);
		if (SUSPENDABLE) follow(k, request.schedule ?? '-');
		recorder = record(k, (place) => places.name(place));
		const { applies } = runScenario(k, scenario, request.variant, request.budget ?? DEFAULT_BUDGET, policyOf(request.policy)?.base ?? request.kernel);
		return { ...recorder.steps(), program: programOf(recorder, USER), calls: callsOf(recorder, USER), applies };
	};

	/** A scenario whose text does not say what it exercises exercises what it calls. */
	const exercisesOf = (scenario: Scenario): readonly string[] => {
		if (scenario.exercises.length > 0) return scenario.exercises;
		let called = exercised.get(scenario);
		if (called === undefined) {
			called = calledBy(scenario, (kernel, arch) => kernelFor({ ...TRACKED, kernel, arch }, chooseArch(arch, kernel) as ArchChoice, true).k);
			exercised.set(scenario, called);
		}
		return called;
	};

	const named = (request: RunRequest): { readonly scenario: Scenario; readonly choice: ArchChoice } => {
		const scenario = book.find(request.scenario);
		const choice = chooseArch(request.arch, request.kernel);
		if (scenario === undefined) throw new RangeError(`no scenario is called ${request.scenario}`);
		if (choice === undefined) throw new RangeError(`no architecture is called ${request.arch}`);
		return { scenario, choice };
	};

	return {
		...catalogue(book, exercisesOf),
		treePaths: TREE_PATHS,
		attach(text) {
			if (text?.id === tree?.text.id) return;
			tree = text === null ? null : (linkers.get(text.id) ?? new TreeLinker(parser, text));
			if (tree !== null) remember(linkers, tree.text.id, tree, TREES_KEPT);
		},
		place(change, kernel) {
			const features = contractsOf([{ change, side: 'after' }], featuresOf(kernel));
			const [before] = load([{ change, side: 'before' }], features).functions;
			const [after] = load([{ change, side: 'after' }], features).functions;
			return placement(change, before as Loaded, after as Loaded);
		},
		trace(request) {
			const { scenario, choice } = named(request);
			return archExists(choice.arch, choice.version)
				? trace(scenario, request, choice)
				: { steps: [], head: 0, leftOut: 0, program: [], calls: [], applies: false };
		},
		explore(request) {
			const { scenario, choice } = named(request);
			if (!SUSPENDABLE) throw new Error('the usual form of the simulator cannot be explored');
			if (!archExists(choice.arch, choice.version)) return UNEXPLORED;
			const { k, notes } = kernelFor(request, choice, false);
			const once = (): Outcome => runScenario(k, scenario, request.variant, request.budget ?? DEFAULT_BUDGET, policyOf(request.policy)?.base ?? request.kernel);
			const { steps = USUAL_STEPS, seed = 0, firstOnly = false } = request;
			const found = explore(k, once, { steps, seed, firstOnly });
			return { ...found, notes: [...notes, ...found.notes], executed: k.rt.executed };
		},
		run(request) {
			const { scenario, choice } = named(request);
			if (!archExists(choice.arch, choice.version))
				return { ...NOTHING, notes: [{ rule: 'skipped-arch', line: null, message: `${choice.arch.name} does not exist in ${choice.version}` }] };
			const budget = request.budget ?? DEFAULT_BUDGET;
			const revision = book.fileOf(scenario) === undefined ? 0 : book.revision;
			const key = [
				scenario.name,
				revision,
				request.variant,
				request.arch,
				request.kernel,
				request.policy,
				budget,
				request.track ?? false,
				keyOf(request.stack),
			].join(' ');
			const before = results.get(key);
			if (before !== undefined) return before;
			const { k, notes } = kernelFor(request, choice, request.track ?? false);
			const outcome = runScenario(k, scenario, request.variant, budget, policyOf(request.policy)?.base ?? request.kernel);
			const result: RunResult = {
				applies: outcome.applies,
				ended: outcome.ended,
				metrics: k.counters.metrics(),
				waits: outcome.waits,
				violations: k.violations,
				notes: [...notes, ...outcome.notes],
				executed: k.rt.executed,
				events: k.counters.events(),
				called: outcome.called,
			};
			remember(results, key, result, RESULTS_KEPT);
			return result;
		},
	};
}

interface Built {
	readonly k: Kernel;
	readonly notes: readonly SimNote[];
}

/** The request without the code that this architecture does not build. */
function withoutOthers(request: RunRequest, { arch }: ArchChoice): RunRequest {
	return { ...request, stack: request.stack.filter(({ change }) => builtWith(arch, change.file)) };
}

/** The kernel as it ships, for the question what a scenario calls. */
const TRACKED: RunRequest = { scenario: '', variant: '', arch: '', kernel: '', policy: 'mainline', stack: [] };

const UNEXPLORED: ExploreResult = {
	applies: false,
	ended: false,
	notes: [],
	executions: 0,
	steps: 0,
	method: 'exhaustive',
	exhausted: true,
	preemptions: null,
	violations: [],
	executed: new Map(),
};

const NOTHING: RunResult = {
	applies: false,
	ended: false,
	metrics: {},
	waits: [],
	violations: [],
	notes: [],
	executed: new Map(),
	events: new Map(),
	called: [],
};

/** Features of a version under a policy. */
function policyFeatures(kernel: string, name: string): ReadonlySet<Feature> {
	const policy = policyOf(name);
	if (policy === undefined) throw new RangeError(`no policy is called ${name}`);
	const features = featuresOf(policy.base ?? kernel);
	for (const feature of policy.on) features.add(feature);
	for (const feature of policy.off) features.delete(feature);
	return features;
}

function remember<T>(cache: Map<string, T>, key: string, value: T, limit: number): void {
	if (cache.size >= limit) cache.delete(cache.keys().next().value as string);
	cache.set(key, value);
}

function placement(change: SimChange, before: Loaded, after: Loaded): Placement {
	const mapped = after.mode !== 'none' && before.mode !== 'none';
	const shown = after.mode === 'none' ? after : before.mode === 'none' ? before : after;
	const hooks = mapped ? (after.roots ?? before.roots ?? (after.symbol === null ? [] : [after.symbol])) : [];
	const notes: SimNote[] = [...shown.notes];
	const standsIn = mapped && change.whole && change.before === null && after.symbol !== null;
	if (standsIn)
		notes.push({
			rule: 'model-stood-in',
			line: change.after?.find((l) => l.changed)?.line ?? null,
			message: `${change.name} is new; what it is compared with is the model of the kernel without it`,
		});
	return {
		hook: hooks[0] ?? null,
		hooks,
		mode: mapped ? after.mode : 'none',
		notes,
		codeLines: { before: before.code?.lines ?? [], after: after.code?.lines ?? [] },
		modelStandsIn: standsIn,
	};
}
