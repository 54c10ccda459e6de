export type {
	CodeAction,
	CodeLens,
	Command,
	DocumentLink,
	FoldingRange,
	InlayHint,
	Location,
	MarkupContent,
	Range,
	TextEdit,
} from 'vscode-languageserver/node';
export { TextDocument } from 'vscode-languageserver-textdocument';
