import type { RunScenarioArgument } from '../server/session/protocol.ts';

/** A short name for the result of a command. */
export function titleOf(argument: RunScenarioArgument | undefined): string {
	const name = argument?.uri?.slice(argument.uri.lastIndexOf('/') + 1);
	if (name !== undefined && argument?.hunk !== undefined) return `${name} hunk ${argument.hunk + 1}`;
	if (name !== undefined && argument?.finding !== undefined) return `${name} finding ${argument.finding}`;
	if (name !== undefined && argument?.patch !== undefined) return `${name} patch ${argument.patch + 1}`;
	if (argument?.scenario !== undefined && argument.policy !== undefined) return `${argument.scenario} ${argument.policy}`;
	return argument?.scenario ?? argument?.symbol ?? 'result';
}

export function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
