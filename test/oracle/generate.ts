import * as F from '../../simulator/abi/flags.ts';
import { versionNumber } from '../../simulator/kernel/features.ts';
import type { Form, MapStep, Row, ScenarioText, Step } from '../../simulator/scenarios/language/ast.ts';
import type { Places } from './places.ts';
import type { Machine } from './recording.ts';

/** Steps that no program of user space can bring about, or for which the runtime has no means. */
const SIMULATOR_ONLY: ReadonlySet<Step['op']> = new Set(['reclaim', 'migrate', 'split', 'speculate', 'wait']);

const EXT4_LARGE_FOLIOS = versionNumber('6.16');

const stepsOf = (row: Row): readonly (readonly Step[])[] => (row.kind === 'steps' ? row.cells : []);

/** Why the form cannot be a program on a machine, or null. */
export function refusal(form: Form, { cpus, version, arch }: Pick<Machine, 'cpus' | 'version' | 'arch'>): string | null {
	for (const { what, since, until } of form.needs) {
		if (what === 'simulator') return 'it needs the simulator';
		if (what === 'hw-young' && arch === 'arm64-no-hafdbs') return 'it needs hardware that sets the accessed flag';
		const late = until !== null && versionNumber(version) > versionNumber(until);
		if (what === 'kernel' && (late || (since !== null && versionNumber(version) < versionNumber(since)))) return 'it needs another version';
	}
	const large = form.files.find((file) => file.order > 0);
	if (large !== undefined && (large.kind === 'shmem' || large.cache === 'cold')) return `the folios of ${large.name} cannot be chosen`;
	if (large !== undefined && versionNumber(version) < EXT4_LARGE_FOLIOS) return 'its ext4 has no large folios';
	for (const { cpu } of form.columns) if (cpu >= cpus) return `it needs CPU ${cpu}`;
	if (new Set(form.columns.map((c) => c.cpu)).size < form.columns.length) return 'two of its columns share a CPU';
	const children = form.columns.map((c) => c.process).filter((p) => p !== '');
	if (new Set(children).size < children.length) return 'a child has two threads';
	for (const step of form.rows.flatMap(stepsOf).flat())
		if (SIMULATOR_ONLY.has(step.op) || /^(pin|unpin|device)/.test(step.op)) return `${step.op} (line ${step.line}) is for the simulator`;
	return null;
}

/** What a program is called: the name of the scenario, and the variant. */
export function titleOf(text: ScenarioText, form: Form): string {
	return form.variant === '' ? text.name : `${text.name}/${form.variant}`;
}

export function identifierOf(text: ScenarioText, form: Form): string {
	return `program_${titleOf(text, form).replace(/\W/g, '_')}`;
}

/** The program as C text. `source` is the scenario as written. */
export function programOf(text: ScenarioText, form: Form, source: string, places: Places): string {
	const maps = [...places.keys()];
	const processes = [...new Set(form.columns.map((c) => c.process))];
	const rows = withSection(form.rows);
	const bornIn = (process: string): number => rows.findIndex((row) => stepsOf(row).some((cell) => cell.some((s) => s.op === 'fork' && s.process === process)));
	const columns = form.columns.map(({ cpu, process }, c) => {
		const born = bornIn(process);
		const name = `CPU${cpu}${process === '' ? '' : ` ${process}`}`;
		return { declaration: `{ ${quoted(name)}, ${cpu}, ${processes.indexOf(process)}, ${born < 0 ? 0 : rowNumber(born)}, column${c} }`, born };
	});
	const cellOf = (row: Row, c: number): string => {
		const steps = stepsOf(row)[c] ?? [];
		return [`at(${row.line});`, ...steps.map((s) => stepText(s, processes))].join('\n\t');
	};
	const body = (c: number, born: number): string =>
		rows
			.flatMap((row, i) => {
				if (i <= born) return [];
				if (row.kind !== 'steps') return [`${row.kind}(${rowNumber(i)});`];
				return [`row(${rowNumber(i)});`, ...((row.cells[c] ?? []).length > 0 ? [cellOf(row, c)] : [])];
			})
			.map((line) => `\t${line}\n`)
			.join('');

	return `/*
${source
	.trimEnd()
	.split('\n')
	.map((line) => ` * ${line}`.trimEnd())
	.join('\n')}
 */
#include "oracle.h"

${form.files.map((f) => `static struct file ${f.name} = { ${quoted(f.name)}, ${f.pages}, ${f.kind.toUpperCase()}, ${f.cache.toUpperCase()}, ${f.order}, -1 };\n`).join('')}${maps
	.map((name) => `static struct map ${name} = { ${quoted(name)}, ${hex(places.get(name) ?? 0)} };\n`)
	.join('')}
static void prepare(void)
{
${form.maps.map((m) => `\t${mapText(m)}\n`).join('')}}

${columns.map(({ born }, c) => `static void column${c}(void)\n{\n${body(c, born)}}\n`).join('\n')}
static const char *const processes[] = { ${processes.map(quoted).join(', ')} };
static const struct column columns[] = {
${columns.map((c) => `\t${c.declaration},\n`).join('')}};
static struct file *files[] = { ${[...form.files.map((f) => `&${f.name}`), 'NULL'].join(', ')} };
static struct map *maps[] = { ${maps.map((name) => `&${name}`).join(', ')} };
const struct program ${identifierOf(text, form)} = {
	${quoted(titleOf(text, form))}, processes, ${processes.length}, columns, ${columns.length},
	files, ${form.files.length}, maps, ${maps.length}, prepare,
};
`;
}

/** The table of all programs of one binary. */
export function tableOf(identifiers: readonly string[]): string {
	return `#include "oracle.h"

${identifiers.map((name) => `extern const struct program ${name};\n`).join('')}
const struct program *const programs[] = {
${identifiers.map((name) => `\t&${name},\n`).join('')}\tNULL,
};
`;
}

/** Rows are numbered by two: \`measure\` and \`end\` take a number more. */
const rowNumber = (index: number): number => (index + 1) * 2;

/** A scenario that does not say where counting begins or ends counts from the first row to the last. */
function withSection(rows: readonly Row[]): readonly Row[] {
	const last = rows.at(-1)?.line ?? 0;
	const begun = rows.some((row) => row.kind === 'measure') ? rows : [{ kind: 'measure', line: 0 } as const, ...rows];
	return begun.some((row) => row.kind === 'end') ? begun : [...begun, { kind: 'end', line: last } as const];
}

function stepText(step: Step, processes: readonly string[]): string {
	const range = 'target' in step ? `${step.target.name}, ${step.target.first}, ${step.target.count}` : '';
	const call = (name: string, ...args: readonly (string | number)[]): string => `do_${name}(&${[...args, quoted(step.expect.join(' or '))].join(', ')});`;
	const value = 'value' in step && step.value !== null ? step.value : 'COUNT_UP';
	switch (step.op) {
		case 'map':
			return mapText(step);
		case 'load':
		case 'read':
			return call(step.op, range, step.target.stride);
		case 'store':
			return call('store', range, step.target.stride, value);
		case 'write':
			return `do_write(&${range}, ${step.target.stride}, ${value});`;
		case 'munmap':
		case 'mlock':
		case 'munlock':
		case 'punch':
			return call(step.op, range);
		case 'collapse':
			return call('madvise', range, advice('COLLAPSE'));
		case 'mprotect':
			return call('mprotect', range, protection(step.prot));
		case 'madvise':
			return call('madvise', range, advice(step.advice));
		case 'mremap':
			return call('mremap', range, step.pages, step.to === null ? 'NULL' : `&${step.to}`);
		case 'fork':
			return `do_fork(${processes.indexOf(step.process)});`;
		case 'exit':
			return 'do_exit();';
		case 'fsync':
			return call('fsync', step.name);
		case 'truncate':
			return call('truncate', step.name, step.pages);
		case 'clear_refs':
			return 'do_clear_refs();';
		default:
			throw new Error(`${step.op} is for the simulator`);
	}
}

function mapText(step: MapStep): string {
	const flags = [step.sharing === 'shared' ? 'MAP_SHARED' : 'MAP_PRIVATE', step.at === null ? 'MAP_FIXED_NOREPLACE' : 'MAP_FIXED'].join(' | ');
	const file = step.source === 'anon' ? 'NULL' : `&${step.source}`;
	const args = [step.pages, protection(step.prot), flags, file, step.offset, step.thp === 'huge' ? 1 : 0, quoted(step.expect.join(' or '))];
	return `do_mmap(&${step.name}, ${args.join(', ')});`;
}

function protection(prot: string): string {
	const flags = { r: 'PROT_READ', w: 'PROT_WRITE', x: 'PROT_EXEC' };
	return prot === 'none' ? 'PROT_NONE' : [...prot].map((letter) => flags[letter as keyof typeof flags]).join(' | ');
}

/** The number, because the C library may be older than the advice. */
function advice(name: string): string {
	const value = (F as Readonly<Record<string, unknown>>)[`MADV_${name}`];
	return `${value} /* MADV_${name} */`;
}

const quoted = (text: string): string => JSON.stringify(text);
const hex = (address: number): string => `0x${address.toString(16)}UL`;
