import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaultConfiguration, inlayHintsSettings, readConfiguration, severitySettings, traceSettings } from '../../server/session/configuration.ts';
import { root, sources } from './sources.ts';

interface Property {
	readonly type: string;
	readonly default: unknown;
	readonly enum?: readonly string[];
	readonly maximum?: number;
	readonly additionalProperties?: { readonly enum?: readonly string[] };
}

interface Manifest {
	readonly name: string;
	readonly bin: Readonly<Record<string, string>>;
	readonly dependencies?: Readonly<Record<string, string>>;
	readonly devDependencies: Readonly<Record<string, string>>;
	readonly engines: Readonly<Record<string, string>>;
	readonly activationEvents: readonly string[];
	readonly contributes: {
		readonly commands: readonly { readonly command: string; readonly category: string }[];
		readonly languages: readonly { readonly id: string }[];
		readonly debuggers: readonly { readonly type: string }[];
		readonly configuration: { readonly properties: Readonly<Record<string, Property>> };
	};
}

const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as Manifest;
const { properties } = manifest.contributes.configuration;

/** `{ trace: { server: 'off' } }` as `trace.server`; lists and tables of a setting stay whole. */
function flat(value: object, prefix: string): [string, unknown][] {
	return Object.entries(value).flatMap(([key, entry]): [string, unknown][] => {
		const isGroup = typeof entry === 'object' && entry !== null && !Array.isArray(entry) && Object.keys(entry).length > 0;
		return isGroup ? flat(entry, `${prefix}${key}.`) : [[`${prefix}${key}`, entry]];
	});
}

describe('settings of the manifest', () => {
	it('have the names and defaults of the configuration type', () => {
		const defaults = Object.entries(properties).map(([name, property]) => [name, property.default]);
		expect(Object.fromEntries(defaults)).toEqual(Object.fromEntries(flat(defaultConfiguration, 'faultline.')));
	});
	it('have the types of the defaults', () => {
		const typeOf = (value: unknown): string => (Array.isArray(value) ? 'array' : typeof value);
		expect(Object.values(properties).map(({ type }) => type)).toEqual(Object.values(properties).map((property) => typeOf(property.default)));
	});
	it('have the values that the server accepts', () => {
		expect(properties['faultline.severities']?.additionalProperties?.enum).toEqual(severitySettings);
		expect(properties['faultline.inlayHints']?.enum).toEqual(inlayHintsSettings);
		expect(properties['faultline.trace.server']?.enum).toEqual(traceSettings);
	});
});

describe('reading settings', () => {
	it.each([
		['nothing', undefined],
		['null', null],
		['a list', []],
		['text', 'x'],
		['an unknown name', { constructor: 1, __proto__: { policy: 'x' } }],
	])('from %s gives the defaults and no complaint', (_, value) => {
		expect(readConfiguration(value)).toEqual({ configuration: defaultConfiguration, problems: [] });
	});
	it.each([
		['kernel', '6.x'],
		['kernel', 6.12],
		['architectures', 'arm64'],
		['architectures', [1]],
		['policy', ''],
		['severities', { 'tlb-flush': 'loud' }],
		['thresholds', { 'lock-wait': -1 }],
		['kernelTree', 7],
		['systemSources', 'no'],
		['exploration', -1],
		['exploration', 0.5],
		['exploration', (properties['faultline.exploration']?.maximum ?? 0) + 1],
		['inlayHints', true],
		['trace', { server: 'loud' }],
	])('%s = %j is refused by name and keeps its default', (name, value) => {
		const { configuration, problems } = readConfiguration({ [name]: value });
		expect(configuration).toEqual(defaultConfiguration);
		expect(problems).toEqual([expect.stringContaining(`faultline.${name}`)]);
	});
	it('takes what fits', () => {
		const given = {
			kernel: '6.1',
			architectures: ['arm64@6.19'],
			policy: 'spf',
			kernelTree: '../linux',
			systemSources: false,
			exploration: properties['faultline.exploration']?.maximum,
			severities: { 'tlb-flush': 'off' },
			thresholds: { 'lock-wait': 5 },
			inlayHints: 'all',
			trace: { server: 'verbose' },
		};
		expect(readConfiguration(given)).toEqual({ configuration: given, problems: [] });
	});
});

describe('the manifest', () => {
	it('declares the commands that the client registers', () => {
		const client = sources('client')
			.map((source) => source.text)
			.join('\n');
		const registered = [...client.matchAll(/\bregister\('(\w+)'/g)].map((match) => `faultline.${match[1]}`);
		expect(manifest.contributes.commands.map((entry) => entry.command).sort()).toEqual(registered.sort());
		expect(new Set(manifest.contributes.commands.map((entry) => entry.category))).toEqual(new Set(['Faultline']));
	});
	it('activates for the languages that are reviewed, in kernel trees, and for what is replayed', () => {
		const languages = manifest.contributes.languages.map(({ id }) => `onLanguage:${id}`);
		const debugging = manifest.contributes.debuggers.flatMap(({ type }) => [`onDebugResolve:${type}`, `onDebugDynamicConfigurations:${type}`]);
		expect(manifest.activationEvents).toEqual(['onLanguage:diff', ...languages, 'workspaceContains:mm/memory.c', ...debugging]);
	});
	it('needs nothing at installation: everything is bundled', () => {
		expect(manifest.dependencies ?? {}).toEqual({});
	});
	it('types the editor that it asks for', () => {
		expect(manifest.devDependencies['@types/vscode']).toBe(manifest.engines.vscode?.replace('^', ''));
	});
});

describe('the lock file', () => {
	const lock = readFileSync(path.join(root, 'package-lock.json'), 'utf8');
	it('names no host but the public registry', () => {
		const hosts = [...lock.matchAll(/"resolved": "([^"]+)"/g)].map((match) => new URL(match[1] ?? '').host);
		expect(new Set(hosts)).toEqual(new Set(hosts.length > 0 ? ['registry.npmjs.org'] : []));
	});
	it('belongs to the manifest', () => {
		const own = (JSON.parse(lock) as { readonly packages: Readonly<Record<string, Manifest>> }).packages[''];
		expect(own?.devDependencies).toEqual(manifest.devDependencies);
	});
});
