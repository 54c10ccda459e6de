import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import * as vscode from 'vscode';
import { diffOf, onDidChangeRepository } from './git.ts';
import { languageOf } from './patches.ts';
import { messageOf } from './titles.ts';

/** What a read-only patch is made of; it stands in the query of its URI, so that it can be made again after a reload. */
type Source =
	| { readonly kind: 'file' | 'maildir'; readonly uri: string }
	/** Uncommitted changes of a repository, or those of them that are staged. */
	| { readonly kind: 'git'; readonly uri: string; readonly staged: boolean };

const scheme = 'faultline-patch';

/** Bytes that a packed file may have when it is unpacked: more than any mail thread. */
const MOST_BYTES = 32 * 1024 * 1024;

/** Patches that are no text file: packed, in a folder of mails, or not committed yet. Each opens as a read-only document that is reviewed. */
export function registerVirtualPatches(context: vscode.ExtensionContext): void {
	const changed = new vscode.EventEmitter<vscode.Uri>();
	context.subscriptions.push(
		changed,
		vscode.workspace.registerTextDocumentContentProvider(scheme, { onDidChange: changed.event, provideTextDocumentContent: (uri) => textOf(sourceOf(uri)) }),
		onDidChangeRepository((root) => {
			for (const { uri } of vscode.workspace.textDocuments) {
				if (uri.scheme !== scheme) continue;
				const source = sourceOf(uri);
				if (source.kind === 'git' && source.uri === root.toString()) changed.fire(uri);
			}
		}),
	);
	const register = (name: string, run: (argument?: unknown) => Promise<void>): void => {
		context.subscriptions.push(vscode.commands.registerCommand(`faultline.${name}`, run));
	};
	register('openAsPatch', (argument) => openAsPatch(argument, changed));
	register('reviewChanges', (argument) => reviewChanges(argument, false, changed));
	register('reviewStagedChanges', (argument) => reviewChanges(argument, true, changed));
}

async function openAsPatch(argument: unknown, changed: vscode.EventEmitter<vscode.Uri>): Promise<void> {
	const uri = argument instanceof vscode.Uri ? argument : await pickFile();
	if (uri === undefined) return;
	const name = uri.path.slice(uri.path.lastIndexOf('/') + 1);
	const isFolder = ((await vscode.workspace.fs.stat(uri)).type & vscode.FileType.Directory) !== 0;
	if (!isFolder && !/\.gz$/i.test(name)) {
		const document = await vscode.workspace.openTextDocument(uri);
		if (document.languageId === 'plaintext') await vscode.languages.setTextDocumentLanguage(document, languageOf(document.getText()));
		await vscode.window.showTextDocument(document);
		return;
	}
	await open(isFolder ? `${name}.mbox` : name.replace(/\.gz$/i, ''), { kind: isFolder ? 'maildir' : 'file', uri: uri.toString() }, changed);
}

async function pickFile(): Promise<vscode.Uri | undefined> {
	const options = { title: 'Open as Patch', openLabel: 'Review', canSelectFiles: true, canSelectFolders: true };
	return (await vscode.window.showOpenDialog(options))?.[0];
}

async function reviewChanges(argument: unknown, staged: boolean, changed: vscode.EventEmitter<vscode.Uri>): Promise<void> {
	if (!vscode.workspace.isTrusted) {
		void vscode.window.showInformationMessage('Reviewing uncommitted changes runs git, which waits until you trust this workspace.');
		return;
	}
	try {
		const root = await diffOf.root(argument);
		if (root === undefined) {
			void vscode.window.showInformationMessage('There is no Git repository in this workspace.');
			return;
		}
		const folder = root.path.slice(root.path.lastIndexOf('/') + 1);
		await open(`${folder}${staged ? ' staged' : ''}.diff`, { kind: 'git', uri: root.toString(), staged }, changed);
	} catch (error) {
		void vscode.window.showErrorMessage(`The changes could not be read: ${messageOf(error)}`);
	}
}

async function open(name: string, source: Source, changed: vscode.EventEmitter<vscode.Uri>): Promise<void> {
	const uri = vscode.Uri.from({ scheme, path: `/${name}`, query: JSON.stringify(source) });
	if (vscode.workspace.textDocuments.some((document) => document.uri.toString() === uri.toString())) changed.fire(uri);
	const document = await vscode.workspace.openTextDocument(uri);
	if (document.languageId === 'plaintext') await vscode.languages.setTextDocumentLanguage(document, languageOf(document.getText()));
	await vscode.window.showTextDocument(document, { preview: false });
}

function sourceOf(uri: vscode.Uri): Source {
	return JSON.parse(uri.query) as Source;
}

/** What cannot be read says so in the document. */
async function textOf(source: Source): Promise<string> {
	const uri = vscode.Uri.parse(source.uri);
	try {
		if (source.kind === 'git') return (await diffOf.text(uri, source.staged)) || `No ${source.staged ? 'staged' : 'uncommitted'} changes.\n`;
		return source.kind === 'file' ? decode(await unpacked(await vscode.workspace.fs.readFile(uri))) : await maildirText(uri);
	} catch (error) {
		return `${uri.path} cannot be read: ${messageOf(error)}\n`;
	}
}

async function unpacked(bytes: Uint8Array): Promise<Uint8Array> {
	return bytes[0] === 0x1f && bytes[1] === 0x8b ? await promisify(gunzip)(bytes, { maxOutputLength: MOST_BYTES }) : bytes;
}

/** Mails are of any encoding; what is not UTF-8 keeps its bytes as characters. */
function decode(bytes: Uint8Array): string {
	try {
		return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
	} catch {
		return new TextDecoder('latin1').decode(bytes);
	}
}

/** The mails of a maildir, or of a folder with a file for each, as an mbox in the order of their names, which begin with the time. */
async function maildirText(folder: vscode.Uri): Promise<string> {
	const mails: { readonly name: string; readonly uri: vscode.Uri }[] = [];
	for (const part of ['cur', 'new', '']) {
		const place = part === '' ? folder : vscode.Uri.joinPath(folder, part);
		const entries = await vscode.workspace.fs.readDirectory(place).then(
			(all) => all,
			() => [],
		);
		for (const [name, type] of entries) if (type & vscode.FileType.File && !name.startsWith('.')) mails.push({ name, uri: vscode.Uri.joinPath(place, name) });
		if (part === 'new' && mails.length > 0) break;
	}
	let size = 0;
	const texts: string[] = [];
	for (const { uri } of mails.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
		const bytes = await unpacked(await vscode.workspace.fs.readFile(uri));
		size += bytes.length;
		if (size > MOST_BYTES) break;
		texts.push(
			`From mboxrd@z Thu Jan  1 00:00:00 1970\n${decode(bytes)
				.replace(/^(>*From )/gm, '>$1')
				.trimEnd()}\n`,
		);
	}
	return texts.length === 0 ? 'There are no mails in this folder.\n' : texts.join('\n');
}
