import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

let folder: string | undefined;

/** The URI of a file that holds the text until the server ends. One that an editor may still show is not written anew. */
export function textFile(title: string, text: string): string {
	if (folder === undefined) {
		const made = mkdtempSync(path.join(tmpdir(), 'faultline-'));
		process.once('exit', () => rmSync(made, { recursive: true, force: true }));
		// Some editors end their servers so.
		for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
		folder = made;
	}
	const name = title.replace(/[^\w.@-]+/g, '-').slice(0, 80);
	for (let number = 1; ; number++) {
		const file = path.join(folder, number === 1 ? `${name}.txt` : `${name}-${number}.txt`);
		try {
			writeFileSync(file, text, { flag: 'wx' });
			return pathToFileURL(file).href;
		} catch {
			if (readFileSync(file, 'utf8') === text) return pathToFileURL(file).href;
		}
	}
}
