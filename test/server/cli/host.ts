import type { Host } from '../../../server/cli/host.ts';
import type { WorkerPool } from '../../../server/session/worker-pool.ts';
import type { Sources } from '../../../server/sources/attach.ts';
import type { ScenarioSource, Simulator } from '../../../simulator/index.ts';
import { fakeSimulator } from '../review/fake-simulator.ts';

/** A host without a process: files by name, what was written, and a clock that the test moves. */
export interface TestHost extends Host {
	readonly written: { out: string; err: string };
	served: number;
}

export interface TestHostOptions {
	readonly files?: Readonly<Record<string, string>>;
	readonly input?: string | null;
	readonly terminal?: boolean;
	readonly noColour?: boolean;
	/** Milliseconds that pass between two looks at the clock. */
	readonly pace?: number;
	readonly simulator?: Simulator;
	readonly sources?: Sources;
	/** What starts threads; they die at once without one. */
	readonly pool?: WorkerPool;
	readonly cpus?: number;
	/** Of the folder `.faultline`. */
	readonly scenarioTexts?: readonly ScenarioSource[];
}

export function testHost(options: TestHostOptions = {}): TestHost {
	const { files = {}, input = null, terminal = false, noColour = false, pace = 0, simulator, scenarioTexts = [], sources, pool, cpus = 1 } = options;
	const written = { out: '', err: '' };
	let clock = 0;
	const host: TestHost = {
		written,
		served: 0,
		out: (text) => {
			written.out += text;
		},
		err: (text) => {
			written.err += text;
		},
		read: async (path) => {
			const text = Object.hasOwn(files, path) ? files[path] : undefined;
			if (text === undefined) throw Object.assign(new Error('no'), { code: 'ENOENT' });
			return new TextEncoder().encode(text);
		},
		input: () => (input === null ? null : Promise.resolve(new TextEncoder().encode(input))),
		outIsTerminal: terminal,
		errIsTerminal: terminal,
		noColour,
		now: () => {
			clock += pace;
			return clock;
		},
		pool: () => pool ?? { run: () => ({ result: Promise.reject(new Error('there are none')), cancel: () => {} }), close: async () => {} },
		cpus,
		simulator: async () => simulator ?? fakeSimulator(),
		scenarioTexts: async () => scenarioTexts,
		sources: async () => sources ?? { treeFor: async () => null, repository: async () => null, close: async () => {} },
		serve: async () => void host.served++,
	};
	return host;
}
