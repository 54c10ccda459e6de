import { describe, expect, it } from 'vitest';
import { loadParser } from '../../server/simulator-host.ts';
import { ARCH_FILES } from '../../simulator/tree/arch-files.ts';
import { TREE_CONFIG } from '../../simulator/tree/config.ts';
import { coveragePage } from './coverage-page.ts';
import { isCompiled, isParsed, measure } from './measure.ts';
import { RICH_CONFIG } from './profiles.ts';
import { installed, VERSIONS } from './sources.ts';

/** `docs/coverage.md` is written by this test: `npm run test:kernel -- -u` after a change of what C code may name. */
const here = installed();
const parser = await loadParser();

const measured = here.map(({ version, text }) => ({
	version,
	files: measure(parser, text, TREE_CONFIG),
	rich: measure(parser, text, RICH_CONFIG),
	archs: ARCH_FILES.map((arch) => ({ folder: arch.folder, files: measure(parser, text, TREE_CONFIG, arch) })),
}));

describe.each(measured)('the C of mm in Linux $version', ({ files, rich, archs }) => {
	it('is there', () => {
		expect(files.length).toBeGreaterThan(600);
		// The richer configuration has more functions, and all of the others.
		expect(rich.length).toBeGreaterThan(files.length);
	});
	it('parses, each function, in both configurations', () => {
		expect(files.filter((f) => !isParsed(f))).toEqual([]);
		expect(rich.filter((f) => !isParsed(f))).toEqual([]);
	});
	it('compiles but for a few functions', () => {
		const rest = files.filter((f) => !isCompiled(f));
		expect(rest.length / files.length, rest.map((f) => `${f.name}: ${f.traps.join(', ')}`).join('\n')).toBeLessThanOrEqual(0.02);
	});
	it('has the functions of the architectures', () => {
		for (const { folder, files: all } of archs) {
			expect(all.length, folder).toBeGreaterThan(150);
			expect(all.filter((f) => !isParsed(f)).length, folder).toBeLessThanOrEqual(1);
		}
		const names = new Set(archs.flatMap(({ files: all }) => all.map((f) => f.name)));
		for (const name of ['ptep_set_access_flags', 'ptep_clear_flush_young', 'flush_tlb_mm_range', 'flush_tlb_page', 'tlb_flush']) expect(names).toContain(name);
	});
});

it.skipIf(measured.length < VERSIONS.length)('docs/coverage.md says what the code says', async () => {
	await expect(coveragePage(measured)).toMatchFileSnapshot('../../docs/coverage.md');
});
