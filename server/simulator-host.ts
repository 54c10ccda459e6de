import { readFile } from 'node:fs/promises';
import { type CParser, createCParser } from '../simulator/c/parser.ts';
import { createSimulator, type Simulator } from '../simulator/index.ts';

/** Where the parser's two files are: beside the bundle that ships, and in the packages when the sources run. */
const RUNTIME = ['./web-tree-sitter.wasm', '../node_modules/web-tree-sitter/web-tree-sitter.wasm'];
const LANGUAGE = ['./tree-sitter-c.wasm', '../node_modules/tree-sitter-c/tree-sitter-c.wasm'];

let loading: Promise<Simulator> | undefined;

/** The simulator of this thread, made once. Rejects with one sentence when the installation lacks a file. */
export function loadSimulator(): Promise<Simulator> {
	loading ??= load();
	return loading;
}

async function load(): Promise<Simulator> {
	return createSimulator(await loadParser());
}

export async function loadParser(): Promise<CParser> {
	const [wasmBinary, language] = await Promise.all([readFirst(RUNTIME), readFirst(LANGUAGE)]);
	return createCParser({ wasmBinary, language });
}

async function readFirst(places: readonly string[]): Promise<Uint8Array> {
	for (const place of places) {
		const bytes = await readFile(new URL(place, import.meta.url)).catch(() => null);
		if (bytes !== null) return bytes;
	}
	throw new Error(`the installation is incomplete: ${places[0]?.slice(2)} is missing; install Faultline again`);
}
