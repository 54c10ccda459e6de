import { describe, expect, it } from 'vitest';
import { type Source, sources } from './sources.ts';

/** Constants, layouts and the form of staged functions: what every layer of the simulator speaks in. */
const vocabulary = [
	...['flags', 'pte', 'structs'].map((name) => `simulator/abi/${name}.ts`),
	...['types', 'runtime', 'events'].map((name) => `simulator/c/${name}.ts`),
	...['simulator/hooks/stages.ts', 'simulator/kernel/features.ts', 'simulator/schedule/form.ts', 'simulator/schedule/point.ts'],
];

/**
 * Which folders a folder may import from, itself included. The longest matching prefix of a file decides.
 * Imports go one way: client -> protocol; features, formats -> review -> patch -> mail; review -> simulator.
 * Within the simulator a type may be imported from anywhere: that is no dependency when it runs.
 */
const allowed: Readonly<Record<string, readonly string[]>> = {
	'simulator/machine/': ['simulator/machine/', 'simulator/arch/arch.ts', ...vocabulary],
	'simulator/arch/': ['simulator/arch/', 'simulator/machine/', ...vocabulary],
	'simulator/kernel/': ['simulator/kernel/', 'simulator/arch/', 'simulator/machine/', 'simulator/schedule/', ...vocabulary],
	// The linker: it puts compiled C in the place of symbols and stages.
	'simulator/kernel/build.ts': ['simulator/kernel/', 'simulator/arch/', 'simulator/c/', 'simulator/hooks/compose.ts', ...vocabulary],
	'simulator/abi/': ['simulator/abi/', 'simulator/kernel/', 'simulator/arch/', 'simulator/machine/', ...vocabulary],
	'simulator/c/': ['simulator/c/', 'simulator/abi/', 'simulator/kernel/', 'simulator/machine/'],
	'simulator/scenarios/': [
		'simulator/scenarios/',
		'simulator/kernel/',
		'simulator/arch/',
		'simulator/machine/',
		'simulator/schedule/',
		'simulator/oracles/',
		...vocabulary,
	],
	'simulator/oracles/': ['simulator/oracles/', 'simulator/kernel/', 'simulator/arch/', 'simulator/machine/', ...vocabulary],
	'simulator/': ['simulator/'],
	'server/mail/': ['server/mail/'],
	'server/patch/': ['server/patch/', 'server/mail/', 'simulator/c/ast.ts'],
	'server/review/': ['server/review/', 'server/patch/', 'server/mail/', 'simulator/index.ts', 'simulator/c/ast.ts'],
	'server/formats/': ['server/formats/', 'server/review/', 'server/patch/', 'server/mail/', 'simulator/index.ts'],
	'server/features/': ['server/features/', 'server/session/', 'server/formats/', 'server/review/', 'server/patch/', 'server/version.ts', 'simulator/index.ts'],
	'server/sources/': ['server/sources/', 'server/patch/', 'simulator/index.ts'],
	'server/session/': ['server/session/', 'server/sources/', 'server/formats/', 'server/review/', 'server/patch/', 'server/mail/', 'simulator/index.ts'],
	'server/': ['server/', 'simulator/index.ts', 'simulator/c/', 'simulator/scenarios/language/nearest.ts', 'package.json'],
	'client/': ['client/', 'server/session/protocol.ts', 'server/session/results-protocol.ts'],
	'client/replay/': ['client/replay/', 'client/view/state.ts', 'server/session/results-protocol.ts'],
	'client/view/': ['client/view/', 'server/session/results-protocol.ts'],
};

/** Packages and Node modules by folder; the I/O of the project is in client/, server/session/, server/sources/ and the entries of server/. */
const packages: Readonly<Record<string, RegExp>> = {
	'simulator/c/': /^web-tree-sitter$/,
	'simulator/': /^$/,
	// TextDecoder comes from node:util; it reads nothing.
	'server/mail/': /^node:util$/,
	'server/patch/': /^(parse-diff|node:util)$/,
	'server/review/': /^$/,
	'server/formats/': /^$/,
	'server/features/': /^vscode-languageserver(\/node|-textdocument)?$/,
	'server/sources/': /^node:(?:child_process|crypto|fs\/promises|os|path)$/,
	'server/session/': /^(node:.*|vscode-languageserver(\/node|-textdocument)?)$/,
	'server/': /^(node:.*|vscode-languageserver\/node|web-tree-sitter)$/,
	'client/': /^(node:.*|vscode|vscode-languageclient\/node|@vscode\/debugprotocol)$/,
	// Types, and nothing of the editor.
	'client/replay/': /^@vscode\/debugprotocol$/,
	// What runs in a page has neither Node nor the editor.
	'client/view/': /^$/,
};

const all = sources('simulator', 'server', 'client');

function longestPrefix<T>(table: Readonly<Record<string, T>>, file: string): T | undefined {
	const prefix = Object.keys(table)
		.filter((key) => file.startsWith(key))
		.sort((a, b) => b.length - a.length)[0];
	return prefix === undefined ? undefined : table[prefix];
}

function wrongWay(source: Source): readonly string[] {
	const targets = longestPrefix(allowed, source.file) ?? [];
	return source.imports
		.filter((entry) => !(entry.typeOnly && source.file.startsWith('simulator/') && entry.target?.startsWith('simulator/')))
		.filter((entry) => entry.target !== null && !targets.some((prefix) => entry.target?.startsWith(prefix)))
		.map((entry) => `${source.file}:${entry.line} imports ${entry.target}`);
}

function strangePackage(source: Source): readonly string[] {
	const pattern = longestPrefix(packages, source.file) ?? /^$/;
	return source.imports
		.filter((entry) => entry.target === null && !pattern.test(entry.specifier))
		.map((entry) => `${source.file}:${entry.line} imports ${entry.specifier}`);
}

describe('imports', () => {
	it('finds the sources', () => {
		expect(all.length).toBeGreaterThan(20);
		expect(all.flatMap((source) => source.imports).length).toBeGreaterThan(20);
	});
	it('go one way between folders', () => {
		expect(all.flatMap(wrongWay)).toEqual([]);
	});
	it('take packages and Node modules only where I/O belongs', () => {
		expect(all.flatMap(strangePackage)).toEqual([]);
	});
	it('name the file with its extension', () => {
		const bare = all.flatMap((source) =>
			source.imports.filter((entry) => entry.target !== null && !/\.(?:ts|json|scenario)$/.test(entry.target)).map((entry) => `${source.file}:${entry.line}`),
		);
		expect(bare).toEqual([]);
	});
});
