import * as vscode from 'vscode';

/** The part of the interface of VS Code's Git extension that is used here (its `git.d.ts`, version 1). */
interface GitApi {
	readonly repositories: readonly Repository[];
	readonly onDidOpenRepository: vscode.Event<Repository>;
	getRepository(uri: vscode.Uri): Repository | null;
}

interface Repository {
	readonly rootUri: vscode.Uri;
	readonly state: { readonly onDidChange: vscode.Event<void> };
	/** Against the index, or of the index against the commit. */
	diff(cached?: boolean): Promise<string>;
}

/** Diffs as the editor's own Git makes them. It is off in workspaces that are not trusted. */
export const diffOf = {
	/** Folder of the repository that a menu of source control was opened on; else of the active file, else the first. */
	async root(argument: unknown): Promise<vscode.Uri | undefined> {
		const git = await api();
		const named = typeof argument === 'object' && argument !== null && 'rootUri' in argument ? argument.rootUri : undefined;
		if (named instanceof vscode.Uri) return git?.getRepository(named)?.rootUri;
		const active = vscode.window.activeTextEditor?.document.uri;
		return ((active && git?.getRepository(active)) ?? git?.repositories[0])?.rootUri;
	},
	async text(root: vscode.Uri, staged: boolean): Promise<string> {
		const repository = (await api())?.getRepository(root);
		if (!repository) throw new Error('the repository is not open');
		return await repository.diff(staged);
	},
};

/** The folder of a repository whose state changed. Nothing is watched before a diff was asked for. */
export function onDidChangeRepository(listener: (root: vscode.Uri) => void): vscode.Disposable {
	const watched: vscode.Disposable[] = [];
	watch = ({ repositories, onDidOpenRepository }) => {
		watch = undefined;
		const follow = ({ rootUri, state }: Repository): void => void watched.push(state.onDidChange(() => listener(rootUri)));
		for (const repository of repositories) follow(repository);
		watched.push(onDidOpenRepository(follow));
	};
	return new vscode.Disposable(() => {
		for (const one of watched) one.dispose();
	});
}

/** Milliseconds in which Git finds the repositories of a workspace that has just been opened or trusted. */
const PATIENCE = 3000;

function opened({ onDidOpenRepository }: GitApi): Promise<void> {
	return new Promise((resolve) => {
		const done = (): void => {
			clearTimeout(timer);
			listener.dispose();
			resolve();
		};
		const timer = setTimeout(done, PATIENCE);
		const listener = onDidOpenRepository(done);
	});
}

let watch: ((git: GitApi) => void) | undefined;

async function api(): Promise<GitApi | undefined> {
	const extension = vscode.extensions.getExtension<{ getAPI(version: 1): GitApi }>('vscode.git');
	if (extension === undefined) throw new Error('the Git extension of the editor is not there, or off');
	const git = (await extension.activate()).getAPI(1);
	if (git.repositories.length === 0) await opened(git);
	watch?.(git);
	return git;
}
