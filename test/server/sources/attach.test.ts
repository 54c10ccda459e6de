import { describe, expect, it } from 'vitest';
import { parseDocument } from '../../../server/patch/read.ts';
import type { ParsedDocument } from '../../../server/patch/types.ts';
import { withSources } from '../../../server/sources/attach.ts';
import { chooseSources, NO_SOURCES } from '../../../server/sources/choose.ts';
import { clone, git, MEMORY_C, put } from './kernels.ts';

const change = (from: string, to: string): string => MEMORY_C.replace(`${from}(vma)`, `${to}(vma)`);

async function review(root: string, text: string, trusted = true): Promise<ParsedDocument> {
	const sources = await chooseSources({ ...NO_SOURCES, tree: root, clone: trusted });
	try {
		return await withSources(parseDocument('x', text, {}), sources);
	} finally {
		await sources.close();
	}
}

const modes = ({ patches }: ParsedDocument): string[] =>
	patches.flatMap(({ hunks }) => hunks.flatMap(({ functions }) => functions.map(({ name, from }) => `${name} ${from}`)));
const notes = ({ patches }: ParsedDocument): string[] => patches.flatMap((patch) => patch.notes?.map(({ message }) => message) ?? []);

/** A clone with two commits on top of the tree, then one that rewrites the file. */
function rewritten(): string {
	const root = clone('6.12');
	put(root, 'mm/memory.c', change('two', 'twice'));
	git(root, 'commit', '--quiet', '-am', 'mm: twice');
	put(root, 'mm/memory.c', 'int rewritten;\n');
	git(root, 'commit', '--quiet', '-am', 'mm: rewrite');
	return root;
}

describe('a patch that names what it was made from', () => {
	it('is applied to the objects of its index lines, where the clone may be asked', async () => {
		const root = rewritten();
		const patch = git(root, 'show', '--full-index', 'HEAD~1');
		expect(modes(await review(root, patch))).toEqual(['second blob']);
		const alone = await review(root, patch, false);
		expect(modes(alone)).toEqual(['second undefined']);
		expect(notes(alone)[0]).toMatch(/^The hunk does not apply to .*: mm\/memory\.c:1 has|nothing of it is in mm\/memory\.c/);
	});
	it('is applied to its base commit', async () => {
		const root = rewritten();
		const patch = git(root, 'format-patch', '--stdout', '-1', '--base=HEAD~2', 'HEAD~1').replace(/^index .*\n/m, '');
		expect(patch).toContain('base-commit: ');
		const doc = await review(root, patch);
		expect([modes(doc), notes(doc)]).toEqual([['second tree'], []]);
		const elsewhere = await review(root, patch.replace(/base-commit: \w+/, `base-commit: ${'1'.repeat(40)}`));
		expect(notes(elsewhere)[0]).toBe('The clone does not have the base commit 111111111111; the patch was applied to what there is.');
	});
	it('lies on its prerequisites, and those that are missing are named', async () => {
		const root = clone('6.12');
		put(root, 'mm/memory.c', change('two', 'twice'));
		git(root, 'commit', '--quiet', '-am', 'mm: twice');
		put(root, 'mm/memory.c', change('two', 'three_times'));
		git(root, 'commit', '--quiet', '-am', 'mm: three times');
		const bare = (text: string): string => text.replace(/^index .*\n/gm, '');
		const first = bare(git(root, 'format-patch', '--stdout', '-1', 'HEAD~1'));
		const second = bare(git(root, 'format-patch', '--stdout', '-1', '--base=HEAD~2', 'HEAD'));
		expect(second).toContain('prerequisite-patch-id: ');
		const both = await review(root, `${first}\n${second}`);
		expect([modes(both), notes(both)]).toEqual([['second tree', 'second tree'], []]);
		expect(both.patches[1]?.files?.get('mm/memory.c')?.before).toBe(change('two', 'twice'));
		expect(notes(await review(root, second))[0]).toMatch(/^The patch builds on patches that are not here and were not applied \(patch id [0-9a-f]{12}\)/);
	});
});
