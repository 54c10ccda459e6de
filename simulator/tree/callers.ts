/** Who calls a function of a tree, up to functions that the model has as symbols. */
import { TREE_HEADERS, TREE_SOURCES } from './files.ts';
import type { SourceTree } from './tree.ts';

/** Functions, macros and variables that are looked through on the way up. */
const MAX_VISITED = 200;

/** The symbols nearest above a function, a macro or an inline function of a header: what has to run from the tree for it to run at all.
 * What the model has its own form of is a wall: C of the tree calls that, and never what lies behind. */
export function rootsOf(tree: SourceTree, name: string, isRoot: (name: string) => boolean, isWall: (name: string) => boolean): string[] {
	const roots = new Set<string>();
	const seen = new Set([name]);
	let level = [name];
	while (level.length > 0 && seen.size < MAX_VISITED) {
		const next: string[] = [];
		for (const user of level.flatMap((used) => usersOf(tree, used))) {
			if (seen.has(user)) continue;
			seen.add(user);
			if (isRoot(user)) roots.add(user);
			else if (!isWall(user)) next.push(user);
		}
		level = next;
	}
	return [...roots].sort();
}

/** What names it: functions by their bodies, variables by their initialisers, macros by their text. */
function usersOf(tree: SourceTree, name: string): string[] {
	const out = new Set<string>();
	const word = new RegExp(`(?<![\\w.>])${name}(?!\\w)`, 'g');
	for (const path of [...TREE_SOURCES, ...TREE_HEADERS]) {
		const text = tree.text.read(path);
		if (text === undefined || !text.includes(name)) continue;
		const lines: number[] = [];
		let line = 1;
		let from = 0;
		for (const match of text.matchAll(word)) {
			for (let at = text.indexOf('\n', from); at >= 0 && at < match.index; at = text.indexOf('\n', at + 1)) {
				line++;
				from = at + 1;
			}
			lines.push(line);
		}
		const declared = tree.file(path);
		if (declared === undefined || lines.length === 0) continue;
		for (const kind of [declared.functions, declared.variables, declared.macros]) {
			for (const { name: user, line: first, endLine } of kind.values()) if (user !== name && lines.some((at) => at >= first && at <= endLine)) out.add(user);
		}
	}
	return [...out];
}
