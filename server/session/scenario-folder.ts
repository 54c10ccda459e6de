import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { ScenarioSource } from '../../simulator/index.ts';

/** Where users keep scenarios of their own, below the folder that is worked in. */
export const SCENARIO_FOLDER = '.faultline';

/** Files read at most, and characters of each; a file that is larger is cut, which its parser says. */
const MAX_FILES = 100;
const MAX_BYTES = 2 << 20;

/** The texts of a folder's `.faultline/*.scenario`, in the order of their names. What cannot be read is not there. */
export async function readScenarioFolder(root: string): Promise<readonly ScenarioSource[]> {
	const folder = path.join(root, SCENARIO_FOLDER);
	const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.scenario')).sort();
	const texts = await Promise.all(names.slice(0, MAX_FILES).map((name) => read(path.join(folder, name))));
	return names.slice(0, MAX_FILES).flatMap((name, i) => {
		const text = texts[i] ?? null;
		return text === null ? [] : [{ file: `${SCENARIO_FOLDER}/${name}`, text }];
	});
}

async function read(file: string): Promise<string | null> {
	try {
		const about = await stat(file);
		return about.isFile() && about.size <= MAX_BYTES ? await readFile(file, 'utf8') : null;
	} catch {
		return null;
	}
}
