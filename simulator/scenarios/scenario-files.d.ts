/** A *.scenario file is a module with one export: what the file says. esbuild.mjs and vitest.config.ts make it so. */
declare module '*.scenario' {
	export const text: string;
}
