import { applyPalette, GIFEncoder, quantize } from 'gifenc';
import type { Page } from 'playwright-core';

export interface Frame {
	readonly png: Buffer;
	/** Milliseconds that it is seen. */
	readonly delay: number;
}

/** An animated GIF of pictures of one size, for ever. The browser reads them, as it is there. */
export async function gifOf(frames: readonly Frame[], page: Page): Promise<Uint8Array> {
	const encoder = GIFEncoder();
	for (const { png, delay } of frames) {
		const { width, height, pixels } = await pixelsOf(png, page);
		const palette = quantize(pixels, 256);
		encoder.writeFrame(applyPalette(pixels, palette), width, height, { palette, delay });
	}
	encoder.finish();
	return encoder.bytes();
}

async function pixelsOf(png: Buffer, page: Page): Promise<{ readonly width: number; readonly height: number; readonly pixels: Uint8Array }> {
	// The page's own names are not known to the types of these tests.
	const read = await page.evaluate(`(async () => {
		const image = await createImageBitmap(await (await fetch('data:image/png;base64,${png.toString('base64')}')).blob());
		const canvas = new OffscreenCanvas(image.width, image.height);
		const context = canvas.getContext('2d');
		context.drawImage(image, 0, 0);
		const { data } = context.getImageData(0, 0, image.width, image.height);
		let text = '';
		for (let at = 0; at < data.length; at += 32768) text += String.fromCharCode(...data.subarray(at, at + 32768));
		return { width: image.width, height: image.height, text: btoa(text) };
	})()`);
	const { width, height, text } = read as { readonly width: number; readonly height: number; readonly text: string };
	return { width, height, pixels: new Uint8Array(Buffer.from(text, 'base64')) };
}
