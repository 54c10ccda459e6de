/** Words of C that may stand side by side in code; three other plain words in a row are prose. */
const C_WORDS = new Set(
	(
		'auto bool break case char const continue default do double else enum extern float for goto if inline int long register restrict return short signed sizeof ' +
		'static struct switch typedef typeof union unsigned void volatile while true false NULL u8 u16 u32 u64 s8 s16 s32 s64 asmlinkage noinline notrace'
	).split(' '),
);

/** Longest line that is judged; a longer one is no line of C. */
const MAX_CODE_LINE = 1000;

/**
 * Whether a line without its white space is a line of C rather than prose. List archives eat indentation, so the text is all
 * there is. A blank line is neither and gives false.
 */
export function looksLikeC(line: string): boolean {
	const text = line.trim();
	if (text === '' || text.length > MAX_CODE_LINE) return false;
	if (COMMENT_OR_DIRECTIVE.test(text) || FIXED.test(text)) return true;
	const code = text.replace(/\/\*.*?(?:\*\/|$)/g, ' ').replace(/"(?:[^"\\]|\\.)*"/g, '""');
	if (hasProse(code)) return false;
	if (/^(?:(?:\} )?(?:if|while|for|switch|else if)\s*\(|(?:else|do)\b|(?:return|goto)\b.*;\s*$)/.test(code)) return true;
	if (/[;{}\\]\s*$/.test(code)) return true;
	if (/[),:]\s*$/.test(code)) return !/^[A-Z][a-z]+\b(?!\()/.test(code) && !isAside(code);
	if (/[-+*/|&^%<>=?(]\s*$/.test(code)) return /^return\b|[A-Za-z_]\w*\s*(?:->|\(|\[|[-+|&]?=)|\w\.\w|\w_\w|&&|\|\|/.test(code);
	if (/^(?:static|extern|struct|unsigned|void|int|long|bool|enum|union|const|u32|u64)(?:\s+[\w*]+)*$/.test(code) || /^(?:&&|\|\||[|&?:+])\s*\S/.test(code))
		return true;
	return /^[\w.&*>-]+(?:,\s*[\w.&*>-]+)+$/.test(code) ? code.includes('_') : /\w->\w/.test(code) && !/[a-z]\s+[a-z]+\s/.test(code);
}

const COMMENT_OR_DIRECTIVE = /^(?:\/\*|\*\/|\*+(?:[\s/]|$)|\/\/|#\s*(?:define|undef|include|if|ifdef|ifndef|elif|else|endif|error|pragma)\b)/;

/** Lines that are C by themselves: braces, labels, single words. */
const FIXED = /^(?:[{}]|[{}]\s*else\b.*|else|do|NULL|break;|continue;|default\s*:|[A-Za-z_]\w*:|case\s[^?]+:|[)\]};,]+)$/;

/** Two words of prose that end in a comma, a colon or a parenthesis: `for now,`. Lists of arguments have commas between words. */
function isAside(code: string): boolean {
	return /^\(?[a-z]+(?: [a-z]+)*[,:)]$/.test(code) && !/^(?:[a-z]+[),]+|.*\b(?:struct|bool|int|long|unsigned|char|void|const)\b.*)$/.test(code);
}

/** Three words in a row with nothing between them, or two before a comma, are a sentence; C puts operators there. */
function hasProse(code: string): boolean {
	let run = 0;
	for (const [token] of code.matchAll(/\S+/g)) {
		const word = /^["'(]*([A-Za-z]+(?:'[a-z]+)?)[.,?!:]*["']*$/.exec(token)?.[1];
		const comma = token.endsWith(',');
		run = word === undefined || C_WORDS.has(word) || (comma && run === 0) ? 0 : run + 1;
		if (run >= 3 || (comma && run === 2)) return true;
	}
	return false;
}

/** Whether a code line leaves a block comment open, given whether one was open before it. */
export function commentOpenAfter(text: string, open: boolean): boolean {
	let inside = open;
	for (let at = 0; at < text.length; ) {
		const next = text.indexOf(inside ? '*/' : '/*', at);
		if (next < 0) break;
		inside = !inside;
		at = next + 2;
	}
	return inside;
}

/** Files whose hunks hold functions of C. An unknown path counts as C: the text decides. */
export function isCFile(file: string): boolean {
	return file === '' || /\.[ch]$/.test(file);
}
