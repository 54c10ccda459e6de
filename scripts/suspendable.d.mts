import type { Plugin as EsbuildPlugin } from 'esbuild';
import type { Plugin as VitePlugin } from 'vite';

export function suspendableForm(root: string): { isShared(file: string): boolean; source(file: string): string; readonly suspending: readonly string[] };
export function esbuildSuspendable(root: string): EsbuildPlugin;
export function viteSuspendable(root: string): VitePlugin;
