/** Reviews on a kernel tree: the first in a process of its own, later ones, a series of twelve, and the tree's own functions beside the model's. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unifiedDiff } from '../server/patch/diff.ts';
import { prepare } from '../server/prepare.ts';
import { finishReview, reviewDocument } from '../server/review/review.ts';
import { DEFAULT_SETTINGS } from '../server/review/settings.ts';
import { loadParser, loadSimulator } from '../server/simulator-host.ts';
import { NO_SOURCES, SYSTEM_SOURCES } from '../server/sources/choose.ts';
import { directoryTree } from '../server/sources/directory.ts';
import * as F from '../simulator/abi/flags.ts';
import { vm_fault } from '../simulator/abi/structs.ts';
import { chooseArch } from '../simulator/arch/index.ts';
import { bindKernel, type Replacement } from '../simulator/kernel/build.ts';
import { featuresOf, versionNumber } from '../simulator/kernel/features.ts';
import { createMachine } from '../simulator/kernel/machine.ts';
import { Stage } from '../simulator/scenarios/scenario.ts';
import { TREE_CONFIG } from '../simulator/tree/config.ts';
import { treeReplacements } from '../simulator/tree/replace.ts';
import { SourceTree } from '../simulator/tree/tree.ts';

type Line = (text: string) => void;

/** Statements that a patch of the series takes out, one each: the file, and what the statement says. */
const STATEMENTS: readonly (readonly [file: string, statement: string])[] = [
	['mm/memory.c', 'update_mmu_tlb(vma, vmf->address, vmf->pte);'],
	['mm/memory.c', 'tlb_flush_mmu_tlbonly(tlb);'],
	['mm/memory.c', 'folio_mark_dirty(folio);'],
	['mm/mprotect.c', 'flush_tlb_batched_pending(vma->vm_mm);'],
	['mm/mremap.c', 'flush_tlb_range(vma, old_end - len, old_end);'],
	['mm/rmap.c', 'set_tlb_ubc_flush_pending(mm, pteval, address);'],
	['mm/rmap.c', 'folio_mark_dirty(folio);'],
	['mm/filemap.c', 'folio_put(folio);'],
	['mm/madvise.c', 'flush_tlb_batched_pending(mm);'],
	['mm/migrate.c', 'folio_unlock(src);'],
	['mm/huge_memory.c', 'folio_put(folio);'],
	['mm/vmscan.c', 'try_to_unmap_flush();'],
];

const ms = (took: number): string => `${took.toFixed(0)} ms`;

/** @param folder a kernel tree. Prints nothing but a line when there is none. */
export async function benchTree(root: string, folder: string, line: Line): Promise<void> {
	const kernel = (await directoryTree(folder))?.kernel;
	if (kernel === undefined) return line(`${folder} is no kernel tree; give the folder of one`);
	const print = (label: string, value: string): void => line(`${label.padEnd(58)} ${value}`);
	const patches = patchesOf(folder);
	const work = mkdtempSync(join(tmpdir(), 'faultline-bench-'));
	const first = join(work, 'first.patch');
	writeFileSync(first, patches[0] as string);
	const cli = join(root, 'dist', 'cli.cjs');
	const archive = join(SYSTEM_SOURCES, `linux-source-${kernel}.tar.xz`);
	for (const [what, tree] of [
		['folder', folder],
		['archive', archive],
	] as const) {
		if (!existsSync(tree)) continue;
		// No cache: as on the first day.
		const env = { ...process.env, XDG_CACHE_HOME: join(work, what) };
		const took = [0, 1].map(() =>
			timeOf(() => execFileSync(process.execPath, [cli, 'review', '--fail-on', 'never', '--tree', tree, first], { env, stdio: 'ignore' })),
		);
		print(`review in a new process, tree from the ${what}: first, again`, took.map(ms).join(', '));
	}
	rmSync(work, { recursive: true, force: true });

	const sim = await loadSimulator();
	const review = async (text: string): Promise<number> => {
		const start = performance.now();
		const document = await prepare({ source: 'bench.patch', text, settings: DEFAULT_SETTINGS, sources: { ...NO_SOURCES, tree: folder } }, sim);
		finishReview(reviewDocument(document, sim, DEFAULT_SETTINGS));
		return performance.now() - start;
	};
	print('first review in this process', ms(await review(patches[0] as string)));
	const moved = [1, 2, 3].map((n) => `${'A line more.\n'.repeat(n)}${patches[0]}`);
	const warm: number[] = [];
	for (const text of moved) warm.push(await review(text));
	print('again, every line moved', ms(warm.sort((a, b) => a - b)[1] as number));
	const singles: number[] = [];
	for (const text of patches) singles.push(await review(text));
	print(
		`each of ${patches.length} patches by itself: median, slowest`,
		[singles.sort((a, b) => a - b)[singles.length >> 1] as number, singles.at(-1) as number].map(ms).join(', '),
	);
	const series = patches
		.map(
			(text, i) =>
				`From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\nFrom: A <a@example.org>\nSubject: [PATCH ${i + 1}/${patches.length}] mm: part ${i + 1}\n\n---\n${text}\n`,
		)
		.join('');
	print(`series of ${patches.length} patches, cumulative`, ms(await review(series)));
	print('memory of this process', `${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MiB`);
	for (const [what, rate] of await faultRates(folder, kernel)) print(what, rate);
}

function timeOf(run: () => void): number {
	const start = performance.now();
	run();
	return performance.now() - start;
}

/** Diffs that take one statement each out of the tree. */
function patchesOf(folder: string): string[] {
	return STATEMENTS.flatMap(([file, statement]) => {
		const text = readFileSync(join(folder, file), 'utf8');
		const at = text.indexOf(`\t${statement}\n`);
		if (at < 0) return [];
		return unifiedDiff(file, text, `${text.slice(0, at)}\t;\n${text.slice(at + statement.length + 2)}`);
	});
}

const USER = 0x10000000;
const CALLS = 400_000;

/** Calls a second of handle_pte_fault where nothing changes: of the tree, waiting and not, and of the model. */
async function faultRates(folder: string, kernel: string): Promise<(readonly [string, string])[]> {
	const parser = await loadParser();
	const read = (path: string): string | undefined => (existsSync(join(folder, path)) ? readFileSync(join(folder, path), 'utf8') : undefined);
	const tree = new SourceTree({ id: folder, kernel, read }, TREE_CONFIG);
	const features = featuresOf(kernel);
	const own = treeReplacements(parser, tree, features, new Set(['handle_pte_fault'])).replacements;
	const choice = chooseArch('x86-64', kernel);
	if (choice === undefined) return [];
	const rates = (replacements: readonly Replacement[]): number[] => {
		const k = bindKernel(parser, [createMachine(), choice.arch, versionNumber(kernel), features], false, replacements);
		k.reset(2 ** 29);
		const s = new Stage(k);
		const mm = s.mm();
		const vma = s.mapFile(mm, USER, 16, F.VM_READ | F.VM_WRITE | F.VM_SHARED, s.hugeFile(4).file);
		const out: number[] = [];
		s.alone(() => {
			k.rt.now(k.handle_mm_fault(vma, USER, F.FAULT_FLAG_DEFAULT | F.FAULT_FLAG_USER | F.FAULT_FLAG_WRITE, 0));
			const vmf = k.mem.alloc(vm_fault.SIZE);
			k.mem.w64(vmf + vm_fault.vma, vma);
			k.mem.w64(vmf + vm_fault.address, USER);
			k.mem.w32(vmf + vm_fault.flags, F.FAULT_FLAG_USER | F.FAULT_FLAG_TRIED | F.FAULT_FLAG_ALLOW_RETRY);
			k.mem.w64(vmf + vm_fault.pmd, k.pmd_offset(mm, USER));
			const waiting = k.handle_pte_fault as ((vmf: number) => Iterator<unknown, number, void>) & { direct?: (vmf: number) => unknown };
			const { direct } = waiting;
			for (const call of [(at: number) => k.rt.now(waiting(at)), ...(direct === undefined ? [] : [direct])]) {
				let best = 0;
				for (let round = 0; round < 6; round++) {
					k.rt.steps = 2 ** 30 - 1;
					const took = timeOf(() => {
						for (let i = 0; i < CALLS; i++) if (call(vmf) !== 0) throw new Error('the entry was not right already');
					});
					best = Math.max(best, CALLS / took / 1000);
				}
				out.push(best);
			}
		});
		return out;
	};
	const [suspendable, direct] = rates(own);
	const [model] = rates([]);
	const text = (rate: number | undefined): string => (rate === undefined ? '-' : `${rate.toFixed(1)} million calls/s`);
	return [
		["the tree's handle_pte_fault, nothing to change: called", text(direct)],
		['the same as a coroutine, which can be suspended', text(suspendable)],
		["the model's, as a coroutine", text(model)],
	];
}
