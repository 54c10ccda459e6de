import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { MessageType, ShowDocumentRequest, ShowMessageNotification } from 'vscode-languageserver/node';
import type { Session } from '../session/session.ts';

/** Columns that a tab goes on to. */
const TAB = 8;

/**
 * Answers with the text, and sees to it that it is seen: VS Code's side shows the answer in a read-only document, other editors drop the
 * answer of a command. They open it as a file if they can, and if it has a title; else it is a message.
 */
export function shown(session: Session, text: string, title?: string): string {
	const { client, connection } = session;
	const say = (): void => void connection.sendNotification(ShowMessageNotification.type, { type: MessageType.Info, message: withoutTabs(text) });
	if (client.status) return text;
	if (!client.showsFiles || title === undefined) say();
	else {
		const opened = async (): Promise<boolean> =>
			(await connection.sendRequest(ShowDocumentRequest.type, { uri: pathToFileURL(fileOf(title, text)).href, takeFocus: true })).success;
		opened().then(
			(success) => success || say(),
			() => say(),
		);
	}
	return text;
}

/** Editors write a tab in a message as `^I`, or do not say how wide it is. */
function withoutTabs(text: string): string {
	return text.replace(/^.*\t.*$/gm, (line) => {
		const [first = '', ...rest] = line.split('\t');
		return rest.reduce((before, part) => before + ' '.repeat(TAB - (before.length % TAB)) + part, first);
	});
}

let folder: string | undefined;

/** A file that holds the text until the server ends. One that an editor may still show is not written anew. */
function fileOf(title: string, text: string): string {
	if (folder === undefined) {
		const made = mkdtempSync(path.join(tmpdir(), 'faultline-'));
		process.once('exit', () => rmSync(made, { recursive: true, force: true }));
		folder = made;
	}
	const name = title.replace(/[^\w.@-]+/g, '-').slice(0, 80);
	for (let number = 1; ; number++) {
		const file = path.join(folder, number === 1 ? `${name}.txt` : `${name}-${number}.txt`);
		try {
			writeFileSync(file, text, { flag: 'wx' });
			return file;
		} catch {
			if (readFileSync(file, 'utf8') === text) return file;
		}
	}
}
