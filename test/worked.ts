/** Milliseconds that this process has worked: the clock would count what the other programs of a busy machine take as well. */
export function worked(): number {
	const { user, system } = process.cpuUsage();
	return (user + system) / 1000;
}
