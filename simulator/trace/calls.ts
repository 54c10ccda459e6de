/** The program behind a run, call by call, in the words of its steps. */
import * as F from '../abi/flags.ts';
import type { Names } from './names.ts';
import { ADVICE, protText, type UserCall } from './program.ts';
import type { Recorder } from './recorder.ts';
import type { TraceCall } from './trace.ts';

/** Addresses below `from` belong to the preparation of the machine. */
export function callsOf(r: Recorder, from: number): TraceCall[] {
	return r.order.map(({ call, task, at }) => ({ cpu: task.cpu, task: task.name, ...said(r.names, call, task.mm, from), at }));
}

type Said = Pick<TraceCall, 'what' | 'object'>;

const NOTHING: Said = { what: '', object: '' };

function said(names: Names, { name, args }: UserCall, mm: number, from: number): Said {
	const [a = 0, b = 0, c = 0, d = 0, e = 0] = args.map(Number);
	const what = name.replace(/^sys_/, '').replace(/_range$/, '');
	const pages = (): string => names.range(b, b + c, a);
	switch (name) {
		case 'user_access':
			return a < from ? NOTHING : { what: b ? 'store' : 'load', object: names.at(a, mm) };
		case 'sys_mmap':
			return b < from ? NOTHING : { what, object: `${pages()} of ${e === 0 ? 'anonymous memory' : names.file(e)}` };
		case 'sys_munmap':
		case 'sys_mlock':
		case 'sys_munlock':
		case 'reclaim_range':
		case 'migrate_range':
		case 'speculate_range':
			return { what, object: pages() };
		case 'sys_mprotect':
			return { what, object: `${pages()} to ${protText(d)}` };
		case 'sys_madvise':
			return { what: ADVICE.get(d) ?? 'madvise', object: pages() };
		case 'sys_mremap':
			return { what, object: `${pages()} to ${e === 0 ? `${d / F.PAGE_SIZE} pages` : names.at(e, a)}` };
		case 'sys_read':
		case 'sys_write':
			return { what, object: `${names.file(a)}[${b}]` };
		case 'sys_fsync':
		case 'sys_ftruncate':
		case 'sys_punch_hole':
			return { what: what.replace('_', ' '), object: names.file(a) };
		case 'sleep':
			return NOTHING;
		default:
			return { what, object: '' };
	}
}
