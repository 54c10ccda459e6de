import type { Catalogue } from '../../simulator/index.ts';
import { KERNEL_RELEASES } from '../patch/kernel-version.ts';
import { rules } from '../review/rules.ts';
import { type Configuration, defaultConfiguration } from './configuration.ts';

/** Versions of the tables, and the one in development after the last of them. */
const VERSIONS: ReadonlySet<string> = new Set([...KERNEL_RELEASES.map(({ version }) => version), '6.19']);

/** Takes out the names that nothing has, so that no review is of nothing, and names them in `problems`. */
export function withKnownNames(given: Configuration, catalogue: Catalogue): { readonly configuration: Configuration; readonly problems: readonly string[] } {
	const problems: string[] = [];
	const known = (name: string, kind: string, value: string, there: boolean): boolean => {
		if (!there) problems.push(`setting faultline.${name} is ignored: there is no ${kind} ${JSON.stringify(value)}`);
		return there;
	};
	const { present, absent } = catalogue.architectures('6.19');
	const architectures = new Set([...present, ...absent].map(({ name }) => name));
	const isArchitecture = (spec: string): boolean => {
		const [name = '', version] = spec.split('@', 2);
		return architectures.has(name) && (version === undefined || VERSIONS.has(version));
	};
	// A rule that nobody has does no harm, so it stays.
	const ids = new Set(rules().map(({ id }) => id));
	for (const name of ['severities', 'thresholds'] as const)
		for (const rule of Object.keys(given[name])) if (!ids.has(rule)) problems.push(`setting faultline.${name}: there is no rule ${JSON.stringify(rule)}`);
	const { kernel, policy } = given;
	const configuration: Configuration = {
		...given,
		kernel: kernel === '' || known('kernel', 'modelled version', kernel, VERSIONS.has(kernel)) ? kernel : defaultConfiguration.kernel,
		architectures: given.architectures.filter((spec) => known('architectures', 'architecture', spec, isArchitecture(spec))),
		policy: known(
			'policy',
			'policy',
			policy,
			catalogue.policies().some(({ name }) => name === policy),
		)
			? policy
			: defaultConfiguration.policy,
	};
	return { configuration, problems };
}
