import { type Connection, DidChangeConfigurationNotification } from 'vscode-languageserver/node';
import type { Catalogue } from '../../simulator/index.ts';
import type { ClientAbilities } from './abilities.ts';
import { type Configuration, readConfiguration } from './configuration.ts';
import { withKnownNames } from './known-names.ts';

export interface LiveConfiguration {
	current(): Configuration;
	/** Asks the client, where it answers; to be called once it is initialized. */
	start(): Promise<void>;
}

/**
 * The settings as they are now: from the initialization options, then from whatever the client says or answers.
 * A bad value is logged once, not with every change.
 */
export function liveConfiguration(
	connection: Connection,
	client: ClientAbilities,
	initial: unknown,
	catalogue: Catalogue,
	changed: () => void,
): LiveConfiguration {
	const logged = new Set<string>();
	let current = take(initial);

	function take(value: unknown): Configuration {
		const read = readConfiguration(section(value));
		const { configuration, problems } = withKnownNames(read.configuration, catalogue);
		for (const problem of [...read.problems, ...problems]) {
			if (logged.has(problem)) continue;
			logged.add(problem);
			connection.console.warn(problem);
		}
		return configuration;
	}

	function apply(value: unknown): void {
		const next = take(value);
		if (JSON.stringify(next) === JSON.stringify(current)) return;
		current = next;
		changed();
	}

	async function pull(): Promise<void> {
		try {
			const value: unknown = await connection.workspace.getConfiguration('faultline');
			// A client that knows no such section answers null; what it said before stands.
			if (value !== null && value !== undefined) apply(value);
		} catch (error) {
			connection.console.warn(`the client did not give its configuration: ${error instanceof Error ? error.message : String(error)}`);
		}
	}

	connection.onDidChangeConfiguration(({ settings }: { settings?: unknown }) => {
		if (client.pullsConfiguration) void pull();
		else if (settings !== null && settings !== undefined) apply(settings);
	});

	return {
		current: () => current,
		async start() {
			if (client.registersConfiguration) await connection.client.register(DidChangeConfigurationNotification.type, { section: 'faultline' });
			if (client.pullsConfiguration) await pull();
		},
	};
}

/** Clients send their settings with or without the name of the section around them. */
function section(value: unknown): unknown {
	const inner = typeof value === 'object' && value !== null && 'faultline' in value ? value.faultline : undefined;
	return typeof inner === 'object' && inner !== null ? inner : value;
}
