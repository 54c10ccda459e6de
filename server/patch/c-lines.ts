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
	if (/^(?:\/\*|\*\/|\*(?:\s|$)|\/\/|#\s*(?:define|undef|include|if|ifdef|ifndef|elif|else|endif|error|pragma)\b)/.test(text)) return true;
	if (/^(?:[{}]|[{}]\s*else\b.*|else|do|break;|continue;|default\s*:|[A-Za-z_]\w*:|case\s[^?]+:|[)\]};,]+)$/.test(text)) return true;
	const code = text.replace(/\/\*.*?(?:\*\/|$)/g, ' ').replace(/"(?:[^"\\]|\\.)*"/g, '""');
	if (hasProse(code)) return false;
	if (/^(?:if|while|for|switch|else if|\} else if|\} while)\s*\(/.test(code) || /^(?:else|do)\b/.test(code)) return true;
	if (/^(?:return|goto)\b.*;\s*$/.test(code) || /^return\b.*[-+*|&<>=?(,]\s*$/.test(code)) return true;
	if (/[;{}\\]\s*$/.test(code)) return true;
	if (/(?:&&|\|\||[-+*/|&^%<>=?(])\s*$/.test(code)) return /[A-Za-z_]\w*\s*(?:->|\(|\.|\[|[-+|&]?=)|\w_\w|&&|\|\|/.test(code);
	if (/[),:]\s*$/.test(code)) return /\w(?:->|_|\()|\*\w|&\w|[=!<>]=|\b(?:struct|unsigned|int|long)\b/.test(code) && !/^[A-Z][a-z]+\b[^(_]*\s/.test(code);
	return (
		/^(?:static|extern|struct|unsigned|void|int|long|bool|enum|union|const)\b.*\w$/.test(code) || /^(?:&&|\|\||[|&?:+])\s*\S/.test(code) || isCallOrTest(code)
	);
}

/** A continuation such as `(a->b & FLAG)` or a condition's tail: operators between identifiers and no sentence. */
function isCallOrTest(code: string): boolean {
	return /\w->\w/.test(code) && !/[a-z]\s+[a-z]+\s/.test(code);
}

function hasProse(code: string): boolean {
	let run = 0;
	for (const token of code.matchAll(/\S+/g)) {
		const word = token[0].replace(/^["'(]+|[.,;:!?)"']+$/g, '');
		const plain = /^[A-Za-z]+(?:'[a-z]+)?$/.test(word) && !C_WORDS.has(word);
		run = plain ? run + 1 : 0;
		if (run >= 3) return true;
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
