import { readFileSync } from 'node:fs';

const sample = readFileSync(new URL('../../samples/filemap-map-pmd.patch', import.meta.url), 'utf8');

/** The sample's mail without its head: what a contributor wrote. */
export const draft = sample.slice(sample.indexOf('\n\n') + 2);

/** The same patch with the result looked at. */
export const repaired = draft
	.replace(
		`-		if (do_set_pmd(vmf, page) == 0) {
-			/* The mapping owns the reference now. */
-			unlock_page(page);
-			return true;
-		}
+		do_set_pmd(vmf, page);
+		unlock_page(page);
+		return true;
`,
		`-		if (do_set_pmd(vmf, page) == 0) {
-			/* The mapping owns the reference now. */
+		if (!do_set_pmd(vmf, page)) {
 			unlock_page(page);
 			return true;
 		}
`,
	)
	.replace('@@ -3365,24 +3365,22 @@', '@@ -3365,24 +3365,23 @@');

export const title = 'mm/filemap: simplify filemap_map_pmd()';

/** A mail of an archive; each is a day later than the one before. */
export function mail(day: number, subject: string, body: string): string {
	const head = ['From mboxrd@z Thu Jan  1 00:00:00 1970', 'From: A Contributor <contributor@example.org>', `Date: ${day} Jul 2022 10:00:00 +0000`];
	return `${[...head, `Subject: ${subject}`, `Message-ID: <${day}@example.org>`, '', body.trimEnd(), ''].join('\n')}\n`;
}

/** A text as an answer quotes it, with a word below a line of it. */
export function quoted(text: string, below: string, word: string): string {
	const lines = text.trimEnd().split('\n');
	return lines.flatMap((line) => [line === '' ? '>' : `> ${line}`, ...(line.includes(below) ? ['', word, ''] : [])]).join('\n');
}
