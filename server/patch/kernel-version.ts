import type { KernelFrom } from './types.ts';

/** Releases in order with their dates. A date strictly before a release's belongs to that release, which was then in development. */
export const KERNEL_RELEASES: readonly { readonly version: string; readonly date: string }[] = [
	{ version: '5.0', date: '2019-03-03' },
	{ version: '5.1', date: '2019-05-05' },
	{ version: '5.2', date: '2019-07-07' },
	{ version: '5.3', date: '2019-09-15' },
	{ version: '5.4', date: '2019-11-24' },
	{ version: '5.5', date: '2020-01-26' },
	{ version: '5.6', date: '2020-03-29' },
	{ version: '5.7', date: '2020-05-31' },
	{ version: '5.8', date: '2020-08-02' },
	{ version: '5.9', date: '2020-10-11' },
	{ version: '5.10', date: '2020-12-13' },
	{ version: '5.11', date: '2021-02-14' },
	{ version: '5.12', date: '2021-04-25' },
	{ version: '5.13', date: '2021-06-27' },
	{ version: '5.14', date: '2021-08-29' },
	{ version: '5.15', date: '2021-10-31' },
	{ version: '5.16', date: '2022-01-09' },
	{ version: '5.17', date: '2022-03-20' },
	{ version: '5.18', date: '2022-05-22' },
	{ version: '5.19', date: '2022-07-31' },
	{ version: '6.0', date: '2022-10-02' },
	{ version: '6.1', date: '2022-12-11' },
	{ version: '6.2', date: '2023-02-19' },
	{ version: '6.3', date: '2023-04-23' },
	{ version: '6.4', date: '2023-06-25' },
	{ version: '6.5', date: '2023-08-27' },
	{ version: '6.6', date: '2023-10-29' },
	{ version: '6.7', date: '2024-01-07' },
	{ version: '6.8', date: '2024-03-10' },
	{ version: '6.9', date: '2024-05-12' },
	{ version: '6.10', date: '2024-07-14' },
	{ version: '6.11', date: '2024-09-15' },
	{ version: '6.12', date: '2024-11-17' },
	{ version: '6.13', date: '2025-01-19' },
	{ version: '6.14', date: '2025-03-24' },
	{ version: '6.15', date: '2025-05-25' },
	{ version: '6.16', date: '2025-07-27' },
	{ version: '6.17', date: '2025-09-28' },
	{ version: '6.18', date: '2025-11-30' },
];

const NEWEST = KERNEL_RELEASES.at(-1)?.version ?? '6.18';

/** Distance in releases between a version that is only mentioned and the one of the mail's date, beyond which it is history. */
const NEAR = 2;

/** Places in the text that are looked at before giving up. */
const MAX_CANDIDATES = 2000;

export interface KernelVersion {
	readonly kernel: string;
	readonly kernelFrom: KernelFrom;
}

/** Version in development on an ISO date; after the last known release it is the newest known one. */
export function kernelForDate(isoDate: string): string {
	return KERNEL_RELEASES.find(({ date }) => isoDate < date)?.version ?? NEWEST;
}

export interface KernelEvidence {
	/** Version that the user set. A value that is no version is ignored. */
	readonly option: string | undefined;
	readonly subject: string;
	/** Lines outside hunks, in document order. */
	readonly prose: readonly string[];
	readonly date: string | null;
	/** Identifiers of the changed code. */
	readonly names: Iterable<string>;
}

/** Infers the version from the option, the text, the date, the names in the code; else the newest known (also `names`). */
export function kernelOf(evidence: KernelEvidence): KernelVersion {
	const option = /^v?(\d{1,2}\.\d{1,2})(?:[.-].*)?$/.exec(evidence.option?.trim() ?? '')?.[1];
	if (option !== undefined) return { kernel: option, kernelFrom: 'option' };
	const byDate = evidence.date === null ? null : kernelForDate(evidence.date);
	const text = kernelInSubject(evidence.subject) ?? kernelInText(evidence.prose, byDate);
	if (text !== null) return { kernel: text, kernelFrom: 'text' };
	if (byDate !== null) return { kernel: byDate, kernelFrom: 'date' };
	return { kernel: kernelByNames(evidence.names), kernelFrom: 'names' };
}

/** A stable backport names its release in the subject: `[PATCH 5.10 3/7]`, `[PATCH 6.1.y]`. A series version has a `v`. */
function kernelInSubject(subject: string): string | null {
	const bracket = /\[([^[\]]{0,120}\bPATCH\b[^[\]]{0,120})\]/i.exec(subject.slice(0, 400))?.[1] ?? '';
	const version = /(?:^|\s)(\d{1,2}\.\d{1,2})(?:\.y|-stable)?(?=[\s,]|$)/.exec(bracket)?.[1];
	return version !== undefined && isRelease(version) ? version : null;
}

const VERSION = /(?<![\w./-])(v|[Ll]inux[ -]v?|[Kk]ernel v?|[Tt]ainted:? )(\d{1,2}\.\d{1,2})(?:\.\d{1,3})?(-rc\d{1,2})?(?![\d.]*\d)/g;
const BASE =
	/(?:\bbase[ds]?|\bbase-commit:?.{0,60}|\btop of|\bagainst|\bappl(?:y|ies|ied)|\brebased?|\bgenerated)(?: (?:on|to|onto|against|from|the|top|of|current|latest|upstream|mainline|linux|kernel|tag|version|is|,|\(|-))*[ (:]*$/i;
const HISTORY =
	/(?:\bsince|\bbefore|\buntil|\bprior to|\bfrom|\bbetween|\bintroduced (?:in|by)|\badded in|\bmerged (?:in|into|for)|\binto|\binclusion in|\bfor|\bbackport\w* to|\bstable.*|\bgit|\bgcc|\bclang|\bllvm|\bqemu|\bversion of \w+|\bolder than|\bnewer than|[#+])[ (:]*$/i;
const TRAILER = /^\s*(?:Cc|Fixes|Link|Closes|References|[A-Z][a-z]+(?:-[a-z]+)*-by|X-[\w-]+|User-Agent|X-Mailer):/;

/** A version that the text names as its base, else the first one named at all that is not far from the mail's date. */
function kernelInText(prose: readonly string[], byDate: string | null): string | null {
	let mentioned: string | null = null;
	let left = MAX_CANDIDATES;
	for (const line of prose) {
		if (!/\d\.\d/.test(line) || TRAILER.test(line.slice(0, 200))) continue;
		for (const match of line.matchAll(VERSION)) {
			if (left-- <= 0) return mentioned;
			const version = match[2] ?? '';
			if (!isRelease(version)) continue;
			const before = line.slice(Math.max(0, match.index - 80), match.index);
			if (BASE.test(before)) return version;
			if (!HISTORY.test(before) && isNear(version, byDate)) mentioned ??= version;
		}
	}
	return mentioned;
}

function isNear(version: string, byDate: string | null): boolean {
	return byDate === null || Math.abs(ordinal(version) - ordinal(byDate)) <= NEAR;
}

/** Numbers that were or will be releases: `4.0` to `4.20`, then twenty to a major number. Tools such as git 2.39 fall outside. */
function isRelease(version: string): boolean {
	const [major = 0, minor = 0] = version.split('.').map(Number);
	return (major === 4 && minor <= 20) || (major >= 5 && major <= 7 && minor <= 19);
}

function ordinal(version: string): number {
	const [major = 0, minor = 0] = version.split('.').map(Number);
	return major * 20 + minor;
}

/** Names by which code dates itself: the first release that has the name, or the last one that had it. */
const SINCE = new Map<string, string>([
	['mmap_read_lock', '5.8'],
	['mmap_read_unlock', '5.8'],
	['mmap_write_lock', '5.8'],
	['filemap_map_pmd', '5.12'],
	['do_set_pte', '5.12'],
	['arch_wants_old_prefaulted_pte', '5.12'],
	['page_folio', '5.16'],
	['folio_get', '5.16'],
	['folio_put', '5.16'],
	['folio_lock', '5.16'],
	['folio_unlock', '5.16'],
	['folio_trylock', '5.16'],
	['folio_test_uptodate', '5.16'],
	['folio_mark_accessed', '5.16'],
	['__folio_lock_or_retry', '5.16'],
	['VM_FAULT_COMPLETED', '6.0'],
	['folio_add_lru_vma', '6.0'],
	['vma_start_read', '6.4'],
	['vma_end_read', '6.4'],
	['lock_vma_under_rcu', '6.4'],
	['FAULT_FLAG_VMA_LOCK', '6.4'],
	['do_pte_missing', '6.4'],
	['pte_offset_map_nolock', '6.5'],
	['ptep_get', '5.8'],
	['set_pte_range', '6.6'],
	['update_mmu_cache_range', '6.6'],
	['arch_tlbbatch_should_defer', '6.6'],
	['vmf_can_call_fault', '6.7'],
	['folio_add_new_anon_rmap', '6.3'],
	['folio_add_file_rmap_ptes', '6.8'],
	['vmf_anon_prepare', '6.10'],
	['__vmf_anon_prepare', '6.12'],
	['pte_offset_map_rw_nolock', '6.13'],
	['pte_offset_map_ro_nolock', '6.13'],
]);
const UNTIL = new Map<string, string>([
	['mmap_sem', '5.7'],
	['pte_alloc_one_map', '5.11'],
	['alloc_set_pte', '5.11'],
	['lock_page_or_retry', '6.0'],
	['pmd_devmap_trans_unstable', '6.4'],
	['pmd_trans_unstable', '6.4'],
	['page_add_file_rmap', '6.7'],
	['page_remove_rmap', '6.7'],
	['pte_offset_map_nolock', '6.12'],
]);

/** A name that is gone bounds the version from above and decides; else the youngest name does; else the newest known. */
function kernelByNames(names: Iterable<string>): string {
	let since: string | null = null;
	let until: string | null = null;
	for (const name of names) {
		const first = SINCE.get(name);
		const last = UNTIL.get(name);
		if (first !== undefined && (since === null || ordinal(first) > ordinal(since))) since = first;
		if (last !== undefined && (until === null || ordinal(last) < ordinal(until))) until = last;
	}
	if (since === null) return until ?? NEWEST;
	return until !== null && ordinal(until) >= ordinal(since) ? until : since;
}
