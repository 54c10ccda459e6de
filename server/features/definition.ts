import type { CancellationToken, Location } from 'vscode-languageserver/node';
import { definitionsIn, lineInTree } from '../patch/places-in-file.ts';
import type { Hunk, Patch } from '../patch/types.ts';
import type { ReviewedDocument } from '../session/reviewed-document.ts';
import type { Feature, Session } from '../session/session.ts';
import { treeFile, treeFiles } from '../session/tree-files.ts';
import { hunkAt, nameAt, patchAt } from './names.ts';

/** From a name to what defines it in the kernel tree; from a line of a hunk to that line of the file. */
export const definition: Feature = {
	capabilities: () => ({ definitionProvider: true }),
	register(session) {
		session.connection.onDefinition(async ({ textDocument, position }, token) => {
			const document = session.documents.get(textDocument.uri);
			if (document === undefined || document.file !== null) return null;
			const line = position.line + 1;
			const patch = patchAt(session.parsed(document), line);
			const hunk = hunkAt(patch, line);
			const name = nameAt(document.lineText(line), position.character)?.name;
			const defined = name === undefined ? [] : await definitionsOf(session, name, patch, hunk, token);
			return defined.length > 0 || hunk === undefined ? defined : await placeOf(session, document, hunk, line);
		});
		return {};
	},
};

/** The definitions in the first file that has any. Only names that the model knows or the patch has are looked for, not every word of a mail. */
async function definitionsOf(session: Session, name: string, patch: Patch | undefined, hunk: Hunk | undefined, token: CancellationToken): Promise<Location[]> {
	const hook = session.catalogue.hooks().find((known) => known.name === name)?.file;
	const own = hunk !== undefined || patch?.hunks.some(({ functions }) => functions.some((change) => change.name === name)) === true;
	if (!own && hook === undefined && session.catalogue.explain(name) === undefined) return [];
	const files = [hunk?.file, hook, ...new Set(patch?.hunks.map(({ file }) => file))].filter((file) => file !== undefined);
	for await (const { uri, text } of treeFiles(session.sources(), files)) {
		if (token.isCancellationRequested) return [];
		const lines = definitionsIn(text, name);
		if (lines.length > 0) return lines.map((line) => location(uri, line));
	}
	return [];
}

async function placeOf(session: Session, document: ReviewedDocument, hunk: Hunk, line: number): Promise<Location | null> {
	const file = await treeFile(session.sources(), hunk.file);
	if (file === null) return null;
	// A large document comes without the lines of its hunks; then the header's place is what there is.
	const at = line < hunk.line || document.lineText(line) === '' ? hunk.line : line;
	return location(file.uri, lineInTree(hunk, at, file.path, file.text));
}

function location(uri: string, line: number): Location {
	const start = { line: line - 1, character: 0 };
	return { uri, range: { start, end: start } };
}
