import * as F from '../../abi/flags.ts';
import type { MapStep, Step } from './ast.ts';
import { type Cursor, found, notAmong } from './cursor.ts';
import { LIMITS, type Scope } from './scope.ts';

type Body<S> = S extends Step ? Omit<S, 'line' | 'character' | 'expect'> : never;
type Op = Step['op'];

const SIGNALS = ['SIGSEGV', 'SIGBUS'] as const;
const ERRORS = ['EACCES', 'EAGAIN', 'EBUSY', 'EEXIST', 'EFAULT', 'EINVAL', 'ENOMEM', 'EPERM'] as const;
export const PROTECTIONS = 'none, or of r, w and x those that are allowed, as in rw';

/** Names of MADV_ constants, without that. */
export const ADVICE: readonly string[] = Object.keys(F).flatMap((name) => (name.startsWith('MADV_') ? name.slice(5) : []));

/** How each step goes on after its first word. */
const STEPS: { readonly [O in Op]: (c: Cursor, s: Scope, op: O) => Body<Step> } = {
	map: mapBody,
	load: access,
	store: access,
	munmap: range,
	mlock: range,
	munlock: range,
	reclaim: range,
	migrate: range,
	collapse: range,
	split: range,
	speculate: range,
	mprotect: (c, s, op) => ({ op, target: s.target(c, 'mapping'), prot: protection(c) }),
	madvise: (c, s, op) => ({ op, target: s.target(c, 'mapping'), advice: c.oneOf('the advice', ADVICE) }),
	mremap,
	fork: (c, s, op) => ({ op, process: s.fork(c) }),
	exit(_c, s, op) {
		s.exit();
		return { op };
	},
	read: fileAccess,
	write: fileAccess,
	punch: (c, s, op) => ({ op, target: s.target(c, 'file') }),
	fsync: (c, s, op) => ({ op, name: s.file(c) }),
	truncate(c, s, op) {
		const name = s.file(c);
		const pages = c.number('the number of pages', 0, LIMITS.pages);
		s.resize(c, name, pages);
		return { op, name, pages };
	},
	clear_refs: (_c, _s, op) => ({ op }),
	pin(c, s, op) {
		const target = s.target(c, 'mapping');
		s.pin(target);
		s.countAccesses(c, target);
		return { op, target, access: c.atEnd || c.here.kind === 'symbol' ? 'read' : c.oneOf('what the device does', ['read', 'write']) };
	},
	unpin(c, s, op) {
		const target = s.target(c, 'mapping');
		s.checkPinned(c, target, false);
		return { op, target };
	},
	'pin-load': access,
	'pin-store': access,
	'device-attach'(_c, s, op) {
		s.attach();
		return { op };
	},
	'device-load': access,
	'device-store': access,
	wait: (c, _s, op) => ({ op, cycles: c.number('the number of cycles', 1, LIMITS.cycles) }),
};

export const STEP_WORDS = Object.keys(STEPS) as readonly Op[];

/** Reads one step, up to `;`, `|` or the end of the line. */
export function stepOf(c: Cursor, s: Scope): Step {
	const { character } = c.here;
	const op = c.oneOf('a step', STEP_WORDS);
	s.checkAlive(c);
	s.countStep(c);
	const body = (STEPS[op] as (c: Cursor, s: Scope, op: Op) => Body<Step>)(c, s, op);
	return { ...body, line: c.line, character, expect: c.takes('->') ? outcomes(c, op) : [] } as Step;
}

/** `7 or SIGSEGV`. */
function outcomes(c: Cursor, op: Op): string[] {
	const reads = op === 'load' || op === 'read' || op === 'pin-load' || op === 'device-load';
	const faults = op === 'load' || op === 'store' || op === 'device-load' || op === 'device-store';
	if (op === 'exit' || op === 'wait' || op === 'speculate' || op === 'device-attach' || op === 'unpin') c.wrong(`nothing can come of ${op}: leave "->" away`);
	const words = [...(faults ? SIGNALS : reads || op === 'pin-store' ? [] : ERRORS), 'any'];
	const out: string[] = [];
	do {
		if (reads && c.here.kind === 'number') out.push(String(c.number('the value', 0, LIMITS.value)));
		else if (words.includes(c.here.text)) out.push(c.oneOf('an outcome', words));
		else c.wrong(notAmong(reads ? 'a value or an outcome' : 'an outcome', c.here, words));
	} while (c.takes('or'));
	return out;
}

function range<O extends 'munmap' | 'mlock' | 'munlock' | 'reclaim' | 'migrate' | 'collapse' | 'split' | 'speculate'>(c: Cursor, s: Scope, op: O): Body<Step> {
	return { op, target: s.target(c, 'mapping') };
}

function access<O extends 'load' | 'store' | 'pin-load' | 'pin-store' | 'device-load' | 'device-store'>(c: Cursor, s: Scope, op: O): Body<Step> {
	const target = s.target(c, 'mapping');
	s.countAccesses(c, target);
	if (op.startsWith('device')) s.checkAttached(c);
	if (op.startsWith('pin')) s.checkPinned(c, target, true);
	return { op, target, value: op.endsWith('store') ? written(c) : null };
}

function fileAccess<O extends 'read' | 'write'>(c: Cursor, s: Scope, op: O): Body<Step> {
	const target = s.target(c, 'file');
	s.countAccesses(c, target);
	return { op, target, value: op === 'write' ? written(c) : null };
}

function written(c: Cursor): number | null {
	return c.takes('=') ? c.number('the value', 0, LIMITS.value) : null;
}

function mremap(c: Cursor, s: Scope, op: 'mremap'): Body<Step> {
	const target = s.target(c, 'mapping');
	const pages = c.number('the new number of pages', 1, LIMITS.pages);
	if (!c.takes('to')) {
		s.resize(c, target.name, target.first + pages);
		return { op, target, pages, to: null, at: null };
	}
	const to = c.word('the name for the moved pages').text;
	const at = c.takes('at') ? s.spot(c) : null;
	if (to === target.name) c.wrong(`${to} cannot move onto itself: give the moved pages another name`);
	s.map(c, { name: to, pages, at });
	return { op, target, pages, to, at };
}

/** After the word `map`, in a declaration and in a step. */
export function mapBody(c: Cursor, s: Scope, op: 'map'): Omit<MapStep, 'line' | 'character' | 'expect'> {
	const name = c.word('a name for the mapping').text;
	const source = s.source(c);
	const pages = c.number('the number of pages', 1, LIMITS.pages);
	const prot = protection(c);
	const options = mapOptions(c, s);
	if (source === 'anon' && options.sharing === 'shared') c.wrong('shared memory has a file behind it: declare "file f 8 shmem" and map that');
	if (source === 'anon' && options.offset > 0) c.wrong('anonymous memory has no offset: it is for files');
	s.map(c, { name, pages, at: options.at });
	return { op, name, source, pages, prot, ...options };
}

const MAP_OPTIONS = ['shared', 'private', 'huge', 'small', 'offset', 'at'] as const;

function mapOptions(c: Cursor, s: Scope): Pick<MapStep, 'sharing' | 'thp' | 'offset' | 'at'> {
	let sharing: MapStep['sharing'] = 'private';
	let thp: MapStep['thp'] = 'small';
	let offset = 0;
	let at: MapStep['at'] = null;
	while (c.here.kind === 'word') {
		const option = c.oneOf('an option of the mapping', MAP_OPTIONS);
		if (option === 'shared' || option === 'private') sharing = option;
		else if (option === 'huge' || option === 'small') thp = option;
		else if (option === 'offset') offset = c.number('the offset in pages', 1, LIMITS.pages - 1);
		else at = s.spot(c);
	}
	return { sharing, thp, offset, at };
}

function protection(c: Cursor): string {
	const { text, kind } = c.here;
	if (kind !== 'word' || (text !== 'none' && !(/^[rwx]{1,3}$/.test(text) && new Set(text).size === text.length)))
		c.wrong(`${found(c.here)} where a protection is expected: ${PROTECTIONS}`);
	return c.word('a protection').text;
}
