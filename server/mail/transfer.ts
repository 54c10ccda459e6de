import { TextDecoder, TextEncoder } from 'node:util';

/** A line of a mail's body after decoding. `line` is 1-based in the document: the line on which the text begins. */
export interface BodyLine {
	readonly text: string;
	readonly line: number;
}

export type TransferEncoding = 'quoted-printable' | 'base64' | 'identity';

export function transferEncoding(header: string | undefined): TransferEncoding {
	const name = (header ?? '').trim().toLowerCase();
	return name === 'quoted-printable' || name === 'base64' ? name : 'identity';
}

/** Undoes a transfer encoding over `lines[start, end)`; damaged input is decoded as far as it goes. */
export function decodeTransfer(lines: readonly string[], start: number, end: number, encoding: TransferEncoding, charset: string): BodyLine[] {
	if (encoding === 'identity') {
		const body: BodyLine[] = [];
		for (let i = start; i < end; i++) body.push({ text: lines[i] ?? '', line: i + 1 });
		return body;
	}
	const sink = new Sink();
	if (encoding === 'base64') decodeBase64(lines, start, end, sink);
	else decodeQuotedPrintable(lines, start, end, sink);
	return sink.finish(charset);
}

/** Collects decoded bytes and remembers on which document line each decoded line begins. */
class Sink {
	private bytes = new Uint8Array(4096);
	private length = 0;
	private readonly starts: number[] = [];
	private atStart = true;

	push(byte: number, line: number): void {
		if (this.atStart) {
			this.starts.push(line);
			this.atStart = false;
		}
		if (this.length === this.bytes.length) {
			const larger = new Uint8Array(this.bytes.length * 2);
			larger.set(this.bytes);
			this.bytes = larger;
		}
		this.bytes[this.length++] = byte;
		if (byte === 0x0a) this.atStart = true;
	}

	finish(charset: string): BodyLine[] {
		const texts = decoderOf(charset).decode(this.bytes.subarray(0, this.length)).split('\n');
		if (texts.at(-1) === '') texts.pop();
		const last = this.starts.at(-1) ?? 1;
		return texts.map((text, i) => ({ text: text.endsWith('\r') ? text.slice(0, -1) : text, line: this.starts[i] ?? last }));
	}
}

function decoderOf(charset: string): TextDecoder {
	try {
		return new TextDecoder(charset);
	} catch {
		return new TextDecoder('utf-8');
	}
}

/** Decodes one string of bytes in a named charset; an unknown charset is read as UTF-8. */
export function decodeBytes(bytes: readonly number[], charset: string): string {
	return decoderOf(charset).decode(Uint8Array.from(bytes));
}

function decodeQuotedPrintable(lines: readonly string[], start: number, end: number, sink: Sink): void {
	for (let i = start; i < end; i++) {
		const text = (lines[i] ?? '').trimEnd();
		const soft = text.endsWith('=');
		for (const byte of quotedPrintableBytes(soft ? text.slice(0, -1) : text)) sink.push(byte, i + 1);
		if (!soft) sink.push(0x0a, i + 1);
	}
}

/** The bytes of quoted-printable text. A `=` that starts no escape stands for itself. */
export function* quotedPrintableBytes(text: string): Generator<number> {
	for (let at = 0; at < text.length; at++) {
		const code = text.charCodeAt(at);
		const escaped = code === 0x3d ? hexByte(text, at + 1) : -1;
		if (escaped >= 0) {
			yield escaped;
			at += 2;
		} else if (code < 0x80) yield code;
		else {
			const point = text.codePointAt(at) ?? code;
			if (point > 0xffff) at++;
			yield* new TextEncoder().encode(String.fromCodePoint(point));
		}
	}
}

function hexByte(text: string, at: number): number {
	const high = hexDigit(text.charCodeAt(at));
	const low = hexDigit(text.charCodeAt(at + 1));
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function hexDigit(code: number): number {
	if (code >= 0x30 && code <= 0x39) return code - 0x30;
	const letter = code | 0x20;
	return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

function decodeBase64(lines: readonly string[], start: number, end: number, sink: Sink): void {
	const state = { bits: 0, count: 0 };
	for (let i = start; i < end; i++) for (const byte of base64Bytes(lines[i] ?? '', state)) sink.push(byte, i + 1);
}

/** The bytes of base64 text. `state` carries the bits that a line leaves over; characters outside the alphabet are skipped. */
export function* base64Bytes(text: string, state: { bits: number; count: number }): Generator<number> {
	for (let at = 0; at < text.length; at++) {
		const value = base64Digit(text.charCodeAt(at));
		if (value < 0) continue;
		state.bits = ((state.bits << 6) | value) & 0xffff;
		state.count += 6;
		if (state.count >= 8) {
			state.count -= 8;
			yield (state.bits >> state.count) & 0xff;
		}
	}
}

function base64Digit(code: number): number {
	if (code >= 0x41 && code <= 0x5a) return code - 0x41;
	if (code >= 0x61 && code <= 0x7a) return code - 0x61 + 26;
	if (code >= 0x30 && code <= 0x39) return code - 0x30 + 52;
	if (code === 0x2b) return 62;
	return code === 0x2f ? 63 : -1;
}
