import { MessageType, ShowDocumentRequest, ShowMessageNotification } from 'vscode-languageserver/node';
import type { Session } from '../session/session.ts';
import { textFile } from '../session/text-files.ts';

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
			(await connection.sendRequest(ShowDocumentRequest.type, { uri: textFile(title, text), takeFocus: true })).success;
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
