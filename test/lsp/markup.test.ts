import { describe, expect, it } from 'vitest';
import { codeSpan, escapeMarkdown, maxLines, render } from '../../server/features/markup.ts';

describe('text of a patch in Markdown', () => {
	it.each([
		['[click](command:evil)', '\\[click\\](command:evil)'],
		['![x](https://evil/x.png)', '!\\[x\\](https\\://evil/x\\.png)'],
		['<img src=x onerror=y>', '\\<img src=x onerror=y\\>'],
		['a | b', 'a \\| b'],
		['# title', '\\# title'],
		['- item', '\\- item'],
		['1. item', '1\\. item'],
		['__init and *p', '\\_\\_init and \\*p'],
		['www.evil.example', 'www\\.evil\\.example'],
		['nobody@example.org', 'nobody\\@example\\.org'],
		['one\r\n\r\n# two', 'one # two'],
		['&lt;b&gt;', '\\&lt;b\\&gt;'],
		['a sentence. Another: two-part (flush).', 'a sentence. Another: two-part (flush).'],
	])('%j is shown as it is', (text, escaped) => {
		expect(escapeMarkdown(text)).toBe(escaped);
	});

	it.each([
		['do_set_pmd', '`do_set_pmd`'],
		['a`b', '``a`b``'],
		['``', '``` `` ```'],
		['', '`  `'],
		['a\n\n# b', '`a # b`'],
		['a|b', '`a¦b`'],
	])('%j as code stays inside its span', (text, span) => {
		expect(codeSpan(text)).toBe(span);
	});

	it('is cut to a number of lines and says so', () => {
		const rows = Array.from({ length: 100 }, (_, row) => [`arch ${row}`, 'the same']);
		for (const markdown of [true, false]) {
			const { value } = render(
				[
					{ kind: 'paragraph', content: ['Title'] },
					{ kind: 'table', head: ['architecture', 'text'], rows },
				],
				markdown,
			);
			expect(value.split('\n').length).toBe(maxLines);
			expect(value).toMatch(/\.\.\.( \|)?$/);
		}
	});

	it('has aligned columns without Markdown', () => {
		const { value, kind } = render([{ kind: 'table', head: ['a', 'b'], rows: [['long cell', { code: 'x_y' }]] }], false);
		expect([kind, value]).toEqual(['plaintext', 'a          b\nlong cell  x_y']);
	});
});
