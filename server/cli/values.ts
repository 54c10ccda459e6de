import type { Simulator } from '../../simulator/index.ts';
import { KERNEL_RELEASES } from '../patch/kernel-version.ts';
import type { Arguments } from './arguments.ts';
import { UsageError } from './host.ts';
import { unknownName } from './nearest.ts';

/** Versions of the tables, and the one in development after the last of them. */
const VERSIONS: readonly string[] = [...KERNEL_RELEASES.map(({ version }) => version), '6.19'];

/** Value of a one-valued option. */
export function oneOf<const T extends string>(args: Arguments, option: string, values: readonly T[], fallback: T): T {
	const given = args.options.get(option)?.[0];
	if (given === undefined) return fallback;
	const found = values.find((value) => value === given);
	if (found !== undefined) return found;
	throw new UsageError(unknownName(`--${option}`, given, values));
}

/** `5.8`, `v5.8` and `5.8-rc3` are version 5.8. Undefined when the option is absent. */
export function kernelOption(args: Arguments): string | undefined {
	const given = args.options.get('kernel')?.[0];
	return given === undefined ? undefined : readVersion(given, '--kernel');
}

/** Names of an option, each checked against the names there are; null when the option is absent. */
export function namesOption(args: Arguments, option: string, known: readonly string[]): readonly string[] | null {
	const given = args.options.get(option);
	if (given === undefined) return null;
	for (const name of given) if (!known.includes(name)) throw new UsageError(unknownName(`--${option}`, name, known));
	return [...new Set(given)];
}

/** `arm64` or `arm64@6.19`. */
export function archOption(args: Arguments, sim: Simulator): readonly string[] | null {
	const given = args.options.get('arch');
	if (given === undefined) return null;
	const known = archNames(sim);
	return given.map((text) => {
		const [name = '', version] = text.split('@', 2);
		if (!known.includes(name)) throw new UsageError(unknownName('--arch', text, known));
		return version === undefined ? name : `${name}@${readVersion(version, '--arch')}`;
	});
}

/** Every architecture of any version. */
export function archNames(sim: Simulator): string[] {
	const { present, absent } = sim.architectures(VERSIONS.at(-1) ?? '');
	return [...present, ...absent].map(({ name }) => name);
}

/** The seed of what is drawn at random: orders of the tasks, where there are too many to look at all of them. */
export function seedOption(args: Arguments): number {
	const given = args.options.get('seed')?.[0];
	if (given === undefined) return 0;
	if (!/^\d{1,10}$/.test(given) || Number(given) >= 2 ** 32)
		throw new UsageError(`--seed ${JSON.stringify(given.slice(0, 64))} is not a whole number below 4294967296`);
	return Number(given);
}

/** Scheduling steps that may be taken to look at other orders of one scenario's tasks; 0 switches it off. */
export function exploreOption(args: Arguments, fallback: number): number {
	const given = args.options.get('explore')?.[0];
	if (given === undefined) return fallback;
	if (!/^\d{1,9}$/.test(given)) throw new UsageError(`--explore ${JSON.stringify(given.slice(0, 64))} is not a number of steps such as 30000, or 0 for none`);
	return Number(given);
}

function readVersion(text: string, option: string): string {
	const match = /^v?(\d{1,3})\.(\d{1,3})(?:\.\d{1,3})?(?:-rc\d{1,2})?$/.exec(text);
	if (match === null) throw new UsageError(`${option} ${JSON.stringify(text.slice(0, 64))} is not a version such as 6.12`);
	const version = `${Number(match[1])}.${Number(match[2])}`;
	if (!VERSIONS.includes(version)) throw new UsageError(`${option} ${version} is no version in the tables; nearest: ${nearestRelease(version)}`);
	return version;
}

function nearestRelease(version: string): string {
	const value = (text: string) => Number(text.split('.')[0]) * 100 + Number(text.split('.')[1]);
	const away = (text: string) => Math.abs(value(text) - value(version));
	return VERSIONS.reduce((best, text) => (away(text) < away(best) ? text : best));
}
