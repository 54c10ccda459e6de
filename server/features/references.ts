import type { DocumentLink } from 'vscode-languageserver/node';
import type { ReviewedDocument } from '../session/reviewed-document.ts';

/** Characters of a line that are searched. */
const maxLine = 1000;

/** Where mails of the kernel's lists and its commits are to be read. */
const LORE = 'https://lore.kernel.org/all/';
const COMMIT = 'https://git.kernel.org/linus/';

/** What is linked: the group `id` of the match is what the link stands on. */
interface Pattern {
	/** What a line must hold for the pattern to be tried. */
	readonly sign: string;
	readonly pattern: RegExp;
	target(id: string): string | null;
	readonly tooltip: string;
}

const PATTERNS: readonly Pattern[] = [
	// Trailers that point at a mail or a report; addresses in prose are found by editors themselves.
	{ sign: '://', pattern: /^[>\s]*(?:Link|Closes|BugLink|Patchwork|Lore|URL): +(?<id>https?:\/\/\S+)/dgi, target: webAddress, tooltip: 'Open the page' },
	{ sign: 'ixes:', pattern: /^[>\s]*Fixes: +(?:commit +)?(?<id>[0-9a-f]{8,40})\b/dgi, target: commit, tooltip: 'Open the commit that this fixes' },
	{ sign: 'ommit', pattern: /\bcommit (?<id>[0-9a-f]{10,40})\b(?! \w+ \d\d:)/dgi, target: commit, tooltip: 'Open the commit' },
	{ sign: '@', pattern: /^[>\s]*(?:Message-ID|In-Reply-To|References): *<(?<id>[^<>\s]+@[^<>\s]+)>/dgi, target: mail, tooltip: 'Open the mail in the archive' },
	// `git format-patch` puts what it hangs on below; `References:` goes on in lines of their own.
	{ sign: '@', pattern: /^\s+<(?<id>[^<>\s]+@[^<>\s]+)>/dgi, target: mail, tooltip: 'Open the mail in the archive' },
	{ sign: 'base-commit:', pattern: /^base-commit: (?<id>[0-9a-f]{12,40})\b/dgi, target: commit, tooltip: 'Open the base commit' },
];

/** The places of a document that name a mail, a commit or a page, at most `limit`. */
export function referencesIn(document: ReviewedDocument, limit: number, withTooltip: boolean): DocumentLink[] {
	const links: DocumentLink[] = [];
	for (let line = 1; line <= document.text.lineCount && links.length < limit; line++) {
		const text = document.lineText(line).slice(0, maxLine);
		for (const { sign, pattern, target, tooltip } of PATTERNS) {
			if (!text.includes(sign)) continue;
			for (const match of text.matchAll(pattern)) {
				const [from, to] = match.indices?.groups?.id ?? [0, 0];
				const address = target(match.groups?.id ?? '');
				if (address === null) continue;
				const range = { start: { line: line - 1, character: from }, end: { line: line - 1, character: to } };
				links.push({ range, target: address, ...(withTooltip ? { tooltip } : {}) });
			}
		}
	}
	return links.slice(0, limit);
}

/** An address as it stands, if it is one of the web; anything else is not opened for a stranger. */
function webAddress(text: string): string | null {
	try {
		const url = new URL(text.replace(/[.,;)>\]]+$/, ''));
		return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : null;
	} catch {
		return null;
	}
}

function commit(name: string): string {
	return `${COMMIT}${name}`;
}

/** The archive takes identifiers as they are, but for what means something in a path. */
function mail(id: string): string {
	return `${LORE}${encodeURIComponent(id).replaceAll('%40', '@')}/`;
}
