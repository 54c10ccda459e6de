import type { InitializeParams } from 'vscode-languageserver/node';

/** What the client on the other side can do, as far as a feature depends on it. */
export interface ClientAbilities {
	readonly pullsDiagnostics: boolean;
	readonly refreshesDiagnostics: boolean;
	readonly relatedInformation: boolean;
	/** Shows where a code is described. */
	readonly codeDescription: boolean;
	readonly pullsConfiguration: boolean;
	readonly registersConfiguration: boolean;
	readonly markdownHover: boolean;
	readonly refreshesLenses: boolean;
	readonly refreshesInlayHints: boolean;
	/** Takes code actions with an edit; without it only commands can be offered. */
	readonly codeActions: boolean;
	/** Takes edits that name the version of the document they are for. */
	readonly versionedEdits: boolean;
	/** Folds whole lines only, and at most so many ranges. */
	readonly foldsLines: boolean;
	readonly foldLimit: number;
	readonly linkTooltips: boolean;
	/** Asks the server for the text of documents that only the server knows. */
	readonly asksForContent: boolean;
	readonly nestedSymbols: boolean;
	readonly workDoneProgress: boolean;
	/** Opens a file when it is asked to. */
	readonly showsFiles: boolean;
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
		codeDescription: [textDocument?.diagnostic, textDocument?.publishDiagnostics].some((diagnostics) => diagnostics?.codeDescriptionSupport === true),
		pullsConfiguration: workspace?.configuration === true,
		registersConfiguration: workspace?.didChangeConfiguration?.dynamicRegistration === true,
		markdownHover: textDocument?.hover?.contentFormat?.includes('markdown') === true,
		refreshesLenses: workspace?.codeLens?.refreshSupport === true,
		refreshesInlayHints: workspace?.inlayHint?.refreshSupport === true,
		codeActions: textDocument?.codeAction?.codeActionLiteralSupport !== undefined,
		versionedEdits: workspace?.workspaceEdit?.documentChanges === true,
		foldsLines: textDocument?.foldingRange?.lineFoldingOnly === true,
		foldLimit: textDocument?.foldingRange?.rangeLimit ?? 5000,
		linkTooltips: textDocument?.documentLink?.tooltipSupport === true,
		asksForContent: workspace?.textDocumentContent !== undefined,
		nestedSymbols: textDocument?.documentSymbol?.hierarchicalDocumentSymbolSupport === true,
		workDoneProgress: window?.workDoneProgress === true,
		showsFiles: window?.showDocument?.support === true,
		status: options.status === true,
		trusted: options.trusted === true,
		storage: typeof options.storage === 'string' && options.storage !== '' ? options.storage : null,
	};
}
