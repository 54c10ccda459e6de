/** Columns of text that a mail can quote. */
export const WIDTH = 78;

/** Words on lines of at most 78 columns, each after the indent; what goes on is indented by two more. */
export function wrap(text: string, indent: string, width = WIDTH): string[] {
	const lines: string[] = [];
	let line = indent + /^ */.exec(text)?.[0];
	let empty = true;
	for (const word of text.trim().split(' ')) {
		if (!empty && line.length + 1 + word.length > width) {
			lines.push(line);
			line = `${indent}  `;
			empty = true;
		}
		line += empty ? word : ` ${word}`;
		empty = false;
	}
	return [...lines, line];
}
