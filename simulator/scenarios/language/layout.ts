import type { Form, MapStep, Spot } from './ast.ts';

/** Pages of 2 MiB: a mapping begins at a multiple of them unless it says where. */
const SLOT = 512;

/** Where each name lies, in pages from the start of the scenarios' memory. The anchor of each process lies one slot before it. */
export const ANCHOR = -SLOT;

/**
 * The place of every mapping that the program ever has, by name. Names get room of their own in order of first appearance,
 * for the most pages that they ever have and at least a page more, so that two of them never touch.
 */
export function placesOf(form: Form): ReadonlyMap<string, number> {
	const extents = new Map<string, { pages: number; at: Spot | null }>();
	const reach = (name: string, pages: number, at: Spot | null): void => {
		const known = extents.get(name);
		if (known === undefined) extents.set(name, { pages, at });
		else known.pages = Math.max(known.pages, pages);
		const base = known?.at ?? at;
		if (base !== null) reach(base.name, base.page + pages, null);
	};
	for (const { name, pages, at } of mappings(form)) reach(name, pages, at);
	const places = new Map<string, number>();
	let next = 0;
	for (const [name, { pages, at }] of extents) {
		places.set(name, at === null ? next : (places.get(at.name) ?? 0) + at.page);
		if (at === null) next += (Math.floor(pages / SLOT) + 1) * SLOT;
	}
	return places;
}

function* mappings({ maps, rows }: Form): Generator<Pick<MapStep, 'name' | 'pages' | 'at'>> {
	yield* maps;
	for (const row of rows) {
		if (row.kind !== 'steps') continue;
		for (const step of row.cells.flat()) {
			if (step.op === 'map') yield step;
			else if (step.op === 'mremap')
				yield step.to === null
					? { name: step.target.name, pages: step.target.first + step.pages, at: null }
					: { name: step.to, pages: step.pages, at: step.at };
		}
	}
}
