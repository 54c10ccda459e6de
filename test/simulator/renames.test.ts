import { expect, it } from 'vitest';
import type { CodeLine } from '../../simulator/c/ast.ts';
import { undoRenames } from '../../simulator/hooks/renames.ts';

const side = (text: string): CodeLine[] => text.split('\n').map((line, i) => ({ text: line, line: i + 1, changed: true }));
const undone = (before: string, after: string): string =>
	undoRenames(side(before), side(after), ['vmf', 'entry', 'ret', 'flags'])
		.map((l) => l.text)
		.join('\n');

it.each([
	['one local', 'entry = pte_mkdirty(entry);', 'newpte = pte_mkdirty(newpte);', 'entry = pte_mkdirty(entry);'],
	['with another comment', 'entry = f(entry); /* old */', 'e = f(e); /* quite another one */', 'entry = f(entry); /* quite another one */'],
	['two locals', 'ret = f(entry);', 'r = f(e);', 'ret = f(entry);'],
])('takes back the rename of %s', (_, before, after, expected) => {
	expect(undone(before, after)).toBe(expected);
});

it.each([
	['one use keeps its name', 'entry = pte_mkdirty(entry);', 'entry = pte_mkdirty(other);'],
	['the new name is a constant', 'return ret;', 'return VM_FAULT_RETRY;'],
	['the new name is a boolean', 'if (ret)', 'if (true)'],
	['the new name is a member of the fault', 'f(entry);', 'f(vma);'],
	['the new name is another local', 'f(entry);', 'f(ret);'],
	['two locals become one', 'f(entry, ret);', 'f(x, x);'],
	['one local becomes two', 'f(entry, entry);', 'f(x, y);'],
	['a member changes', 'vmf->flags = 1;', 'vmf->flagz = 1;'],
	['an operator changes', 'ret = entry & 1;', 'r = e | 1;'],
	['a number changes', 'ret = 1;', 'r = 2;'],
])('leaves the code alone where %s', (_, before, after) => {
	expect(undone(before, after)).toBe(after);
});
