import { readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');
const read = (name: string): string => readFileSync(path.join(root, name), 'utf8');

/** A text with a leak, as an editor gets to see it. */
export interface Opened {
	readonly file: string;
	readonly text: string;
	/** Ends in the name to hover. */
	readonly hover: string;
	/** The line (from 1) that ignores a result. */
	readonly line: number;
}

const lineOf = (text: string, start: string): number => text.split('\n').findIndex((line) => line.startsWith(start)) + 1;

const sample = read('samples/filemap-map-pmd.patch');

export const patch: Opened = { file: 'sample.patch', text: sample, hover: '+\t\tdo_', line: lineOf(sample, '+\t\tdo_set_pmd') };

/** As `git format-patch` writes it, with the line ends of another system and names that are not ASCII before what is looked at. */
export const formatted: Opened = {
	...{ file: '0001-mm-filemap.patch', hover: '😀 */ unlock', line: patch.line + 1 },
	text: `From ${'0123456789'.repeat(4)} Mon Sep 17 00:00:00 2001\n${sample}`
		.replace('+\t\tunlock_page(page);', '+\t\t/* ẞ 😀 */ unlock_page(page);')
		.replaceAll('\n', '\r\n'),
};

const reply = [
	'From mboxrd@z Thu Jan  1 00:00:00 1970',
	...['From: A Reader <reader@example.org>', 'Date: Tue, 12 Jul 2022 11:00:00 +0000', 'Subject: Re: [PATCH] mm/filemap: simplify', ''],
	'On Tue, A Contributor wrote:',
	...sample
		.slice(sample.indexOf('diff --git'), sample.indexOf('-- \n'))
		.trimEnd()
		.split('\n')
		.map((line) => `> ${line}`),
	...['', 'Looks good.', ''],
].join('\n');

/** A reply in an mbox that quotes the patch. */
export const thread: Opened = { file: 'thread.mbox', text: reply, hover: '> +\t\tdo_', line: lineOf(reply, '> +\t\tdo_set_pmd') };

/** A mail of which nothing runs, and the lines that say so. */
export const mail = { file: 'review.eml', text: read('test/fixtures/mail/review.eml'), notes: [29, 43, 49, 58] } as const;
