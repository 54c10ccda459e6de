/** What the C of a live patch links against: other functions of the patch, reference symbols, the ABI; nothing else. */
import { abiEntry } from '../abi/index.ts';
import { vm_area_struct, vm_fault } from '../abi/structs.ts';
import type { Callee, IndirectCall, Linkage, LinkUndeclared } from '../c/link.ts';
import { type CType, parseType, type Signature, structOf } from '../c/types.ts';
import { signatureOf } from '../kernel/build.ts';
import type { Feature } from '../kernel/features.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { FUNCTION_POINTERS } from '../kernel/mm.ts';
import { SUSPENDABLE } from '../schedule/form.ts';

/** Loop and declaration macros of the kernel, in our own C. */
const MACROS = new Map([
	['XA_STATE', { params: ['name', 'array', 'index'], body: 'struct xa_state name = { .xa = (array), .xa_index = (index) };' }],
	['MA_STATE', { params: ['name', 'mt', 'first', 'end'], body: 'struct ma_state name = { .tree = (mt), .index = (first), .last = (end) };' }],
	['xas_for_each', { params: ['xas', 'entry', 'max'], body: 'for (entry = xas_find(xas, max); entry; entry = xas_next_entry(xas, max))' }],
]);

/** @param own signatures of the patch's functions. @param params names of the parameters and locals in scope. */
export function linkageOf(functionName: string, own: ReadonlyMap<string, Signature>, features: ReadonlySet<Feature>, params: readonly string[]): Linkage {
	return {
		records: SUSPENDABLE,
		callee: (name) => ownCallee(name, own) ?? abiCallee(name, features),
		constant: (name) => abiEntry(name)?.constant,
		global: () => undefined,
		member: (struct, field) => (struct === 'vm_operations_struct' ? abiEntry(VM_OPS.get(field) ?? '')?.call : undefined),
		indirect: (k, address) => indirect(k as Kernel, address),
		macro: (name) => MACROS.get(name),
		undeclared: (name, wanted) => undeclared(functionName, name, wanted, params),
	};
}

function ownCallee(name: string, own: ReadonlyMap<string, Signature>): Callee | undefined {
	const signature = own.get(name);
	if (signature === undefined) return undefined;
	const known = abiEntry(name)?.call;
	if (known !== undefined) return { signature, waits: known.waits, bind: known.bind as Callee['bind'] };
	const bind =
		(k: Kernel) =>
		(...args: never[]) => {
			const fn = k.patchFunctions.get(name);
			return fn === undefined ? k.rt.notModelled(`call of ${name}`) : fn(...args);
		};
	return { signature, waits: true, bind };
}

function abiCallee(name: string, features: ReadonlySet<Feature>): Callee | undefined {
	const entry = abiEntry(name);
	const { call } = (entry?.newer !== undefined && features.has(entry.newer.feature) ? entry.newer.entry : entry) ?? {};
	if (call === undefined) return undefined;
	const staged = signatureOf(name, features);
	// Outside of the drafts filemap_map_pmd has two parameters, from 6.2 on a third that the model does not need.
	const signature =
		staged !== undefined && name === 'filemap_map_pmd' && !features.has('map-pmd-draft')
			? { ...staged, params: staged.params.slice(0, 2), varargs: true }
			: (staged ?? call.signature);
	return { signature, waits: call.waits, ...(call.effects === undefined ? {} : { effects: call.effects }), bind: call.bind as Callee['bind'] };
}

const VM_OPS = new Map([
	['fault', 'filemap_fault'],
	['map_pages', 'filemap_map_pages'],
	['page_mkwrite', 'filemap_page_mkwrite'],
]);

/** What a function pointer of the model's structs points to. */
function indirect(k: Kernel, address: number): IndirectCall | undefined {
	const name = FUNCTION_POINTERS.get(address);
	const call = name === undefined ? undefined : abiEntry(name)?.call;
	if (name === undefined || call === undefined) return undefined;
	return { signature: call.signature, waits: call.waits, call: call.bind(k) as IndirectCall['call'] };
}

/** An unknown variable that has the name of a member of the fault being handled stands for that member. */
function undeclared(functionName: string, name: string, wanted: CType | null, scope: readonly string[]): LinkUndeclared | undefined {
	const field = structOf('vm_fault')?.fields.get(name);
	const type = name === 'mm' ? parseType('struct mm_struct *') : name === 'vmf' ? parseType('struct vm_fault *') : field?.type;
	if (type === undefined || (wanted !== null && !sameType(type, wanted))) return undefined;
	const source = name === 'vmf' ? 'the fault being handled' : name === 'mm' ? 'vmf->vma->vm_mm' : `vmf->${name}`;
	const where = scope.includes('vmf') || name === 'vmf' ? source : `${source} of the caller`;
	const run = (k: Kernel): number => {
		const vmf = k.current.fault;
		if (vmf === 0) return k.rt.notModelled(`variable ${name}`);
		if (name === 'vmf') return vmf;
		if (name === 'mm') return k.mem.r64(k.mem.r64(vmf + vm_fault.vma) + vm_area_struct.vm_mm);
		return type.k === 'int' && type.size === 4 ? k.mem.r32(vmf + (field?.offset ?? 0)) : k.mem.r64(vmf + (field?.offset ?? 0));
	};
	return { type, message: `${name} is not declared in ${functionName}(${scope.join(', ')}); it is taken to be ${where}`, run: run as LinkUndeclared['run'] };
}

function sameType(a: CType, b: CType): boolean {
	if (a.k === 'ptr' && b.k === 'ptr') return sameType(a.to, b.to);
	if (a.k === 'struct' && b.k === 'struct') return a.name === b.name;
	return a.k === b.k;
}
