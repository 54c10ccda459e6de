import { describe, expect, it } from 'vitest';
import { parseScenarios } from '../../../simulator/scenarios/language/parser.ts';
import { worked } from '../../worked.ts';

const HEAD = ['scenario s', 'doc d', 'file f 8', 'map a anon 8 rw', 'CPU0  CPU1'];

/** `line:character message` of what is wrong in the lines after the header, whose lines do not count. */
function wrong(...lines: readonly string[]): string[] {
	const { scenarios, problems } = parseScenarios([...HEAD, ...lines, ''].join('\n'), 'x');
	expect(scenarios.length).toBe(problems.length === 0 ? 1 : 0);
	return problems.map(({ line, character, message }) => `${line - HEAD.length}:${character} ${message}`);
}

/** The same for a whole document. */
const wrongIn = (text: string): string[] => parseScenarios(text, 'x').problems.map(({ line, character, message }) => `${line}:${character} ${message}`);

describe('a step', () => {
	it.each([
		['lod a', '1:1 there is "lod" where a step is expected; did you mean load? One of map, load, store,'],
		['store', '1:6 the line ends where the name of a mapping is expected'],
		['store b', '1:7 there is "b" where the name of a mapping is expected; did you mean a? One of a, or declare it with a line "map b anon 8 rw"'],
		['store a[8]', '1:7 page 8 is beyond the end of a, which has 8 pages'],
		['store a[4+5]', '1:7 page 8 is beyond the end of a, which has 8 pages'],
		['store a[4', '1:10 the line ends in a range: write [3], [2+4], [2+] or [0+64:16]'],
		['store a[0+0]', '1:11 the number of pages is 0: it can be 1 to 2048'],
		['store a[01]', '1:9 the first page is written 1, not 01'],
		['store a = x', '1:11 there is "x" where the value is expected, a whole number'],
		['load a = 5', '1:8 steps of a cell are separated by ";", cells by "|"'],
		['load a -> SIGSEG', '1:11 there is "SIGSEG" where a value or an outcome is expected; did you mean SIGSEGV? One of SIGSEGV, SIGBUS, any'],
		['store a -> 5', '1:12 there is "5" where an outcome is expected: one of SIGSEGV, SIGBUS, any'],
		['munmap a -> SIGSEGV', '1:13 there is "SIGSEGV" where an outcome is expected: one of EACCES,'],
		['wait 5 -> any', '1:11 nothing can come of wait: leave "->" away'],
		['mprotect a rq', '1:12 there is "rq" where a protection is expected: none, or of r, w and x those that are allowed, as in rw'],
		['madvise a DONTNED', '1:11 there is "DONTNED" where the advice is expected; did you mean DONTNEED? One of'],
		['map b anon 8 rw shared', '1:23 shared memory has a file behind it: declare "file f 8 shmem" and map that'],
		['map b g 8 rw', '1:7 there is "g" where anon or the name of a file is expected; did you mean f? One of anon, f'],
		['map b anon 8 rw hug', '1:17 there is "hug" where an option of the mapping is expected; did you mean huge?'],
		['map b anon 3000 rw', '1:12 the number of pages is 3000: it can be 1 to 2048'],
		['mremap a 8 to a', '1:16 a cannot move onto itself: give the moved pages another name'],
		['read a', '1:6 there is "a" where the name of a file is expected; did you mean f? One of f, or declare it with a line "file a 8"'],
		['unpin a[0]', '1:11 page 0 of a is not pinned: "pin a[0]" comes first'],
		['device-load a', '1:14 no device follows this process yet: "device-attach" comes first'],
		['fork child', '1:6 no column belongs to child: write the columns as "CPU0  CPU1 child"'],
		['store a | load a | load a', '1:20 there are 2 columns, and this is cell 3'],
		['store a @', '1:9 "@" means nothing here'],
		['store a[$n]', '1:9 $n stands for nothing: say its values in a line "vary n 1 8 64"'],
	])('%s', (line, message) => {
		const [first = '', ...more] = wrong(line);
		expect(first.slice(0, message.length)).toBe(message);
		expect(more).toEqual(line.includes('@') || line.includes('$') ? more : []);
	});

	it('that is wrong hides nothing of what is wrong after it', () => {
		expect(wrong('lod a; store b | reclam a', 'store a', 'mprotect a q').map((problem) => problem.slice(0, 5))).toEqual(['1:1 t', '1:14 ', '1:18 ', '3:12 ']);
	});

	it('knows the size of a mapping as it is then', () => {
		expect(wrong('mremap a 16', 'store a[15]')).toEqual([]);
		expect(wrong('mremap a 4', 'load a[7] -> SIGSEGV')).toEqual([]);
		expect(wrong('map a anon 4 rw', 'load a[7] -> SIGSEGV', 'store a')).toEqual([]);
		expect(wrong('mremap a 4 to b', 'load b[4]')).toEqual(['2:6 page 4 is beyond the end of b, which has 4 pages']);
	});
});

describe('a document', () => {
	it.each([
		['', []],
		['# nothing\n\n', []],
		['store a\n', ['1:1 a scenario begins with a line such as "scenario mprotect-remote"; what comes before it is not read']],
		['scenario\ndoc d\nCPU0\nexit\n', ['1:9 the scenario has no name: write "scenario my-name"']],
		['scenario a b\ndoc d\nCPU0\nexit\n', ['1:10 the name of a scenario is letters, digits and hyphens, at most 64']],
		['scenario s\nCPU0\nexit\n', ['1:1 the scenario has no doc line: say in a sentence what happens in it']],
		['scenario s\ndoc d\n', ['1:1 the scenario has no columns: begin them with a line such as "CPU0  CPU1"']],
		['scenario s\ndoc d\nCPU0\nmeasure\n', ['1:1 the scenario has no steps after its columns']],
		['scenario s\ndoc d\nCPU4\nexit\n', ['3:1 the machine has CPU0 to CPU3']],
		['scenario s\ndoc d\nCPU0 CPU0\nexit\n', ['3:6 two columns are the same']],
		['scenario s\ndoc d\nCPU0 c\nexit\n', ['3:7 the first process has no column: write one without a name, such as CPU0']],
		['scenario s\ndoc d\nstore a\n', ['3:1 there is "store" where a line of the header or the columns ("CPU0  CPU1") is expected: one of family,']],
		['scenario s\ndoc d\nmeasure\nCPU0\nexit\n', ['3:1 a step comes before the columns: begin them with a line such as "CPU0  CPU1"']],
		['scenario s\ndoc d\nmap a anon 8 rw\nmap a anon 8 rw\nCPU0\nstore a\n', ['4:5 a mapping called a exists already']],
		['scenario s\ndoc d\nfile f 6 order 2\nCPU0\nread f\n', ['3:17 a file of order 2 has a multiple of 4 pages']],
		['scenario s\ndoc d\nneeds kernel 6\nCPU0\nexit\n', ['3:15 a version has two numbers, as in 6.4']],
		['scenario s\ndoc d\nneeds kernal 6.4..\nCPU0\nexit\n', ['3:7 there is "kernal" where what is needed is expected; did you mean kernel? One of']],
		['scenario s\ndoc d\nCPU0\nend\nexit\n', ['4:1 nothing is being measured: "measure" comes first']],
		['scenario s\ndoc d\nvary n 1 1\nCPU0\nexit\n', ['3:6 vary n has a value twice']],
		['scenario s\ndoc d\nvary n\nCPU0\nexit\n', ['3:6 vary n needs 1 to 16 values, as in "vary pages 1 8 64"']],
		['scenario s\ndoc d\nvary n 1 a|b\nCPU0\nexit\n', ['3:6 "a|b" cannot be a value: a number, a word or a version can']],
		['scenario s\ndoc d\nCPU0\nexit\nscenario s\ndoc d\nCPU0\nexit\n', ['5:1 a scenario called s comes before in this file: give it another name']],
	] as const)('%j', (text, messages) => {
		expect(wrongIn(text).map((problem, i) => problem.slice(0, messages[i]?.length))).toEqual(messages);
	});

	it('reads what is right around what is wrong', () => {
		const good = (name: string): string => `scenario ${name}\ndoc d\nCPU0\nexit\n`;
		const { scenarios, problems } = parseScenarios(`${good('a')}scenario b\ndoc d\nCPU0\nexi\n${good('c')}`, 'x');
		expect(scenarios.map(({ name }) => name)).toEqual(['a', 'c']);
		expect(problems.map(({ line }) => line)).toEqual([8]);
	});

	it('keeps processes apart: nobody acts before it is forked or after it has ended', () => {
		const program = (...rows: readonly string[]): string[] =>
			wrongIn(['scenario s', 'doc d', 'map a anon 1 rw', 'CPU0  CPU1 child  CPU2', ...rows, ''].join('\n')).map((problem) => problem.slice(0, 40));
		expect(program('fork child | | load a', '| load a', '| exit', 'exit')).toEqual([]);
		expect(program('| load a', 'fork child')).toEqual(['5:8 child is not forked before this row:']);
		expect(program('fork child | load a')).toEqual(['5:19 child is not forked before this row']);
		expect(program('fork child', '| exit', '| load a')).toEqual(['7:8 child has ended: a process ends in t']);
		expect(program('exit | | load a')).toHaveLength(1);
		expect(program('fork child', 'fork child')).toEqual(['6:6 child is forked already: give this c']);
	});

	it('gives every variant its program, and says when a value fits nowhere', () => {
		const text = (line: string): string => `scenario s\ndoc d\nvary v ${line}\nmap a anon 8 rw\nCPU0\n`;
		const { scenarios } = parseScenarios(`${text('1 8')}store a[0+$v]\n`, 'x');
		expect(scenarios[0]?.forms.map(({ variant, rows }) => [variant, rows[0]?.kind === 'steps' && rows[0].cells[0]?.[0]])).toMatchObject([
			['1', { target: { pages: 1 } }],
			['8', { target: { pages: 8 } }],
		]);
		expect(wrongIn(`${text('munmap reclaim')}$v a\n`)).toEqual([]);
		expect(wrongIn(`${text('munmap exit')}$v a\n`)[0]).toMatch(/^6:4 steps of a cell/);
		expect(wrongIn(`${text('huge shared').replace('map', 'file f 8\nmap')}map b f 1 rw $v\n`)).toEqual([
			'3:1 $v stands for different kinds of things: its values must fit the same place, as 1 8 64 do',
		]);
	});

	it('survives whatever it is given, in time that grows with the text', () => {
		const began = worked();
		for (const text of [
			'scenario '.repeat(100_000),
			`scenario s\n${'CPU0 '.repeat(400)}\n`,
			`scenario s\ndoc d\nCPU0\n${'store a;'.repeat(240)}\n`.repeat(300),
			'\0\uFEFF|;->'.repeat(9000),
		])
			expect(parseScenarios(text, 'x').problems.length).toBeLessThanOrEqual(100);
		const many = `scenario s\ndoc d\nvary v ${Array.from({ length: 16 }, (_, i) => i + 1).join(' ')}\nmap a anon 2048 rw\nCPU0\n${'store a[0+$v] | \n'.repeat(60_000)}`;
		expect(parseScenarios(many, 'x').scenarios).toEqual([]);
		expect(worked() - began).toBeLessThan(5000);
	});

	it('is held to what a run can take', () => {
		expect(wrong(...Array.from({ length: 301 }, () => 'store a[0]')).at(-1)).toBe('301:11 more than 300 rows');
		expect(
			wrong(
				Array.from({ length: 101 }, () => 'store a')
					.join(';')
					.padEnd(1),
			).length,
		).toBe(0);
		expect(wrong('map b anon 2048 rw', 'store b; store b; store b; store b; store b', 'store b; store b; store b; store b; store b')[0]).toMatch(
			/more than 20000 accesses/,
		);
	});
});
