/**
 * Patches that change how the code reads and not what it does, over every function that runs from a tree: no finding may come of any.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { loadSimulator } from '../../server/simulator-host.ts';
import type { Simulator } from '../../simulator/index.ts';
import { TREE_CONFIG } from '../../simulator/tree/config.ts';
import { candidates, sourceOf } from '../../simulator/tree/replace.ts';
import { SourceTree } from '../../simulator/tree/tree.ts';
import { bodyOf, type Edit, inBlock, isDeclaration, masked, rename, type Statement, statementsOf } from './edits.ts';
import { reviewOn, Sources, said, unifiedDiff } from './patches.ts';
import { installed } from './sources.ts';

const ARCHITECTURES = ['x86-64', 'arm64-no-hafdbs', 'riscv'];
/** Every so many functions run on all architectures. */
const SAMPLE = 9;
/** Kinds of patches that each function gets, up to three. */
const KINDS_EACH = Math.min(3, Math.max(1, Number(process.env.FAULTLINE_CONTROLS ?? 3)));

const indent = (code: string, at: number): string => /^[ \t]*/.exec(code.slice(code.lastIndexOf('\n', at - 1) + 1))?.[0] ?? '';
const simple = (code: string, s: Statement): boolean => s.kind === 'simple' && inBlock(s) && !isDeclaration(code, s);
const ifs = (code: string): Statement[] => statementsOf(bodyOf(code)).filter((s) => s.kind === 'if' && s.head !== undefined);

/** Null: the function has no place for it. Each changes something, and nothing of what the function does. */
const KINDS: Readonly<Record<string, (code: string) => string | null>> = {
	comments: (code) => {
		const at = bodyOf(code).inside.find((s) => simple(code, s));
		return at === undefined ? null : `${code.slice(0, at.start)}/* As it was. */\n${indent(code, at.start)}${code.slice(at.start)}`;
	},
	'a local variable renamed': (code) => {
		const local = bodyOf(code)
			.inside.filter((s) => isDeclaration(code, s))
			.map((s) => /^(?:const\s+|struct\s+|unsigned\s+)*\w+\s+\**\s*(\w+)\s*(?:=|;)/.exec(masked(code).slice(s.start, s.end))?.[1])
			.find((name) => name !== undefined && !new RegExp(`\\b${name}\\s*\\(`).test(code));
		return local === undefined ? null : rename(local, `the_${local}`)(code);
	},
	'a condition negated twice': (code) => {
		const head = ifs(code)[0]?.head;
		return head === undefined ? null : `${code.slice(0, head[0])}!(!(${code.slice(...head)}))${code.slice(head[1])}`;
	},
	'De Morgan': (code) => {
		const found = ifs(code).find(
			({ head }) => head !== undefined && /^[^|&()]*(?:\([^()]*\))?[^|&()]*&&[^|&()]*(?:\([^()]*\))?[^|&()]*$/.test(masked(code).slice(...head)),
		);
		const head = found?.head;
		if (head === undefined) return null;
		const [a, b] = code.slice(...head).split('&&') as [string, string];
		return `${code.slice(0, head[0])}!(!(${a.trim()}) || !(${b.trim()}))${code.slice(head[1])}`;
	},
	'branches exchanged': (code) => {
		const found = ifs(code).find((s) => s.other?.kind === 'block' && s.body?.kind === 'block' && !/^\s*#/m.test(code.slice(s.start, s.end)));
		if (found?.head === undefined || found.body === undefined || found.other === undefined) return null;
		const text = (s: Statement): string => code.slice(s.start, s.end);
		return `${code.slice(0, found.start)}if (!(${code.slice(...found.head)})) ${text(found.other)} else ${text(found.body)}${code.slice(found.end)}`;
	},
	'a warning that never comes': (code) => {
		const at = bodyOf(code).inside.find((s) => !isDeclaration(code, s) && s.kind !== 'label');
		return at === undefined ? null : `${code.slice(0, at.start)}VM_WARN_ON_ONCE(0);\n${indent(code, at.start)}${code.slice(at.start)}`;
	},
	'a block of its own': (code) => {
		const at = bodyOf(code).inside.findLast((s) => simple(code, s) && !/^(?:return|goto)\b/.test(code.slice(s.start)));
		if (at === undefined) return null;
		return `${code.slice(0, at.start)}do {\n${indent(code, at.start)}\t${code.slice(at.start, at.end)}\n${indent(code, at.start)}} while (0);${code.slice(at.end)}`;
	},
	'one exit by goto': (code) => {
		const last = bodyOf(code).inside.at(-1);
		if (last === undefined || !/^return\b/.test(code.slice(last.start)) || /\bthe_end\b/.test(code)) return null;
		return `${code.slice(0, last.start)}goto the_end;\nthe_end:\n\t${code.slice(last.start)}`;
	},
};

/** A helper that a function is given: its last plain statements of one word go there. */
function extracted(code: string, name: string): string | null {
	const signature = /^([\s\S]*?)\b(\w+)\s*\(([\s\S]*?)\)\s*(?:__\w+\([^)]*\)\s*)*\n?\{/.exec(masked(code));
	if (signature?.[2] !== name || /\.\.\./.test(signature[3] as string) || (signature[3] as string).trim() === 'void') return null;
	const params = (signature[3] as string).split(',').map((p) => /(\w+)\s*$/.exec(p.trim())?.[1]);
	if (params.some((p) => p === undefined) || /\(/.test(signature[3] as string)) return null;
	const head = (signature[1] as string).replace(/\b(?:static|inline|__always_inline|noinline|__ref)\b/g, '').trim();
	const body = bodyOf(code);
	const returns = head === 'void' ? '' : 'return ';
	return `static ${head} do_the_${name}(${signature[3]})\n${code.slice(body.start)}\n${code.slice(0, body.start)}{\n\t${returns}do_the_${name}(${params.join(', ')});\n}\n`;
}

interface Control {
	readonly title: string;
	readonly ran: boolean;
	readonly told: readonly string[];
}

const trees = installed().map(({ version, text }) => ({ version, sources: new Sources(text) }));

describe.skipIf(trees.length === 0)('patches that change nothing', () => {
	let sim: Simulator;
	const controls: Control[] = [];
	beforeAll(async () => {
		sim = await loadSimulator();
		const counts = new Map<string, [made: number, ran: number]>();
		for (const { version, sources } of trees) {
			const tree = new SourceTree(sources.text, TREE_CONFIG);
			const kinds = [...Object.entries(KINDS), ['a helper extracted', null] as const];
			for (const [i, name] of candidates(tree).entries()) {
				const file = sourceOf(tree, name)?.file;
				if (file === undefined) continue;
				const code = sources.function(file, name);
				// Each function gets its kinds in turn: all kinds meet many functions.
				for (const [kind, edit] of [0, 3, 6].slice(0, KINDS_EACH).map((step) => kinds[(i + step) % kinds.length] as readonly [string, Edit | null])) {
					const now = edit === null ? extracted(code, name) : edit(code);
					if (now === null || now === code) continue;
					const diff = unifiedDiff(file, sources.file(file), sources.with(file, new Map([[name, now]])));
					const report = reviewOn(sim, sources.text, diff, i % SAMPLE === 0 ? null : ARCHITECTURES);
					const ran = report.runs.length > 0;
					controls.push({ title: `Linux ${version} ${name}: ${kind}`, ran, told: report.findings.map(said) });
					const count = counts.get(kind) ?? [0, 0];
					counts.set(kind, [count[0] + 1, count[1] + (ran ? 1 : 0)]);
				}
			}
		}
		const wrong = controls.filter(({ told }) => told.length > 0).length;
		for (const [kind, [made, ran]] of counts) console.log(`${kind}: ${made} patches, ${ran} run`);
		console.log(
			`${controls.length} controls${KINDS_EACH < 3 ? `, ${KINDS_EACH} of 3 kinds for each function` : ''}, ${controls.filter(({ ran }) => ran).length} run, ${wrong} with a finding: precision ${wrong === 0 ? 100 : ((1 - wrong / controls.length) * 100).toFixed(1)} %`,
		);
	}, 600_000);

	it('are many, and most of them run', () => {
		expect(controls.length).toBeGreaterThan(100);
		expect(controls.filter(({ ran }) => ran).length).toBeGreaterThan(60);
	});

	it('give no finding', () => {
		expect(controls.filter(({ told }) => told.length > 0).map(({ title, told }) => `${title}: ${told.join('; ')}`)).toEqual([]);
	});
});
