/**
 * Functions with free gotos: every statement that control can enter from elsewhere is taken apart into cases of
 * `for (;;) switch (pc)`; everything else stays structured JavaScript within a case.
 */
import type { Stmt } from './ast.ts';
import type { Emit } from './emit.ts';
import { emitCond, emitExpr } from './expressions.ts';
import { isEntered } from './flow.ts';
import { caseTests, closeEdge, emitStmt, openEdge } from './statements.ts';

type Case = Extract<Stmt, { k: 'case' }>;

/** @param inner labels that are no places of the machine: see `Flow`. */
export function emitMachine(cx: Emit, body: readonly Stmt[], inner: ReadonlySet<string>): void {
	const machine = new Machine(cx);
	cx.hoisted.push('pc=0');
	for (const name of cx.usedLabels) if (!inner.has(name)) machine.label(name);
	cx.put('M:for(;;)switch(pc){case 0:');
	cx.scoped(() => machine.list(body));
	// Running off the last case leaves the machine; a label that has no place must not keep it turning.
	cx.put("break M;default:rt.notModelled('the label of a goto');}");
}

class Machine {
	#next = 1;
	/** Cases of the switches that are being taken apart, with their number. */
	#cases = new Map<Case, number>();
	#labels = new Map<string, number>();

	constructor(readonly cx: Emit) {}

	#jump(pc: number): string {
		return `{pc=${pc};continue M;}`;
	}

	#place(pc: number): void {
		this.cx.put(`case ${pc}:`);
		this.cx.forgetLine();
	}

	label(name: string): void {
		const pc = this.#next++;
		this.#labels.set(name, pc);
		this.cx.labels.set(name, { jump: this.#jump(pc), counter: openEdge(this.cx), placed: false });
	}

	list(stmts: readonly Stmt[]): void {
		for (const s of stmts) {
			if (isEntered(s, this.cx.usedLabels)) this.#apart(s);
			else if (s.k === 'label') this.cx.forgetLine();
			else {
				const text = this.cx.capture(() => emitStmt(this.cx, s));
				this.cx.checked.clear();
				this.cx.put(text === '' ? '' : `{${text}}`);
			}
		}
	}

	#apart(s: Stmt): void {
		const { cx } = this;
		cx.statements++;
		switch (s.k) {
			case 'label': {
				const label = cx.labels.get(s.name);
				const pc = this.#labels.get(s.name);
				if (label === undefined || pc === undefined || label.placed) return;
				label.placed = true;
				this.#place(pc);
				return;
			}
			case 'case': {
				const pc = this.#cases.get(s);
				if (pc === undefined) cx.trap('a case outside of its switch');
				else this.#place(pc);
				return;
			}
			case 'block':
				cx.scoped(() => this.list(s.body));
				return;
			case 'if':
				return this.#if(s);
			case 'switch':
				return this.#switch(s);
			case 'while':
			case 'do':
			case 'for':
				return this.#loop(s);
			default:
		}
	}

	/** Jumps away unless the condition holds. */
	#unless(s: Extract<Stmt, { k: 'if' | 'while' | 'do' | 'for' }>, target: number): void {
		const { cx } = this;
		const { cond } = s;
		if (cond === null) return;
		const text = cx.capture(() => {
			cx.at(s.line);
			cx.put(`if(!${emitCond(cx, cond)})${this.#jump(target)}`);
		});
		cx.checked.clear();
		cx.put(`{${text}}`);
	}

	#if(s: Extract<Stmt, { k: 'if' }>): void {
		const otherwise = this.#next++;
		const end = this.#next++;
		this.#unless(s, otherwise);
		this.cx.scoped(() => this.list(s.then));
		this.cx.put(this.#jump(end));
		this.#place(otherwise);
		this.cx.scoped(() => this.list(s.else));
		this.#place(end);
	}

	#loop(s: Extract<Stmt, { k: 'while' | 'do' | 'for' }>): void {
		const { cx } = this;
		const [top, next, end] = [this.#next++, this.#next++, this.#next++];
		cx.scoped(() => {
			if (s.k === 'for') this.list(s.init);
			const edge = openEdge(cx);
			this.#place(top);
			if (s.k !== 'do') this.#unless(s, end);
			const before = cx.statements;
			cx.targets.push({ breakTo: this.#jump(end), continueTo: this.#jump(next) });
			cx.scoped(() => this.list(s.body));
			cx.targets.pop();
			this.#place(next);
			if (s.k === 'do') this.#unless(s, end);
			const { line } = s;
			const text = cx.capture(() => {
				if (s.k === 'for' && s.step !== null) {
					cx.at(line);
					emitExpr(cx, s.step);
				}
				closeEdge(cx, edge, cx.statements - before + 1, line);
			});
			cx.put(`{${text}}${this.#jump(top)}`);
			this.#place(end);
		});
	}

	#switch(s: Extract<Stmt, { k: 'switch' }>): void {
		const { cx } = this;
		const end = this.#next++;
		const cases = casesOf(s.body);
		for (const c of cases) this.#cases.set(c, this.#next++);
		const text = cx.capture(() => {
			cx.at(s.line);
			const tests = caseTests(cx, s.on, cases, (code) => cx.temp(code));
			const fallback = cases.find((c) => c.value === null);
			let chosen = String(fallback === undefined ? end : this.#cases.get(fallback));
			for (let i = cases.length - 1; i >= 0; i--) if (tests[i] !== null) chosen = `${tests[i]}?${this.#cases.get(cases[i] as Case)}:${chosen}`;
			cx.put(`pc=${chosen};continue M;`);
		});
		cx.put(`{${text}}`);
		cx.targets.push({ breakTo: this.#jump(end), continueTo: null });
		cx.scoped(() => this.list(s.body));
		cx.targets.pop();
		this.#place(end);
	}
}

/** The cases that belong to a switch, those in its inner blocks too. */
function casesOf(stmts: readonly Stmt[]): Case[] {
	return stmts.flatMap((s): Case[] => {
		if (s.k === 'case') return [s];
		if (s.k === 'if') return [...casesOf(s.then), ...casesOf(s.else)];
		return 'body' in s && s.k !== 'switch' ? casesOf(s.body) : [];
	});
}
