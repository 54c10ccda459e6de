/** The access-flag tail of the fault path, compiled from C and written in TypeScript, called in a loop. */
import { PTE_DIRTY, PTE_WRITE, PTE_YOUNG } from '../simulator/abi/flags.ts';
import { vm_fault } from '../simulator/abi/structs.ts';
import { compile } from '../simulator/c/compile.ts';
import { parseFunction } from '../simulator/c/function.ts';
import type { CParser } from '../simulator/c/parser.ts';
import { CRuntime } from '../simulator/c/runtime.ts';
import { linkageOf } from '../simulator/hooks/linkage.ts';
import { featuresOf } from '../simulator/kernel/features.ts';
import { Memory } from '../simulator/machine/memory.ts';

const C = `static vm_fault_t update_flags(struct vm_fault *vmf)
{
	pte_t entry = vmf->orig_pte;

	if (vmf->flags & FAULT_FLAG_WRITE) {
		if (!pte_write(entry))
			return VM_FAULT_RETRY;
		entry = pte_mkdirty(entry);
	}
	entry = pte_mkyoung(entry);
	if (pte_same(*vmf->pte, entry) && vmf->flags & FAULT_FLAG_TRIED)
		goto out;
	return VM_FAULT_NOPAGE;
out:
	return 0;
}`;

/** Million calls a second of both forms, over the same struct vm_fault. */
export function hookCalls(parser: CParser): { readonly compiled: number; readonly plain: number } {
	const mem = new Memory(1 << 20);
	const rt = new CRuntime(mem);
	const vmf = mem.alloc(vm_fault.SIZE);
	const pte = mem.alloc(8);
	const word = (7 << 12) | PTE_WRITE | PTE_DIRTY | PTE_YOUNG;
	mem.w64(pte, word);
	mem.w64(vmf + vm_fault.orig_pte, word);
	mem.w64(vmf + vm_fault.pte, pte);
	mem.w32(vmf + vm_fault.flags, 33);
	const { fn } = parseFunction(
		parser,
		C.split('\n').map((text, i) => ({ text, line: i + 1, changed: false })),
	);
	if (fn === null) throw new Error('the benchmark function cannot be read');
	const link = linkageOf(fn.name, new Map(), featuresOf('5.8'), ['vmf']);
	const compiled = compile(fn, link, { parser, waits: false }).instantiate({}, rt) as (vmf: number) => number;
	const plain = (f: number): number => {
		let entry = mem.r64(f + vm_fault.orig_pte);
		const flags = mem.r32(f + vm_fault.flags);
		if (flags & 1) {
			if (!(entry & PTE_WRITE)) return 0x400;
			entry |= PTE_DIRTY;
		}
		entry |= PTE_YOUNG;
		return mem.r64(mem.r64(f + vm_fault.pte)) === entry && flags & 32 ? 0 : 0x100;
	};
	return { compiled: rate(compiled, vmf, rt), plain: rate(plain, vmf, rt) };
}

function rate(fn: (vmf: number) => number, vmf: number, rt: CRuntime): number {
	let best = 0;
	for (let round = 0; round < 6; round++) {
		const calls = 2_000_000;
		rt.reset(2 ** 30 - 1);
		const start = process.hrtime.bigint();
		let sum = 0;
		for (let i = 0; i < calls; i++) sum += fn(vmf);
		const seconds = Number(process.hrtime.bigint() - start) / 1e9;
		if (sum !== 0) throw new Error('the benchmark function gives a wrong result');
		best = Math.max(best, calls / seconds / 1e6);
	}
	return best;
}
