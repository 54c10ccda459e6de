import * as vscode from 'vscode';
import type { ServerProcess } from './server-process.ts';
import { messageOf } from './titles.ts';

/** What a command needs of the server, asked for in a way that always gets an answer: what is wrong, and what to do about it. */
export class Ask {
	constructor(readonly server: ServerProcess) {}

	/** Undefined when the server is down, when the user cancels, and when the answer is an error; the user has been told by then. */
	async request<T>(title: string, method: string, params: object): Promise<T | undefined> {
		return await this.during(title, (token) => this.server.request<T>(method, params, token));
	}

	async during<T>(title: string, run: (token: vscode.CancellationToken) => Promise<T>): Promise<T | undefined> {
		if (!(await this.isUp())) return undefined;
		try {
			return await vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title: `Faultline: ${title}`, cancellable: true }, (_, token) =>
				run(token),
			);
		} catch (error) {
			await offerLog(`${title}: ${messageOf(error)}`);
			return undefined;
		}
	}

	async isUp(): Promise<boolean> {
		if (this.server.state.kind === 'starting') await started(this.server);
		if (this.server.isRunning) return true;
		const restart = 'Restart Server';
		const { detail } = this.server.state;
		const answer = await vscode.window.showWarningMessage(`Faultline's server is not running${detail === '' ? '' : `: ${detail}`}.`, restart);
		if (answer === restart) await vscode.commands.executeCommand('faultline.restartServer');
		return false;
	}
}

/** Milliseconds that a command waits for a server that starts. */
const PATIENCE = 5000;

function started(server: ServerProcess): Promise<void> {
	return new Promise((resolve) => {
		const done = (): void => {
			clearTimeout(timer);
			listener.dispose();
			resolve();
		};
		const timer = setTimeout(done, PATIENCE);
		const listener = server.onDidChangeState(({ kind }) => {
			if (kind !== 'starting') done();
		});
	});
}

export async function offerLog(message: string): Promise<void> {
	const show = 'Show Log';
	if ((await vscode.window.showErrorMessage(message, show)) === show) await vscode.commands.executeCommand('faultline.showLog');
}
