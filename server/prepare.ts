import type { Simulator } from '../simulator/index.ts';
import { unifiedDiff } from './patch/diff.ts';
import { parseDocument } from './patch/read.ts';
import type { ParsedDocument } from './patch/types.ts';
import type { ReviewJob } from './session/jobs.ts';
import { type Sources, withSources } from './sources/attach.ts';
import { chooseSources } from './sources/choose.ts';

/** What a review job is about, with the code before it from wherever the job allows to look. */
export async function prepare(job: Pick<ReviewJob, 'source' | 'text' | 'settings' | 'sources' | 'file'>, simulator: Simulator): Promise<ParsedDocument> {
	const options = job.settings.kernel === undefined ? {} : { kernel: job.settings.kernel };
	const { sources, problem } = await sourcesOf(job);
	try {
		const parsed =
			job.file === undefined ? parseDocument(job.source, job.text, options) : await uncommitted(job.source, job.file.path, job.text, sources, options);
		const document = await withSources(parsed, sources, simulator.treePaths);
		return problem === null ? document : { ...document, problems: [{ line: 1, message: problem }, ...document.problems] };
	} finally {
		await sources.close();
	}
}

/** A tree that the user names and that is none is a problem of the review, not its end. */
async function sourcesOf({ sources, file }: Pick<ReviewJob, 'sources' | 'file'>): Promise<{ readonly sources: Sources; readonly problem: string | null }> {
	const options = file === undefined ? sources : { ...sources, tree: null, workspace: [file.root] };
	try {
		return { sources: await chooseSources(options), problem: null };
	} catch (error) {
		const problem = `${error instanceof Error ? error.message : String(error)}; the setting faultline.kernelTree is not used.`;
		return { sources: await chooseSources({ ...options, tree: null }), problem };
	}
}

/** The changes of a file against the commit that is checked out; none where there is no clone of a kernel. */
async function uncommitted(source: string, path: string, text: string, sources: Sources, options: { readonly kernel?: string }): Promise<ParsedDocument> {
	const nothing: ParsedDocument = { source, patches: [], mentions: [], problems: [] };
	const repository = await sources.repository();
	const head = await repository?.commit('HEAD');
	const tree = head && (await repository?.tree(head));
	if (!tree || !head) return nothing;
	const diff = unifiedDiff(path, (await tree.read(path)) ?? '', text);
	if (diff === '') return nothing;
	const parsed = parseDocument(source, diff, options);
	return { ...parsed, generated: true, patches: parsed.patches.map((patch) => ({ ...patch, baseCommit: head })) };
}
