/** How text output looks; colour is for terminals only. */
export interface TextOptions {
	readonly colour: boolean;
	/** Findings are printed with the number by which their evidence can be asked for. */
	readonly numbered?: boolean;
}

const CODES = { bold: 1, red: 31, green: 32, yellow: 33, cyan: 36, dim: 2 } as const;

export type Paint = keyof typeof CODES;

export function paint(text: string, how: Paint, { colour }: TextOptions): string {
	return colour ? `\x1b[${CODES[how]}m${text}\x1b[0m` : text;
}

/** Text of the input made safe for a terminal: control characters and the marks that reorder text become `?`. */
export function plain(text: string): string {
	// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
	return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, '?');
}
