declare module 'gifenc' {
	type Palette = readonly (readonly number[])[];
	interface Encoder {
		writeFrame(indexes: Uint8Array, width: number, height: number, options: { readonly palette: Palette; readonly delay: number }): void;
		finish(): void;
		bytes(): Uint8Array;
	}
	export function GIFEncoder(): Encoder;
	export function quantize(pixels: Uint8Array, colours: number): Palette;
	export function applyPalette(pixels: Uint8Array, palette: Palette): Uint8Array;
}
