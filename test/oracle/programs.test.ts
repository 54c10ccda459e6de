import { describe, expect, it } from 'vitest';
import { opened, probesOf } from './arm64.ts';
import { compared, merged } from './figures.ts';
import { programOf, refusal } from './generate.ts';
import { placesOf } from './places.ts';
import { type Workload, workloadsOf } from './workloads.ts';

const read = (text: string): Workload => workloadsOf(text, 'test.scenario')[0] as Workload;
const scenario = (columns: string, ...rows: readonly string[]): string => `scenario s\ndoc d\nfile f 4\nmap a anon 8 rw\n${columns}\n${rows.join('\n')}\n`;
const code = (text: string): string => {
	const { form, source, ...rest } = read(text);
	return programOf(rest.text, form, source, placesOf(form));
};

describe('a program', () => {
	it('is the scenario as a comment and a function for each column', () => {
		const text = code(scenario('CPU0  CPU1 child', 'store a[2+3] = 7', 'measure', 'fork child', '| load a[2] -> 7 or SIGSEGV'));
		expect(text).toContain(' * store a[2+3] = 7\n');
		expect(text).toContain('static struct file f = { "f", 4, DISK, CACHED, 0, -1 };\nstatic struct map a = { "a", 0x10000000UL };\n');
		expect(text).toContain('\tdo_mmap(&a, 8, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED_NOREPLACE, NULL, 0, 0, "");\n');
		expect(text).toContain(
			'static void column0(void)\n{\n\trow(2);\n\tat(6);\n\tdo_store(&a, 2, 3, 1, 7, "");\n\tmeasure(4);\n\trow(6);\n\tat(8);\n\tdo_fork(1);\n\trow(8);\n\tend(10);\n}\n',
		);
		expect(text).toContain('static void column1(void)\n{\n\trow(8);\n\tat(9);\n\tdo_load(&a, 2, 1, 1, "7 or SIGSEGV");\n\tend(10);\n}\n');
		expect(text).toContain('\t{ "CPU0", 0, 0, 0, column0 },\n\t{ "CPU1 child", 1, 1, 6, column1 },\n');
	});
	it('measures everything where the scenario does not say what', () => {
		expect(code(scenario('CPU0', 'store a'))).toContain('\tmeasure(2);\n\trow(4);\n\tat(6);\n\tdo_store(&a, 0, 8, 1, COUNT_UP, "");\n\tend(6);\n');
	});
});

describe('a scenario is no program', () => {
	const machine = { cpus: 2, version: '6.1', arch: 'x86-64' };
	it.each([
		['CPU0', 'reclaim a', 'reclaim (line 6) is for the simulator'],
		['CPU0', 'pin a[0]; unpin a[0]', 'pin (line 6) is for the simulator'],
		['CPU0 CPU2', 'store a', 'it needs CPU 2'],
		['CPU0 CPU0 child', 'fork child', 'two of its columns share a CPU'],
		['needs simulator\nCPU0', 'store a', 'it needs the simulator'],
		['needs kernel 6.4..\nCPU0', 'store a', 'it needs another version'],
		['needs kernel ..6.0\nCPU0', 'store a', 'it needs another version'],
		['needs kernel 5.0..6.1\nCPU0', 'store a', null],
	])('%j %j', (columns, row, why) => {
		expect(refusal(read(scenario(columns, row)).form, machine)).toBe(why);
	});
});

describe('figures', () => {
	it('agree, differ, or are unstable', () => {
		const runs = [
			new Map([
				['same', 2],
				['other', 3],
				['sometimes', 1],
			]),
			new Map([
				['same', 2],
				['other', 3],
			]),
		];
		const simulated = new Map([
			['same', 2],
			['other', 4],
			['sometimes', 1],
			['more', 1],
		]);
		expect(compared(merged(runs), simulated)).toEqual([
			{ figure: 'same', real: 2, simulated: 2, verdict: 'equal' },
			{ figure: 'other', real: 3, simulated: 4, verdict: 'different' },
			{ figure: 'sometimes', real: [1, 0], simulated: 1, verdict: 'unstable' },
			{ figure: 'more', real: 0, simulated: 1, verdict: 'different' },
		]);
	});
});

describe('an arm64 image', () => {
	const STEXT = 0x10000;
	const image = (...words: readonly number[]): Buffer => {
		const bytes = Buffer.alloc(STEXT + 0x400);
		for (const [i, word] of words.entries()) bytes.writeUInt32LE(word, STEXT + 0x100 + 4 * i);
		return bytes;
	};
	it('gets a probe on each TLBI of user translations', () => {
		// tlbi vale1is x3; tlbi aside1is x0; tlbi rvae1is x9; tlbi vaale1is x1 (the kernel's); tlbi vale1is xzr; nop
		const lines = probesOf(image(0xd50883a3, 0xd5088340, 0xd5088229, 0xd50883e1, 0xd50883bf, 0xd503201f));
		expect(lines.slice(2)).toEqual([
			'p:faultline/tlbi_page _stext+0x100 operand=%x3',
			'p:faultline/tlbi_asid _stext+0x104 operand=%x0',
			'p:faultline/tlbi_range _stext+0x108 operand=%x9',
		]);
	});
	it('gets a probe further on where the kernel would not have it', () => {
		// casal, then tlbi aside1is x0
		expect(probesOf(image(0x88e5fc02, 0xd5088340)).at(-1)).toBe('p:faultline/tlbi_asid _stext+0x184 operand=%x0');
	});
	it('has its check for inline functions patched, and nothing else', () => {
		const before = image(1, 2, 3, 4);
		const after = opened(before, 'ffff800008010000 T _stext\nffff800008010104 t within_notrace_func\n');
		expect([0x100, 0x104, 0x108, 0x10c].map((at) => after.readUInt32LE(STEXT + at))).toEqual([1, 0x2a1f03e0, 0xd65f03c0, 4]);
		expect(() => opened(before, 'ffff800008010000 T _stext\n')).toThrow('not found');
	});
});
