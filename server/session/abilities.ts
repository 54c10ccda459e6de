import type { InitializeParams } from 'vscode-languageserver/node';

/** What the client on the other side can do, as far as a feature depends on it. */
export interface ClientAbilities {
	readonly pullsDiagnostics: boolean;
	readonly refreshesDiagnostics: boolean;
	readonly relatedInformation: boolean;
	readonly pullsConfiguration: boolean;
	readonly registersConfiguration: boolean;
	readonly markdownHover: boolean;
	readonly refreshesLenses: boolean;
	readonly nestedSymbols: boolean;
	readonly workDoneProgress: boolean;
	/** Wants the `faultline/status` notification. */
	readonly status: boolean;
	/** The user trusts the workspace, so that its clone may be read. A client that knows no trust has none. */
	readonly trusted: boolean;
	/** Folder that the client keeps for this server's files, or null. */
	readonly storage: string | null;
}

export function abilitiesOf(params: InitializeParams): ClientAbilities {
	const { workspace, textDocument, window } = params.capabilities;
	const given: unknown = params.initializationOptions;
	const options: Readonly<Record<string, unknown>> = typeof given === 'object' && given !== null ? (given as Readonly<Record<string, unknown>>) : {};
	return {
		pullsDiagnostics: textDocument?.diagnostic !== undefined,
		refreshesDiagnostics: workspace?.diagnostics?.refreshSupport === true,
		relatedInformation:
			(textDocument?.diagnostic ?? textDocument?.publishDiagnostics)?.relatedInformation === true ||
			textDocument?.publishDiagnostics?.relatedInformation === true,
		pullsConfiguration: workspace?.configuration === true,
		registersConfiguration: workspace?.didChangeConfiguration?.dynamicRegistration === true,
		markdownHover: textDocument?.hover?.contentFormat?.includes('markdown') === true,
		refreshesLenses: workspace?.codeLens?.refreshSupport === true,
		nestedSymbols: textDocument?.documentSymbol?.hierarchicalDocumentSymbolSupport === true,
		workDoneProgress: window?.workDoneProgress === true,
		status: options.status === true,
		trusted: options.trusted === true,
		storage: typeof options.storage === 'string' && options.storage !== '' ? options.storage : null,
	};
}
