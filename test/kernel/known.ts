/** Where a kernel's own functions count otherwise than the model, and why that is so. Each is a row of docs/fidelity.md. */
export interface KnownDifference {
	readonly version: '6.1' | '6.12';
	/** Scenario and variant. */
	readonly form: string;
	/** What differs, the model's figure first. */
	readonly differs: string;
	readonly why: string;
}

export const KNOWN: readonly KnownDifference[] = [
	{
		version: '6.12',
		form: 'fault-around-huge/pmd-raced',
		differs: 'lock.pmd 1 -> 2',
		why: 'Debian 6.12 has a later fix of filemap_map_pages() that maps no huge page of a file which ends with it; the fault takes the lock once more to map a small one',
	},
];
