export type { CodeAction, Command, DocumentLink, FoldingRange, InlayHint, Location, Range, TextEdit } from 'vscode-languageserver/node';
export { TextDocument } from 'vscode-languageserver-textdocument';
