import { versionOf } from './directory.ts';
import { type GitView, openGit } from './git-run.ts';
import { isInside, type KernelTree, MAX_FILE_BYTES } from './tree.ts';

/** What is read of a clone. */
export interface Repository {
	readonly root: string;
	/** Full name of a commit, or null when the clone does not have it. */
	commit(revision: string): Promise<string | null>;
	/** Texts of objects by the names that were asked for; those that the clone lacks are left out. */
	blobs(names: readonly string[]): Promise<ReadonlyMap<string, string>>;
	/** The kernel tree of a commit, or null when it is none. */
	tree(revision: string): Promise<KernelTree | null>;
	/** Uncommitted changes as a diff: of the files against the index and of the index against HEAD, or of the index alone. */
	diff(staged: boolean): Promise<string>;
	/** The commits of `A..B`, or the one that a revision names, as a numbered series of mails, oldest first. Null: no such revisions. */
	series(range: string): Promise<string | null>;
	/** Ids of the patches in a text, as `git patch-id --stable` counts them. */
	patchIds(text: string): Promise<readonly string[]>;
	close(): Promise<void>;
}

const OBJECT = /^[0-9a-f]{7,64}$/;
/** Names and operators of revisions; nothing that reads like an option, a path or a search. */
const RANGE = /^[A-Za-z0-9_][\w./@{}^~+-]*$/;

/** Nothing of a diff may depend on who reads it, and nothing may be hidden in it. */
const PLAIN = [
	'--no-ext-diff',
	'--no-textconv',
	'--no-color',
	'--no-renames',
	'--text',
	'--full-index',
	'--ignore-submodules=all',
	'--src-prefix=a/',
	'--dst-prefix=b/',
];

/** The clone that a folder is in, or null. Only for folders whose owner is trusted: it reads what the clone names. */
export async function openRepository(folder: string): Promise<Repository | null> {
	const git = await openGit(folder);
	return git === null ? null : repositoryOf(git);
}

function repositoryOf(git: GitView): Repository {
	async function commit(revision: string): Promise<string | null> {
		if (!RANGE.test(revision) || revision.length > 200) return null;
		const answer = await git.run(['rev-parse', '--quiet', '--verify', '--end-of-options', `${revision}^{commit}`]);
		return answer?.toString('latin1').trim() ?? null;
	}

	return {
		root: git.root,
		commit,
		blobs: (names) =>
			objects(
				git,
				names.filter((name) => OBJECT.test(name)),
			),
		async tree(revision) {
			const name = await commit(revision);
			if (name === null) return null;
			const makefile = (await objects(git, [`${name}:Makefile`])).values().next().value;
			const kernel = versionOf(makefile ?? '');
			return kernel === null ? null : commitTree(git, name, kernel);
		},
		async diff(staged) {
			const head = await commit('HEAD');
			if (head === null) return '';
			const answer = await git.run(['diff', ...PLAIN, ...(staged ? ['--cached'] : []), head, '--']);
			if (answer === null) throw new Error('git cannot tell the changes of the clone');
			return answer.toString('utf8');
		},
		async series(range) {
			if (!RANGE.test(range) || range.length > 400) return null;
			const what = range.includes('..') ? [range] : ['-1', range];
			const format = ['format-patch', '--stdout', '--numbered', '--no-signature', '--no-stat', '--no-notes', ...PLAIN];
			// A range that holds merges has no base that git would name.
			const base = await commit(range.includes('..') ? (range.split('..')[0] ?? '') : `${range}^`);
			const based = base === null ? null : await git.run([...format, `--base=${base}`, ...what, '--']);
			return (based ?? (await git.run([...format, ...what, '--'])))?.toString('utf8') ?? null;
		},
		async patchIds(text) {
			const answer = await git.run(['patch-id', '--stable'], text);
			return answer?.toString('latin1').match(/^[0-9a-f]{40,64}(?= )/gm) ?? [];
		},
		close: () => git.close(),
	};
}

/** The files of a commit. Those asked for at the same time are read by one git. */
function commitTree(git: GitView, commit: string, kernel: string): KernelTree {
	let waiting: { readonly name: string; readonly done: (text: string | null) => void; readonly fail: (error: unknown) => void }[] = [];
	async function flush(): Promise<void> {
		const asked = waiting;
		waiting = [];
		try {
			const texts = await objects(
				git,
				asked.map(({ name }) => name),
			);
			for (const { name, done } of asked) done(texts.get(name) ?? null);
		} catch (error) {
			for (const { fail } of asked) fail(error);
		}
	}
	const ask = (name: string): Promise<string | null> =>
		new Promise((done, fail) => {
			if (waiting.length === 0) setTimeout(() => void flush(), 1);
			waiting.push({ name, done, fail });
		});
	return {
		...{ kernel, label: `commit ${commit.slice(0, 12)}`, id: `commit-${commit}` },
		read: (path) => (isInside(path) ? ask(`${commit}:${path}`) : Promise.resolve(null)),
		readBlob: (name) => (OBJECT.test(name) ? ask(name) : Promise.resolve(null)),
	};
}

/** Reads objects by names that hold no line break; sizes are limited before anything is read. */
async function objects(git: GitView, names: readonly string[]): Promise<Map<string, string>> {
	const wanted = [...new Set(names)];
	const texts = new Map<string, string>();
	if (wanted.length === 0) return texts;
	const sizes = await git.run(['cat-file', '--batch-check=%(objecttype) %(objectsize)'], `${wanted.join('\n')}\n`);
	const small = (sizes?.toString('latin1').split('\n') ?? []).flatMap((line, i) => {
		const size = /^blob (\d{1,10})$/.exec(line)?.[1];
		return size !== undefined && Number(size) <= MAX_FILE_BYTES ? [wanted[i] as string] : [];
	});
	if (small.length === 0) return texts;
	const answer = await git.run(['cat-file', '--batch=%(objectsize)'], `${small.join('\n')}\n`);
	let at = 0;
	for (const name of small) {
		if (answer === null) break;
		const end = answer.indexOf(0x0a, at);
		const size = Number(answer.toString('latin1', at, end));
		if (end < 0 || !Number.isSafeInteger(size)) break;
		texts.set(name, answer.toString('utf8', end + 1, end + 1 + size));
		at = end + 1 + size + 1;
	}
	return texts;
}
