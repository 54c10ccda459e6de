import type { Connection, WorkDoneProgressServerReporter } from 'vscode-languageserver/node';
import type { ClientAbilities } from './abilities.ts';
import type { Progress } from './reviews.ts';

const silent: Progress = { report: () => {}, end: () => {} };

/** Work-done progress in the client's window, where it has one. The client may answer late, or after the end. */
export function progressIn(connection: Connection, client: ClientAbilities): (title: string, cancelled: () => void) => Progress {
	if (!client.workDoneProgress) return () => silent;
	return (title, cancelled) => {
		let reporter: WorkDoneProgressServerReporter | undefined;
		let ended = false;
		connection.window.createWorkDoneProgress().then(
			(created) => {
				created.token.onCancellationRequested(cancelled);
				created.begin('Faultline', 0, title, true);
				if (ended) created.done();
				reporter = created;
			},
			() => {},
		);
		return {
			report(done, total) {
				if (!ended) reporter?.report(total === 0 ? 0 : Math.floor((100 * done) / total), total === 0 ? title : `${title}: ${done} of ${total} runs`);
			},
			end() {
				if (ended) return;
				ended = true;
				reporter?.done();
			},
		};
	};
}
