import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { root as project } from '../lsp/editor.ts';
import { clone, folder, git, put } from '../server/sources/kernels.ts';
import { FLUSH_LINE, PGTABLE_GENERIC_C, WITHOUT_FLUSH } from '../server/sources/pgtable-generic.ts';

const FILE = 'mm/pgtable-generic.c';
const cli = path.join(process.env.FAULTLINE_DIST ?? path.join(project, 'dist'), 'cli.cjs');

function review(cwd: string, ...args: string[]): { readonly status: number | null; readonly out: string; readonly err: string } {
	const env = { ...process.env, XDG_CACHE_HOME: folder() };
	const { status, stdout, stderr } = spawnSync(process.execPath, [cli, 'review', ...args], { cwd, env, encoding: 'utf8' });
	return { status, out: stdout, err: stderr };
}

/** A clone whose last commit, or whose files, take the flush away. */
function changed(committed: boolean): string {
	const root = clone('6.12');
	put(root, FILE, PGTABLE_GENERIC_C);
	git(root, 'add', '.');
	git(root, 'commit', '--quiet', '-m', 'mm: more');
	put(root, FILE, WITHOUT_FLUSH);
	if (committed) git(root, 'commit', '--quiet', '-am', 'mm: flush less');
	return root;
}

const PLACE = `${FILE}:${FLUSH_LINE}: error: stale-translation: `;

describe('review --git', () => {
	it('reviews what is not committed, and says where in the kernel', () => {
		const root = changed(false);
		const { status, out } = review(root, '--git');
		expect(out).toContain(PLACE);
		expect(status).toBe(1);
		expect(review(root, '--git', '--staged')).toMatchObject({ status: 0, out: '', err: 'no changes to review\n' });
		git(root, 'add', '.');
		expect(review(root, '--git', '--staged').out).toContain(PLACE);
	});
	it('reviews the commits of a range, in the clone that --tree names', () => {
		const root = changed(true);
		const { out } = review(folder(), '--git', 'HEAD~1..HEAD', '--tree', root, '--format', 'json');
		const [patch, ...others] = JSON.parse(out).documents[0].patches;
		expect(others).toEqual([]);
		expect([patch.subject, patch.kernel, patch.hunks.map((hunk: { mode: string }) => hunk.mode)]).toEqual(['[PATCH 1/1] mm: flush less', '6.12', ['blob']]);
		expect(patch.findings[0].at).toEqual({ file: FILE, line: FLUSH_LINE, endLine: FLUSH_LINE });
	});
	it('says what is wrong in a line', () => {
		const root = changed(true);
		const wrong: [string[], string][] = [
			[['--git', 'nothing..HEAD'], '--git: "nothing..HEAD" names no commits of this clone'],
			[['--git', 'a', 'b'], 'review --git takes one range, such as v6.12..HEAD'],
			[['--staged'], '--staged needs --git'],
			[['--git', '--no-tree'], '--git and --no-tree exclude each other'],
			[['--git=x'], '--git takes no value'],
		];
		for (const [args, message] of wrong) expect(review(root, ...args)).toMatchObject({ status: 2, out: '', err: `faultline: ${message}\n` });
		expect(review(folder(), '--git').err).toBe(
			'faultline: --git: . is no kernel tree: a folder with Makefile, Kbuild and mm/memory.c, or a linux-source-X.Y.tar.xz, is expected\n',
		);
	});
});
