import { applyHunks, type Failure, treeLines } from './apply.ts';
import { isCFile } from './c-lines.ts';
import { contextDeclaration } from './declarations.ts';
import { earlierPatches } from './series.ts';
import { SourceFile } from './source-file.ts';
import type { FunctionChange, Hunk, ParsedDocument, Patch, PatchedFile, PatchNote } from './types.ts';
import { wholeFunctions } from './whole.ts';

/** What of a kernel's source was read for one patch. */
export interface PatchSource {
	/** The tree, in messages: `linux-source-6.12.tar.xz`. */
	readonly label: string;
	/** Version of the tree, `MAJOR.MINOR`. */
	readonly kernel: string;
	/** Whether the tree's version outranks what the text says, once the patch applies to it. */
	readonly decides: boolean;
	/** Text of a file; null: the tree has no such file; undefined: it was not looked up. */
	file(path: string): string | null | undefined;
	/** Text of an object; undefined: nobody has it. */
	blob(name: string): string | undefined;
}

/**
 * Applies each patch to the source it belongs to, series patch by patch, and puts whole functions in the place of what the
 * hunks show of them. Pure; `sourceOf` answers from memory.
 */
export function onTree(doc: ParsedDocument, sourceOf: (patch: Patch) => PatchSource | null): ParsedDocument {
	const walk: Walk = { doc, sourceOf, states: new Map(), roots: new Map() };
	const applied = new Map(doc.patches.map((patch) => [patch, stateOf(walk, patch)]));
	const patches = doc.patches.map((patch) => {
		const state = applied.get(patch);
		return state === undefined || state.source === null ? patch : withSuggestions(walk, patch, rebuilt(patch, state));
	});
	return { ...doc, patches };
}

interface Walk {
	readonly doc: ParsedDocument;
	readonly sourceOf: (patch: Patch) => PatchSource | null;
	readonly states: Map<Patch, State>;
	/** Files of the trees, so that each is taken apart once. */
	readonly roots: Map<string, SourceFile>;
}

/** What one patch did to the files below it. */
interface State {
	readonly source: PatchSource | null;
	/** Files as they are after this patch and those before it in its series. */
	readonly files: ReadonlyMap<string, SourceFile>;
	readonly touched: ReadonlyMap<string, PatchedFile>;
	readonly functions: ReadonlyMap<number, readonly FunctionChange[]>;
	readonly notes: readonly PatchNote[];
	/** Functions that some hunk of the series did not reach: they are run in pieces from there on. */
	readonly lost: ReadonlySet<string>;
	/** Hunks that applied. */
	readonly done: ReadonlySet<number>;
}

const NOTHING: Omit<State, 'source'> = { files: new Map(), touched: new Map(), functions: new Map(), notes: [], lost: new Set(), done: new Set() };

function stateOf(walk: Walk, patch: Patch): State {
	const known = walk.states.get(patch);
	if (known !== undefined) return known;
	// Earlier patches first and one by one: a series of a thousand must not be a recursion a thousand deep.
	const chain = earlierPatches(walk.doc, patch);
	for (const [i, earlier] of chain.entries()) {
		if (!walk.states.has(earlier)) walk.states.set(earlier, apply(walk, earlier, walk.states.get(chain[i - 1] as Patch)));
	}
	const state = apply(walk, patch, walk.states.get(chain.at(-1) as Patch));
	walk.states.set(patch, state);
	return state;
}

function apply(walk: Walk, patch: Patch, below: State | undefined): State {
	const source = walk.sourceOf(patch);
	const drafts = patch.hunks.filter((hunk) => hunk.origin !== 'suggestion');
	if (source === null || drafts.length === 0) return { ...NOTHING, ...below, source, touched: new Map(), functions: new Map(), notes: [], done: new Set() };
	const files = new Map(below?.files);
	const touched = new Map<string, PatchedFile>();
	const functions = new Map<number, readonly FunctionChange[]>();
	const notes: PatchNote[] = [];
	const lost = new Set(below?.lost);
	const done = new Set<number>();
	for (const [path, hunks] of byFile(drafts)) {
		const base = baseOf(walk, source, path, hunks, files);
		if (base === undefined) continue;
		if (base === null) {
			notes.push({
				rule: 'not-mapped',
				line: hunks[0]?.line ?? 1,
				hunks: hunks.map(({ id }) => id),
				message: `${source.label} has no ${path}, so only what the hunk shows was run.`,
			});
			for (const { functions: shown } of hunks) for (const { name } of shown) lost.add(keyOf(path, name));
			continue;
		}
		const { before, after, failures, reversed } = applyHunks(base.file, hunks, (hunk) => contextDeclaration(hunk.context)?.name ?? null);
		const failed = new Set(failures.map(({ hunk }) => hunk));
		for (const hunk of hunks) if (!failed.has(hunk)) done.add(hunk.id);
		for (const failure of failures) {
			notes.push(failureNote(source.label, path, failure));
			for (const { name } of failure.hunk.functions) lost.add(keyOf(path, name));
		}
		if (failures.length === hunks.length) continue;
		const old = reversed.length === 0 && before.length === base.file.lines.length ? base.file.withLines(before) : new SourceFile(path, before);
		const now = new SourceFile(path, after);
		files.set(path, now);
		touched.set(path, { before: old.text, after: now.text });
		for (const [id, changes] of wholeFunctions(old, now, hunks, base.from)) functions.set(id, [...(functions.get(id) ?? []), ...changes]);
	}
	return { source, files, touched, functions: withFiles(functions, drafts, touched), notes, lost, done };
}

/** Where a patch changes more than functions (macros, structs, variables), its functions come with the files that say so. */
function withFiles(
	functions: ReadonlyMap<number, readonly FunctionChange[]>,
	hunks: readonly Hunk[],
	touched: ReadonlyMap<string, PatchedFile>,
): ReadonlyMap<number, readonly FunctionChange[]> {
	const covered = new Set<number>();
	for (const { before, after } of [...functions.values()].flat())
		for (const side of [before, after]) for (const l of side ?? []) if (l.changed) covered.add(l.line);
	const more = hunks.filter(({ lines }) => lines.some((l) => l.kind !== ' ' && l.text.trim() !== '' && !covered.has(l.line)));
	const paths = new Set(more.map(({ file }) => file));
	const own = [...touched].filter(([path]) => paths.has(path));
	if (own.length === 0) return functions;
	const files = { before: new Map(own.map(([path, { before }]) => [path, before])), after: new Map(own.map(([path, { after }]) => [path, after])) };
	return new Map([...functions].map(([id, changes]) => [id, changes.map((change) => ({ ...change, files }))]));
}

function byFile(hunks: readonly Hunk[]): Map<string, Hunk[]> {
	const files = new Map<string, Hunk[]>();
	for (const hunk of hunks) {
		if (hunk.file === '' || !isCFile(hunk.file)) continue;
		const known = files.get(hunk.file);
		if (known === undefined) files.set(hunk.file, [hunk]);
		else known.push(hunk);
	}
	return files;
}

/** The file before the patch: the object that the patch names, else what earlier patches left, else the tree's. Undefined: not looked up. */
function baseOf(
	walk: Walk,
	source: PatchSource,
	path: string,
	hunks: readonly Hunk[],
	files: ReadonlyMap<string, SourceFile>,
): { readonly file: SourceFile; readonly from: 'tree' | 'blob' } | null | undefined {
	const name = hunks.find(({ blob }) => blob !== undefined)?.blob;
	const object = name === undefined ? undefined : source.blob(name);
	if (object !== undefined) return { file: rootOf(walk, `${name} ${path}`, path, object), from: 'blob' };
	const patched = files.get(path);
	if (patched !== undefined) return { file: patched, from: 'tree' };
	const text = source.file(path);
	if (typeof text === 'string') return { file: rootOf(walk, `${source.label} ${path}`, path, text), from: 'tree' };
	if (hunks.length === 1 && hunks.every(({ lines, oldStart, origin }) => origin === 'diff' && oldStart === 0 && lines.every(({ kind }) => kind === '+')))
		return { file: new SourceFile(path, []), from: 'tree' };
	return text;
}

function rootOf(walk: Walk, key: string, path: string, text: string): SourceFile {
	let file = walk.roots.get(key);
	if (file === undefined) {
		file = new SourceFile(path, treeLines(text));
		walk.roots.set(key, file);
	}
	return file;
}

function keyOf(path: string, name: string): string {
	return `${path} ${name}`;
}

function failureNote(label: string, path: string, { hunk, expected, found }: Failure): PatchNote {
	const line = expected?.line ?? hunk.line;
	const why =
		expected === null || found === null
			? `nothing of it is in ${path}`
			: `${path}${found.treeLine === undefined ? '' : `:${found.treeLine}`} has ${shown(found.text)} where line ${line} has ${shown(expected.text)}`;
	return { rule: 'not-mapped', line, hunks: [hunk.id], message: `The hunk does not apply to ${label}: ${why}. Only what the hunk shows was run.` };
}

function shown(text: string): string {
	const bare = text.trim();
	return `"${bare.length > 80 ? `${bare.slice(0, 79)}…` : bare}"`;
}

/** The patch with whole functions where all its hunks of them applied. */
function rebuilt(patch: Patch, { source, functions, touched, notes, lost, done }: State): Patch {
	const hunks = patch.hunks.map((hunk) => {
		const whole = functions.get(hunk.id);
		if (whole === undefined || !done.has(hunk.id)) return hunk;
		return { ...hunk, functions: merged(hunk, whole, lost) };
	});
	const kernel = source?.decides === true && done.size > 0 ? { kernel: source.kernel, kernelFrom: 'option' as const } : {};
	return {
		...patch,
		...kernel,
		hunks,
		...(touched.size > 0 ? { files: touched } : {}),
		...(notes.length > 0 ? { notes: [...(patch.notes ?? []), ...notes] } : {}),
	};
}

function merged(hunk: Hunk, whole: readonly FunctionChange[], lost: ReadonlySet<string>): FunctionChange[] {
	const out: FunctionChange[] = [];
	for (const change of whole) {
		const pieces = hunk.functions.filter(({ name }) => name === change.name);
		if (lost.has(keyOf(hunk.file, change.name))) out.push(...pieces);
		else if (pieces.length === 1 && pieces[0]?.whole === true && change.before === null) out.push(pieces[0]);
		else out.push({ ...change, pieces });
	}
	return out.sort((a, b) => a.line - b.line).map((change, i) => ({ ...change, id: `${hunk.id}.${i}` }));
}

/** A suggestion is applied to what the draft that it amends leaves. */
function withSuggestions(walk: Walk, patch: Patch, built: Patch): Patch {
	if (patch.hunks.every(({ origin }) => origin !== 'suggestion')) return built;
	const hunks = built.hunks.map((hunk) => {
		if (hunk.origin !== 'suggestion' || hunk.amends === null) return hunk;
		const owner = walk.doc.patches.find((other) => other.hunks.some(({ id }) => id === hunk.amends)) ?? patch;
		const state = stateOf(walk, owner);
		const file = state.files.get(hunk.file);
		if (file === undefined || !state.done.has(hunk.amends)) return hunk;
		const { before, after, failures, reversed } = applyHunks(file, [hunk], () => contextDeclaration(hunk.context)?.name ?? null);
		if (failures.length > 0 || reversed.length > 0) return hunk;
		const whole = wholeFunctions(new SourceFile(hunk.file, before), new SourceFile(hunk.file, after), [hunk], 'tree').get(hunk.id);
		return whole === undefined ? hunk : { ...hunk, functions: merged(hunk, whole, state.lost) };
	});
	return { ...built, hunks };
}
