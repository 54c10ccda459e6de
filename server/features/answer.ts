import { type CancellationToken, LSPErrorCodes, ResponseError } from 'vscode-languageserver/node';
import { JobCancelled, JobFailed, type JobResults } from '../session/jobs.ts';
import type { Task } from '../session/worker-pool.ts';

/** What a job of the worker answers with; the token cancels the job. */
export async function answerOf<K extends 'scenario' | 'evidence' | 'compare'>(task: Task<K>, token: CancellationToken): Promise<JobResults[K]> {
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
