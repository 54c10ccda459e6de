import { spawnSync } from 'node:child_process';

/** CPU milliseconds of a command and its children, the middle of `rounds`; undefined if it fails. */
export function commandMs(command: readonly string[], rounds: number, cwd?: string): number | undefined {
	const times: number[] = [];
	for (let i = 0; i < rounds; i++) {
		const { stderr, status } = spawnSync('bash', ['-c', 'TIMEFORMAT="@%U %S"; time "$@" >/dev/null', 'bash', ...command], { cwd, encoding: 'utf8' });
		const [, user, system] = /@([\d.]+) ([\d.]+)\s*$/.exec(stderr) ?? [];
		if (status !== 0 || user === undefined) return undefined;
		times.push((Number(user) + Number(system)) * 1000);
	}
	return times.sort((a, b) => a - b)[rounds >> 1];
}
