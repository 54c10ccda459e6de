import { type CancellationToken, LSPErrorCodes, ResponseError } from 'vscode-languageserver/node';
import { type Job, JobCancelled, JobFailed, type JobResults } from '../session/jobs.ts';
import type { Progress } from '../session/reviews.ts';
import type { Session } from '../session/session.ts';
import type { Task } from '../session/worker-pool.ts';

/** Milliseconds after which work that somebody waits for shows its progress. */
const PATIENCE = 300;

/** What a job of the worker answers with; the token cancels the job. */
export async function answerOf<K extends Job['kind']>(task: Task<K>, token: CancellationToken): Promise<JobResults[K]> {
	const listener = token.onCancellationRequested(task.cancel);
	try {
		return await task.result;
	} catch (error) {
		if (error instanceof JobCancelled) throw new ResponseError(LSPErrorCodes.RequestCancelled, 'cancelled');
		throw new ResponseError(LSPErrorCodes.RequestFailed, error instanceof JobFailed ? error.message : String(error));
	} finally {
		listener.dispose();
	}
}

/** Has the worker do a job that somebody waits for, ahead of what nobody does; after a while with progress, which can be cancelled. */
export async function workOn<K extends Job['kind']>(
	session: Session,
	job: Job & { readonly kind: K },
	title: string,
	token: CancellationToken,
): Promise<JobResults[K]> {
	let progress: Progress | undefined;
	const task = session.pool.run<K>(job, { urgent: true, progress: (done, total) => progress?.report(done, total) });
	const late = setTimeout(() => {
		progress = session.beginProgress(title, task.cancel);
	}, PATIENCE);
	try {
		return await answerOf(task, token);
	} finally {
		clearTimeout(late);
		progress?.end();
	}
}
