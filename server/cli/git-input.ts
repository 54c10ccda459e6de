import { parseDocument } from '../patch/read.ts';
import type { ParsedDocument } from '../patch/types.ts';
import type { ReviewSettings } from '../review/settings.ts';
import type { Sources } from '../sources/attach.ts';
import type { Arguments } from './arguments.ts';
import { UsageError } from './host.ts';

/** Whether the command line asks for changes of a clone instead of files. */
export function isGit(args: Arguments): boolean {
	if (args.options.has('git')) {
		if (args.operands.length > 1) throw new UsageError('review --git takes one range, such as v6.12..HEAD');
		if (args.options.has('staged') && args.operands.length > 0) throw new UsageError('--staged and a range exclude each other');
		return true;
	}
	if (args.options.has('staged')) throw new UsageError('--staged needs --git');
	return false;
}

/** The changes that the command line asks for, as a document that git wrote. Null when there are none. */
export async function readGit(args: Arguments, sources: Sources, settings: ReviewSettings): Promise<ParsedDocument | null> {
	const repository = await sources.repository();
	if (repository === null) throw new UsageError(`--git: ${args.options.get('tree')?.[0] ?? 'this folder'} is in no clone; name one with --tree DIR`);
	const options = settings.kernel === undefined ? {} : { kernel: settings.kernel };
	const range = args.operands[0];
	if (range !== undefined) {
		const series = await repository.series(range);
		if (series === null) throw new UsageError(`--git: ${JSON.stringify(range.slice(0, 100))} names no commits of this clone`);
		return series === '' ? null : { ...parseDocument(`git ${range}`, series, options), generated: true };
	}
	const staged = args.options.has('staged');
	const [text, head] = await Promise.all([repository.diff(staged), repository.commit('HEAD')]);
	if (text === '' || head === null) return null;
	const document = parseDocument(staged ? 'git diff --cached' : 'git diff HEAD', text, options);
	return { ...document, generated: true, patches: document.patches.map((patch) => ({ ...patch, baseCommit: head })) };
}
