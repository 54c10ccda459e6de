/**
 * The second form of the simulator. Its functions are written once, as plain calls, so that the usual run, which never leaves a
 * function in the middle, is fast. To let another CPU go on at any scheduling point, every function that may reach one has to be a
 * coroutine: this makes that form out of the same sources while they are bundled (and for the tests, while they are loaded).
 *
 * A function reaches a point if it calls `k.point` or `k.park`, or a function that does. Such a function becomes `function*`, its
 * callers say `yield*`; nothing else changes. What cannot be told is an error of the build, never a guess.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import MagicString from 'magic-string';
import { parseAst } from 'rolldown/parseAst';

/** Builders whose function arguments may be coroutines: they ask `mayWait`, or run what they were given to its end. */
const TAKERS = new Set(['run', 'ret', 'when', 'loop', 'call', 'tail', 'on', 'alone', 'whole', 'task', 'helper', 'measured', 'set']);
/** Those that run what they are given to its end themselves: calling them is no reason to suspend. */
const ENDERS = new Set(['alone', 'whole']);
/** Where a module asks for the other form of the simulator. */
const DOOR = 'simulator/suspendable.ts';
const FRONT = 'simulator/simulate.ts';
const QUERY = '?suspendable';
/** What tells the two forms apart. */
const FORM = 'schedule/form.ts';

/** @param root the checkout. */
export function suspendableForm(root) {
	const modules = readModules(root);
	analyse(modules);
	const kept = sharedModules(modules);
	return {
		/** Whether the module is the same in both forms. */
		isShared: (file) => kept.has(file),
		source: (file) => (file.endsWith(FORM) ? formSource(modules) : rewrite(modules.get(file))),
		/** Names of the kernel's functions that are coroutines in this form. */
		suspending: suspendingNames(modules),
	};
}

/** For esbuild. */
export function esbuildSuspendable(root) {
	let form;
	return {
		name: 'suspendable',
		setup(setup) {
			setup.onStart(() => void (form = undefined));
			setup.onResolve({ filter: /\.ts$/ }, ({ path: name, importer, namespace, resolveDir }) => {
				if (!name.startsWith('.')) return undefined;
				const file = path.relative(root, path.resolve(namespace === 'suspendable' ? path.dirname(path.join(root, importer)) : resolveDir, name));
				if (namespace !== 'suspendable') return file === DOOR ? { path: FRONT, namespace: 'suspendable' } : undefined;
				form ??= suspendableForm(root);
				return form.isShared(file) ? { path: path.join(root, file) } : { path: file, namespace: 'suspendable' };
			});
			// What is no module of ours, such as a text or figures, is the same in both forms.
			setup.onResolve({ filter: /./, namespace: 'suspendable' }, ({ path: name, importer }) =>
				name.startsWith('.')
					? { path: path.resolve(path.dirname(path.join(root, importer)), name) }
					: setup.resolve(name, { resolveDir: root, kind: 'import-statement' }),
			);
			setup.onLoad({ filter: /./, namespace: 'suspendable' }, ({ path: file }) => {
				form ??= suspendableForm(root);
				return { contents: form.source(file), loader: 'ts', resolveDir: path.dirname(path.join(root, file)) };
			});
		},
	};
}

/** For Vite, and so for the tests. */
export function viteSuspendable(root) {
	let form;
	const relative = (id) => path.relative(root, id);
	return {
		name: 'suspendable',
		enforce: 'pre',
		resolveId(name, importer) {
			if (!name.startsWith('.') || importer === undefined) return undefined;
			const inside = importer.endsWith(QUERY);
			const at = path.resolve(path.dirname(inside ? importer.slice(0, -QUERY.length) : importer), name);
			if (!inside) return relative(at) === DOOR ? path.join(root, FRONT) + QUERY : undefined;
			if (!at.endsWith('.ts')) return at;
			form ??= suspendableForm(root);
			return form.isShared(relative(at)) ? at : at + QUERY;
		},
		load(id) {
			if (!id.endsWith(QUERY)) return undefined;
			form ??= suspendableForm(root);
			return { code: form.source(relative(id.slice(0, -QUERY.length))), map: null, moduleType: 'ts' };
		},
	};
}

function readModules(root) {
	const modules = new Map();
	for (const entry of readdirSync(path.join(root, 'simulator'), { recursive: true })) {
		const file = path.join('simulator', entry).split(path.sep).join('/');
		if (!file.endsWith('.ts') || file.endsWith('.d.ts')) continue;
		const text = readFileSync(path.join(root, file), 'utf8');
		modules.set(file, {
			file,
			text,
			ast: parseAst(text, { lang: 'ts' }, file),
			imports: new Map(),
			functions: [],
			top: new Map(),
			classes: new Map(),
			uses: new Set(),
		});
	}
	for (const module of modules.values()) collect(module);
	return modules;
}

const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);

/** Finds the imports and the functions of a module, and the calls in each function. */
function collect(module) {
	for (const node of module.ast.body) {
		if ((node.type === 'ImportDeclaration' || node.type === 'ExportNamedDeclaration' || node.type === 'ExportAllDeclaration') && node.source) {
			if (node.importKind === 'type' || node.exportKind === 'type' || !node.source.value.startsWith('.')) continue;
			const from = path.posix.normalize(path.posix.join(path.posix.dirname(module.file), node.source.value));
			module.uses.add(from);
			if (node.type !== 'ImportDeclaration') continue;
			for (const s of node.specifiers) module.imports.set(s.local.name, { from, name: s.type === 'ImportSpecifier' ? s.imported.name : '*' });
		}
	}
	walk(module, module.ast, null, null, []);
}

/** One function: where it is, what it calls, whether it is a coroutine in the sources already. */
function functionOf(module, node, owner, parents) {
	const parent = parents.at(-1);
	const fn = {
		module,
		node,
		owner,
		parents: [...parents],
		parent,
		calls: [],
		old: node.generator === true,
		suspends: false,
		locals: new Map(),
		params: new Map(),
		takes: new Set(),
		usesThis: false,
		name: node.id?.name ?? null,
		method: parent?.type === 'MethodDefinition' || (parent?.type === 'Property' && parent.method) ? parent : null,
		className: null,
	};
	node.params.forEach((p, i) => {
		for (const name of namesIn(p)) fn.params.set(name, i);
	});
	return fn;
}

function walk(module, node, fn, cls, parents) {
	if (node === null || typeof node !== 'object') return;
	if (Array.isArray(node)) {
		for (const item of node) walk(module, item, fn, cls, parents);
		return;
	}
	if (typeof node.type !== 'string') return;
	if (node.type.startsWith('TS') && !/^TS(AsExpression|NonNullExpression|SatisfiesExpression|ParameterProperty)$/.test(node.type)) return;
	if (FUNCTIONS.has(node.type)) {
		const made = functionOf(module, node, fn, parents);
		made.className = cls;
		module.functions.push(made);
		declare(module, made, fn, cls, parents);
		for (const key of ['params', 'body']) walk(module, node[key], made, cls, [...parents, node]);
		return;
	}
	if (node.type === 'ClassDeclaration' || node.type === 'ClassExpression') {
		module.classes.set(node.id?.name ?? '', new Map());
		walk(module, node.body, fn, node.id?.name ?? '', [...parents, node]);
		return;
	}
	if (node.type === 'ThisExpression') for (let at = fn; at !== null; at = at.node.type === 'ArrowFunctionExpression' ? at.owner : null) at.usesThis = true;
	if (node.type === 'CallExpression') (fn?.calls ?? (module.loose ??= [])).push({ node, parents: [...parents] });
	for (const key of Object.keys(node)) if (key !== 'type' && key !== 'start' && key !== 'end') walk(module, node[key], fn, cls, [...parents, node]);
}

function declare(module, made, fn, cls, parents) {
	const { node, parent } = made;
	if (node.type === 'FunctionDeclaration') {
		if (fn === null) module.top.set(node.id.name, made);
		else fn.locals.set(node.id.name, made);
	} else if (parent?.type === 'VariableDeclarator' && parent.id.type === 'Identifier') {
		made.name = parent.id.name;
		if (fn === null) module.top.set(parent.id.name, made);
		else fn.locals.set(parent.id.name, made);
	} else if (parent?.type === 'MethodDefinition') {
		made.name = parent.key.name;
		module.classes.get(cls).set(parent.key.type === 'PrivateIdentifier' ? `#${parent.key.name}` : parent.key.name, made);
	} else if (parent?.type === 'Property') made.name = parent.key.name ?? parent.key.value;
	void parents;
}

function namesIn(pattern) {
	switch (pattern?.type) {
		case 'Identifier':
			return [pattern.name];
		case 'AssignmentPattern':
			return namesIn(pattern.left);
		case 'RestElement':
			return namesIn(pattern.argument);
		case 'TSParameterProperty':
			return namesIn(pattern.parameter);
		case 'ObjectPattern':
			return pattern.properties.flatMap((p) => namesIn(p.type === 'RestElement' ? p : p.value));
		case 'ArrayPattern':
			return pattern.elements.flatMap((p) => namesIn(p));
		default:
			return [];
	}
}

/** Whether an expression is the kernel: `k`, or a member of that name. */
const isKernel = (node, fn) =>
	(node.type === 'Identifier' && node.name === 'k') ||
	(node.type === 'MemberExpression' && node.property.name === 'k') ||
	(node.type === 'ThisExpression' && fn.className === 'KernelState');

/** The expression without the assertions about its type. */
function bare(node) {
	return node.type === 'TSAsExpression' || node.type === 'TSNonNullExpression' || node.type === 'ParenthesizedExpression' ? bare(node.expression) : node;
}

/** Names of the parameters by which adapters are given such a function. */
const ADAPTED = new Set(['fn']);

/** What a call may reach: functions of the sources, or `dynamic` where its callee is an argument that may be a coroutine. */
function targets(call, fn, world) {
	const callee = bare(call.node.callee);
	// What an adapter calls is a function of a kernel tree, which is a coroutine wherever it can be.
	if (callee.type === 'Identifier' && ADAPTED.has(callee.name) && fn.module.file.startsWith('simulator/tree/adapt-')) return ['dynamic'];
	if (callee.type === 'Identifier') return named(callee.name, fn, world);
	if (callee.type !== 'MemberExpression') return [];
	if (callee.computed) return isKernel(callee.object, fn) ? ['dynamic'] : [];
	const { name } = callee.property;
	const isPrivate = callee.property.type === 'PrivateIdentifier';
	if (callee.object.type === 'ThisExpression') {
		const method = fn.module.classes.get(fn.className)?.get(isPrivate ? `#${name}` : name);
		if (method !== undefined) return [method];
	}
	if (isKernel(callee.object, fn)) return world.symbols.get(name) ?? [];
	const methods = world.methods.get(name)?.filter((m) => m.suspends) ?? [];
	if (methods.length > 0) return methods;
	if (callee.object.type === 'Identifier' && fn.module.imports.get(callee.object.name)?.name === '*') {
		const found = world.modules.get(fn.module.imports.get(callee.object.name).from)?.top.get(name);
		return found === undefined ? [] : [found];
	}
	return [];
}

function named(name, fn, world) {
	for (let at = fn; at !== null; at = at.owner) {
		const local = at.locals.get(name);
		if (local !== undefined) return [local];
		if (at.params.has(name)) return at.takes.has(at.params.get(name)) ? ['dynamic'] : [];
	}
	const own = fn.module.top.get(name);
	if (own !== undefined) return [own];
	const imported = fn.module.imports.get(name);
	const found = imported && world.modules.get(imported.from)?.top.get(imported.name);
	return found ? [found] : [];
}

/** The functions behind each name of the kernel object: symbols, operations of the architectures, methods of its state. */
function symbolTable(modules) {
	const symbols = new Map();
	const add = (name, fn) => symbols.set(name, [...(symbols.get(name) ?? []), fn]);
	const table = modules.get('simulator/kernel/symbols.ts');
	for (const { from } of table.imports.values())
		if (from.startsWith('simulator/kernel/'))
			for (const node of modules.get(from).ast.body) {
				if (node.type !== 'ExportNamedDeclaration' || node.declaration === null) continue;
				const names = node.declaration.id ? [node.declaration.id.name] : (node.declaration.declarations ?? []).map((d) => d.id.name);
				for (const name of names) if (modules.get(from).top.has(name)) add(name, modules.get(from).top.get(name));
			}
	for (const [name, method] of modules.get('simulator/kernel/kernel.ts').classes.get('KernelState')) add(name, method);
	for (const module of modules.values()) if (module.file.startsWith('simulator/arch/')) operationsOf(module, modules, add);
	return symbols;
}

/** `name: function` and `name: otherFunction` in the object literals of an architecture. */
function operationsOf(module, modules, add) {
	const visit = (node) => {
		if (node === null || typeof node !== 'object') return;
		if (Array.isArray(node)) return node.forEach(visit);
		if (node.type === 'Property' && node.key.type === 'Identifier') {
			const made = module.functions.find((f) => f.node === node.value);
			if (made !== undefined) add(node.key.name, made);
			else if (node.value.type === 'Identifier') {
				const imported = module.imports.get(node.value.name);
				const local = module.functions.find((f) => f.name === node.value.name && f.parent?.type === 'VariableDeclarator');
				const found = module.top.get(node.value.name) ?? local ?? (imported && modules.get(imported.from)?.top.get(imported.name));
				if (found) add(node.key.name, found);
			}
		}
		for (const key of Object.keys(node)) if (key !== 'type') visit(node[key]);
	};
	visit(module.ast);
}

const isPrimitive = (node, fn) =>
	node.callee.type === 'MemberExpression' &&
	isKernel(node.callee.object, fn) &&
	(node.callee.property.name === 'point' || node.callee.property.name === 'park');

/** Which functions suspend, until nothing changes any more. */
function analyse(modules) {
	const world = { modules, symbols: symbolTable(modules), methods: new Map() };
	const all = [...modules.values()].flatMap((m) => m.functions);
	for (const m of modules.values())
		for (const [cls, methods] of m.classes)
			if (cls !== 'KernelState') for (const [name, method] of methods) world.methods.set(name, [...(world.methods.get(name) ?? []), method]);
	const mark = (fn) => {
		if (fn.suspends || fn.old || fn.primitive) return false;
		fn.suspends = true;
		return true;
	};
	for (const name of ['point', 'park']) for (const fn of world.symbols.get(name) ?? []) fn.primitive = true;
	for (let changed = true; changed; ) {
		changed = false;
		for (const fn of all) for (const call of fn.calls) if (callSuspends(call, fn, world)) changed = mark(fn) || changed;
		// Of several functions behind one name each has to be called in the same way.
		for (const group of world.symbols.values()) if (group.some((f) => f.suspends || f.old)) for (const f of group) changed = mark(f) || changed;
		for (const fn of all) for (const call of fn.calls) changed = passOn(call, fn, world) || changed;
	}
	for (const fn of all) for (const call of fn.calls) call.form = formOf(call, fn, world);
	for (const fn of all) if (fn.suspends) fn.problem = problemOf(fn, world);
}

/** A coroutine that is given to a function: that function calls its parameter. */
function passOn(call, fn, world) {
	let changed = false;
	if (call.node.callee.type === 'MemberExpression' && ENDERS.has(call.node.callee.property.name)) return false;
	call.node.arguments.forEach((argument, i) => {
		const given = argument.type === 'Identifier' ? named(argument.name, fn, world)[0] : fn.module.functions.find((f) => f.node === argument);
		if (given === undefined || given === 'dynamic' || !(given.suspends || (given.old && argument.type !== 'Identifier'))) return;
		for (const target of targets(call, fn, world))
			if (target !== 'dynamic' && !target.takes.has(i)) {
				target.takes.add(i);
				changed = true;
			}
	});
	return changed;
}

function callSuspends(call, fn, world) {
	if (isPrimitive(call.node, fn)) return true;
	return targets(call, fn, world).some((t) => t === 'dynamic' || t.suspends);
}

function formOf(call, fn, world) {
	if (isPrimitive(call.node, fn)) return call.node.callee.property.name;
	const found = targets(call, fn, world);
	if (found.includes('dynamic')) return 'dynamic';
	return found.some((t) => t.suspends) ? 'call' : 'plain';
}

/** Why a function cannot be made a coroutine by changing its text. */
function problemOf(fn, world) {
	const { parent } = fn;
	if (fn.node.type === 'FunctionDeclaration' || parent?.type === 'MethodDefinition') return null;
	if (parent?.type === 'VariableDeclarator') return null;
	if (parent?.type === 'CallExpression') {
		const { callee } = parent;
		const name = callee.type === 'Identifier' ? callee.name : callee.property?.name;
		if (TAKERS.has(name)) return null;
		const at = fn.owner ?? { module: fn.module, owner: null, locals: new Map(), params: new Map(), className: null };
		if (targets({ node: parent }, at, world).length > 0) return null;
	}
	if (parent?.type === 'Property' && /^simulator\/(?:arch|scenarios)\//.test(fn.module.file)) return null;
	// What is returned is called by somebody else, who knows.
	if (fn.parents.findLast((p) => p.type !== 'ConditionalExpression' && p.type !== 'ParenthesizedExpression')?.type === 'ArrowFunctionExpression') return null;
	return 'a function that suspends is given to something that cannot wait for it';
}

function suspendingNames(modules) {
	const names = new Set();
	for (const [name, group] of symbolTable(modules)) if (group.some((f) => f.suspends || f.old)) names.add(name);
	return [...names].sort();
}

function formSource(modules) {
	return `export const SUSPENDABLE = true;\nexport const SUSPENDS = new Set(${JSON.stringify(suspendingNames(modules))});\n`;
}

/** Modules without a suspending function or a call of one, that import none with one. */
function sharedModules(modules) {
	const apart = new Set(
		[...modules.values()]
			.filter((m) => m.functions.some((f) => f.suspends || f.calls.some((call) => call.form !== 'plain')) || m.file === FRONT || m.file.endsWith(FORM))
			.map((m) => m.file),
	);
	for (let changed = true; changed; ) {
		changed = false;
		for (const m of modules.values())
			if (!apart.has(m.file) && [...m.uses].some((u) => apart.has(u))) {
				apart.add(m.file);
				changed = true;
			}
	}
	return new Set([...modules.keys()].filter((file) => !apart.has(file)));
}

function rewrite(module) {
	const text = new MagicString(module.text);
	const place = (node) => `${module.file}:${module.text.slice(0, node.start).split('\n').length}`;
	let awaits = false;
	for (const fn of module.functions) {
		if (fn.suspends) {
			if (fn.problem !== null) throw new Error(`${place(fn.node)}: ${fn.problem}`);
			asCoroutine(text, module, fn);
			if (fn.node.type === 'ArrowFunctionExpression') awaits = true;
		}
		for (const call of fn.calls) {
			if (call.form === 'plain' || (call.form !== 'call' && call.form !== 'dynamic' && !fn.suspends && !fn.old)) continue;
			if (call.parents.at(-1)?.type === 'YieldExpression' && call.form !== 'point' && call.form !== 'park') continue;
			if (call.parents.some((p) => p.type === 'ChainExpression')) throw new Error(`${place(call.node)}: an optional call cannot suspend`);
			const { callee } = call.node;
			if (call.form === 'point') {
				const kernel = module.text.slice(callee.object.start, callee.object.end);
				text.overwrite(callee.property.start, callee.property.end, 'reaches');
				text.prependLeft(call.node.start, '(');
				text.appendLeft(call.node.end, `&&(yield ${kernel}.switching))`);
			} else if (call.form === 'park') {
				text.overwrite(callee.property.start, callee.property.end, 'parking');
				text.prependLeft(call.node.start, '(yield ');
				text.appendLeft(call.node.end, ')');
			} else if (call.form === 'dynamic') {
				awaits = true;
				// Nothing else runs between the call and the look at what it gave: one place for it is enough.
				text.prependLeft(call.node.start, '($waits($given=');
				text.appendLeft(call.node.end, ')?yield* $given:$given)');
			} else {
				text.prependLeft(call.node.start, '(yield* ');
				text.appendLeft(call.node.end, ')');
			}
		}
	}
	if ((module.loose ?? []).some((call) => call.node.callee.type === 'Identifier' && module.top.get(call.node.callee.name)?.suspends))
		throw new Error(`${module.file}: a function that suspends is called while the module is loaded`);
	const helper = awaits ? 'let $given: any;function $waits(v: any){return typeof v==="object"&&v!==null&&typeof v.next==="function";}\n' : '';
	return helper + text.toString();
}

function asCoroutine(text, module, fn) {
	const { node } = fn;
	if (fn.method !== null) {
		text.appendLeft(fn.method.key.start, '*');
		return;
	}
	if (node.type !== 'ArrowFunctionExpression') {
		text.appendLeft(node.start + 'function'.length, '*');
		return;
	}
	const head = module.text.slice(node.start, node.body.start);
	const arrow = node.start + head.lastIndexOf('=>');
	const single = node.params.length === 1 && module.text[node.start] !== '(' && !head.includes('(');
	text.appendRight(node.start, fn.usesThis ? '(function*' : 'function*');
	if (single) {
		text.appendRight(node.params[0].start, '(');
		text.appendLeft(node.params[0].end, ')');
	}
	const end = fn.usesThis ? ').bind(this)' : '';
	if (node.body.type === 'BlockStatement') {
		text.remove(arrow, arrow + 2);
		text.appendRight(node.end, end);
		return;
	}
	// The parenthesis keeps the value on the line of the return, and takes in those that the body stands in.
	// What it gave may be a coroutine that its caller would have waited for.
	text.overwrite(arrow, arrow + 2, '{return ($waits($given=(');
	text.appendRight(node.end, `))?yield* $given:$given)}${end}`);
}
