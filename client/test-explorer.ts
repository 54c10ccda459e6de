import * as vscode from 'vscode';
import { type CatalogueAnswer, requests } from '../server/session/results-protocol.ts';
import type { ServerProcess } from './server-process.ts';
import { runProfiles } from './test-runs.ts';

/** What a test item stands for; families and policies stand for what is below them. */
export interface Target {
	readonly scenario: string;
	readonly arch?: string;
	readonly policy?: string;
}

/** Scenarios as tests: by family, each on every architecture; and by the policies whose difference they show. */
export interface Scenarios {
	readonly controller: vscode.TestController;
	/** Rejects while the server is down. */
	load(): Promise<void>;
	targetOf(item: vscode.TestItem): Target | undefined;
	/** The items below that can be run, itself included. */
	leavesOf(item: vscode.TestItem): readonly vscode.TestItem[];
	scenarioItem(name: string): vscode.TestItem | undefined;
	readonly policies: () => CatalogueAnswer['policies'];
}

export function registerTests(context: vscode.ExtensionContext, server: ServerProcess, log: vscode.LogOutputChannel): void {
	const controller = vscode.tests.createTestController('faultline', 'Faultline');
	const scenarios = scenariosIn(controller, server);
	let isLoaded = false;
	controller.resolveHandler = async (item) => {
		try {
			if (item === undefined) await scenarios.load();
			else scenarios.leavesOf(item);
			isLoaded = true;
		} catch (error) {
			log.warn(`The list of scenarios is not there: ${error instanceof Error ? error.message : String(error)}`);
		}
	};
	controller.refreshHandler = () => scenarios.load();
	runProfiles(scenarios, server);
	context.subscriptions.push(
		controller,
		vscode.workspace.onDidChangeConfiguration((event) => {
			if (isLoaded && event.affectsConfiguration('faultline.architectures')) void controller.resolveHandler?.(undefined);
		}),
		// Asked for while the server was not up yet.
		server.onDidChangeState(({ kind }) => {
			if (kind === 'ready' && isLoaded && controller.items.size === 0) void controller.resolveHandler?.(undefined);
		}),
	);
}

function scenariosIn(controller: vscode.TestController, server: ServerProcess): Scenarios {
	const targets = new WeakMap<vscode.TestItem, Target>();
	let catalogue: CatalogueAnswer = { scenarios: [], policies: [], architectures: [], kernels: [] };
	const byName = new Map<string, vscode.TestItem>();

	function item(id: string, label: string, description: string, target?: Target): vscode.TestItem {
		const made = controller.createTestItem(id, label);
		made.description = description;
		if (target !== undefined) targets.set(made, target);
		return made;
	}

	/** Those of the settings, else all of them. They are many and alike: they are there once somebody looks. */
	function architecturesOf(parent: vscode.TestItem, { scenario }: Target): void {
		if (parent.children.size > 0) return;
		const wanted = vscode.workspace.getConfiguration('faultline').get<readonly string[]>('architectures', []);
		const names = wanted.length > 0 ? wanted : catalogue.architectures.map(({ name }) => name);
		parent.children.replace(
			names.map((name) => {
				const child = item(`scenario/${scenario}/${name}`, name, '', { scenario, arch: name });
				child.tags = [new vscode.TestTag(name)];
				return child;
			}),
		);
	}

	function families(): vscode.TestItem[] {
		byName.clear();
		return [...new Set(catalogue.scenarios.map(({ family }) => family))].sort().map((family) => {
			const top = item(`family/${family}`, family, '');
			for (const { name, doc } of catalogue.scenarios.filter((one) => one.family === family)) {
				const scenario = item(`scenario/${name}`, name, doc, { scenario: name });
				scenario.canResolveChildren = true;
				byName.set(name, scenario);
				top.children.add(scenario);
			}
			return top;
		});
	}

	function policies(): vscode.TestItem {
		const top = item('policies', 'policies', 'what-if kernels, compared with mainline');
		top.sortText = 'zz';
		for (const { name, doc, scenarios } of catalogue.policies) {
			if (scenarios.length === 0) continue;
			const policy = item(`policy/${name}`, name, doc);
			for (const scenario of scenarios) policy.children.add(item(`policy/${name}/${scenario}`, scenario, '', { scenario, policy: name }));
			top.children.add(policy);
		}
		return top;
	}

	function leavesOf(at: vscode.TestItem): vscode.TestItem[] {
		const target = targets.get(at);
		if (target !== undefined && target.arch === undefined && target.policy === undefined) architecturesOf(at, target);
		if (at.children.size === 0) return target === undefined ? [] : [at];
		const leaves: vscode.TestItem[] = [];
		at.children.forEach((child) => void leaves.push(...leavesOf(child)));
		return leaves;
	}

	return {
		controller,
		async load() {
			catalogue = await server.request<CatalogueAnswer>(requests.catalogue, {});
			controller.items.replace([...families(), policies()]);
		},
		targetOf: (one) => targets.get(one),
		leavesOf,
		scenarioItem: (name) => byName.get(name),
		policies: () => catalogue.policies,
	};
}
