import * as vscode from 'vscode';
import { type CatalogueAnswer, requests } from '../server/session/results-protocol.ts';
import type { Ask } from './ask.ts';

/** Kernel version and architectures, picked from lists and written to the settings. */
export async function selectKernel(ask: Ask): Promise<void> {
	const catalogue = await ask.request<CatalogueAnswer>('Select Kernel', requests.catalogue, {});
	if (catalogue === undefined) return;
	const settings = vscode.workspace.getConfiguration('faultline');
	const kernel = await pickKernel(catalogue, settings.get<string>('kernel', ''));
	if (kernel === undefined) return;
	const architectures = await pickArchitectures(catalogue, settings.get<readonly string[]>('architectures', []));
	await write('kernel', kernel);
	if (architectures !== undefined) await write('architectures', architectures);
}

async function pickKernel({ kernels }: CatalogueAnswer, current: string): Promise<string | undefined> {
	const mark = (value: string): { readonly description: string } => ({ description: value === current ? 'as set' : '' });
	const items = [
		{ label: 'Inferred from the patch', value: '', ...mark('') },
		...kernels.map((version) => ({ label: `Linux ${version}`, value: version, ...mark(version) })),
	];
	return (await vscode.window.showQuickPick(items, { title: 'Kernel version to review against (1/2)' }))?.value;
}

/** All of them is the empty list: a later kernel version may have more. */
async function pickArchitectures({ architectures }: CatalogueAnswer, current: readonly string[]): Promise<readonly string[] | undefined> {
	const items = architectures.map(({ name, doc }) => ({ label: name, detail: doc, picked: current.length === 0 || current.includes(name) }));
	const picked = await vscode.window.showQuickPick(items, { title: 'Architectures to run (2/2)', canPickMany: true, matchOnDetail: true });
	if (picked === undefined) return undefined;
	return picked.length === items.length || picked.length === 0 ? [] : picked.map(({ label }) => label);
}

/** Of the workspace where there is one: which kernel is meant belongs to what is worked on. */
async function write(name: string, value: unknown): Promise<void> {
	const settings = vscode.workspace.getConfiguration('faultline');
	const target = vscode.workspace.workspaceFolders === undefined ? vscode.ConfigurationTarget.Global : vscode.ConfigurationTarget.Workspace;
	const initial = settings.inspect(name)?.defaultValue;
	await settings.update(name, JSON.stringify(value) === JSON.stringify(initial) ? undefined : value, target);
}
