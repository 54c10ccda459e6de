import { seriesOf } from '../mail/headers.ts';
import { type Message, messagesOf } from '../mail/messages.ts';
import { unquoteAll } from '../mail/quotes.ts';
import { readText } from '../mail/text.ts';
import { Seen } from './duplicates.ts';
import { functionsOf, type HunkText } from './functions.ts';
import { kernelOf } from './kernel-version.ts';
import { mentionsOf } from './mentions.ts';
import { parseHunks } from './parse.ts';
import { type RawHunk, type Scan, scanStream } from './scan.ts';
import { streamsOf } from './streams.ts';
import { type Draft, suggestionsOf } from './suggestions.ts';
import type { Hunk, ParsedDocument, Patch, Problem } from './types.ts';

/** Problems that are reported; a document with more is damaged as a whole. */
const MAX_PROBLEMS = 100;

export interface ReadOptions {
	/** Kernel version that overrides what the text says. */
	readonly kernel?: string;
}

/**
 * Reads a patch, a mail, a mailbox or a pasted diff. Pure and linear in the input; never throws: what cannot be used is a
 * problem. Lines are 1-based in the document as given.
 */
export function parseDocument(source: string, bytesOrText: Uint8Array | string, options: ReadOptions): ParsedDocument {
	const { lines, problem } = readText(bytesOrText);
	if (problem !== null) return { source, patches: [], mentions: [], problems: [{ line: 1, message: problem }] };
	const first = lines[0];
	const clean = first?.startsWith('\uFEFF') ? [first.slice(1), ...lines.slice(1)] : lines;
	const state: State = { options, seen: new Seen(), nextId: 0, problems: [] };
	const patches = messagesOf(clean).map((message) => readMessage(message, state));
	return { source, patches, mentions: mentionsOf(lines), problems: state.problems.sort((a, b) => a.line - b.line) };
}

interface State {
	readonly options: ReadOptions;
	readonly seen: Seen;
	nextId: number;
	readonly problems: Problem[];
}

function readMessage(message: Message, state: State): Patch {
	const lines = unquoteAll(message.body);
	const scan: Scan = { hunks: [], problems: [], taken: new Set() };
	if (!isPullRequest(message)) for (const stream of streamsOf(lines)) scanStream(stream, scan);
	const bare = message.archive && /^(?:re|aw|sv|antw)\s*:/i.test(message.subject) && !lines.some(({ depth }) => depth > 0);
	const firstId = state.nextId;
	state.seen.begin();
	const { hunks, drafts } = buildHunks(message, scan, bare, state);
	const suggestions = suggestionsOf(lines, scan.taken, drafts, state.nextId);
	state.nextId += suggestions.length;
	for (const problem of scan.problems) if (state.problems.length < MAX_PROBLEMS) state.problems.push(problem);
	const prose = lines.filter((_, i) => !scan.taken.has(i)).map(({ text }) => text);
	const { kernel, kernelFrom } = kernelOf({
		option: state.options.kernel,
		subject: message.subject,
		prose,
		date: message.date,
		names: namesOf(hunks),
	});
	return {
		subject: message.subject,
		date: message.date,
		series: seriesOf(message.subject),
		kernel,
		kernelFrom,
		line: message.line,
		endLine: message.endLine,
		...trailersOf(prose),
		hunks: suggestions.length === 0 ? hunks : inOrder([...hunks, ...suggestions], firstId, state.seen),
	};
}

/** Prerequisites that are read of one mail. */
const MAX_PREREQUISITES = 200;

/** What `git format-patch --base` writes below a patch or a cover letter. */
function trailersOf(prose: readonly string[]): Pick<Patch, 'baseCommit' | 'prerequisites'> {
	let baseCommit: string | undefined;
	const prerequisites: string[] = [];
	for (const line of prose) {
		if (!line.startsWith('base-commit:') && !line.startsWith('prerequisite-patch-id:')) continue;
		const [, key, name = ''] = /^(base-commit|prerequisite-patch-id):\s*([0-9a-f]{12,64})\s*$/.exec(line.slice(0, 200)) ?? [];
		if (key === 'base-commit') baseCommit ??= name;
		else if (key !== undefined && prerequisites.length < MAX_PREREQUISITES) prerequisites.push(name);
	}
	return { ...(baseCommit === undefined ? {} : { baseCommit }), ...(prerequisites.length > 0 ? { prerequisites } : {}) };
}

/** Numbers a mail's hunks and suggestions by their place in the document. */
function inOrder(hunks: readonly Hunk[], firstId: number, seen: Seen): Hunk[] {
	const sorted = hunks.toSorted((a, b) => a.line - b.line || a.id - b.id);
	const ids = new Map(sorted.map((hunk, i) => [hunk.id, firstId + i]));
	seen.renumber(ids);
	return sorted.map((hunk, i) => {
		const id = firstId + i;
		const amends = hunk.amends === null ? null : (ids.get(hunk.amends) ?? hunk.amends);
		return { ...hunk, id, amends, functions: hunk.functions.map((change, k) => ({ ...change, id: `${id}.${k}` })) };
	});
}

/** The hunks that were not listed before, and all of the mail's hunks as drafts that a suggestion may amend. */
function buildHunks(message: Message, scan: Scan, bare: boolean, state: State): { hunks: Hunk[]; drafts: Draft[] } {
	const hunks: Hunk[] = [];
	const drafts: Draft[] = [];
	const ordered = scan.hunks.sort((a, b) => a.line - b.line);
	const parsed = parseHunks(ordered);
	for (const [i, raw] of ordered.entries()) {
		const lines = parsed[i];
		if (!lines) {
			scan.problems.push({ line: raw.line, message: 'The hunk could not be parsed and was left out.' });
			continue;
		}
		const origin = raw.depth > 0 || bare ? 'quoted' : 'diff';
		const known = state.seen.find(raw, origin, message.subject);
		const id = known ?? state.nextId++;
		const text = textOf(raw, id);
		const functions = functionsOf(text);
		if (origin === 'quoted') drafts.push({ text, depth: raw.depth, functions });
		if (known !== null) continue;
		state.seen.add(raw, id, message.subject);
		hunks.push({
			id,
			file: raw.file,
			line: raw.line,
			endLine: lines.at(-1)?.line ?? raw.line,
			origin,
			amends: null,
			context: raw.context,
			oldStart: raw.oldStart,
			newStart: raw.newStart,
			...(raw.cuts.size > 0 ? { cuts: [...raw.cuts] } : {}),
			...(raw.blob === null ? {} : { blob: raw.blob }),
			lines,
			functions,
		});
		if (raw.missing > 0 && origin === 'diff' && !message.archive) {
			scan.problems.push({
				line: raw.line,
				message: 'The hunk is shorter than its header says; it was read as far as it goes. Regenerate the patch if lines were lost.',
			});
		}
	}
	return { hunks, drafts };
}

function textOf(raw: RawHunk, id: number): HunkText {
	return {
		id,
		file: raw.file,
		context: raw.context,
		top: raw.newStart > 0 && raw.oldStart <= 1 && raw.newStart <= 1,
		intact: isIntact(raw),
		lines: raw.lines,
		cuts: raw.cuts,
	};
}

/** Context lines with a marker prove that no white space was eaten; without context, indentation itself does. */
function isIntact(raw: RawHunk): boolean {
	return !raw.eaten && raw.lines.some(({ kind, text }) => kind === ' ' || /^(?:\t| {2,})\S/.test(text));
}

/** A pull request lists what is in a branch; it holds no patch, whatever its text looks like. */
function isPullRequest({ subject, body }: Message): boolean {
	return /\[GIT PULL\b|\[PULL\b/i.test(subject) || body.slice(0, 200).some(({ text }) => text.startsWith('The following changes since commit '));
}

/** Lines of code that are searched for names that date it. */
const MAX_DATED_LINES = 10_000;

function* namesOf(hunks: readonly Hunk[]): Generator<string> {
	let left = MAX_DATED_LINES;
	for (const { lines, context } of hunks) {
		if (left <= 0) return;
		left -= lines.length;
		for (const [name] of context.matchAll(/[A-Za-z_]\w*/g)) yield name;
		for (const { text } of lines) for (const [name] of text.matchAll(/[A-Za-z_]\w*/g)) yield name;
	}
}
