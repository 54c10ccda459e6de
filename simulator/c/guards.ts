/** `guard(kind)(lock)` and `scoped_guard(kind, lock) { }`: the lock is given back wherever control leaves the scope. */
import type { Expr, Stmt } from './ast.ts';
import { rewriteStmts } from './rewrite.ts';

/** What takes and what gives back, by the kind of guard. */
const KINDS = new Map<string, readonly [take: string, give: string]>([
	['spinlock', ['spin_lock', 'spin_unlock']],
	['spinlock_irq', ['spin_lock_irq', 'spin_unlock_irq']],
	['spinlock_irqsave', ['spin_lock_irq', 'spin_unlock_irq']],
	['spinlock_bh', ['spin_lock_bh', 'spin_unlock_bh']],
	['raw_spinlock', ['raw_spin_lock', 'raw_spin_unlock']],
	['mutex', ['mutex_lock', 'mutex_unlock']],
	['rwsem_read', ['down_read', 'up_read']],
	['rwsem_write', ['down_write', 'up_write']],
	['read_lock', ['read_lock', 'read_unlock']],
	['write_lock', ['write_lock', 'write_unlock']],
	['mmap_read_lock', ['mmap_read_lock', 'mmap_read_unlock']],
	['mmap_write_lock', ['mmap_write_lock', 'mmap_write_unlock']],
	['rcu', ['rcu_read_lock', 'rcu_read_unlock']],
	['preempt', ['preempt_disable', 'preempt_enable']],
	['irq', ['local_irq_disable', 'local_irq_enable']],
	['cpus_read_lock', ['cpus_read_lock', 'cpus_read_unlock']],
]);

interface Guard {
	readonly take: Stmt;
	readonly give: Stmt;
	/** Another for each guard of a function. */
	readonly depth: number;
}

/** The statements with every guard written out. Code without guards comes back as it is. */
export function expandGuards(stmts: readonly Stmt[]): readonly Stmt[] {
	let count = 0;
	const guardOf = (fn: Expr, args: readonly Expr[], line: number): { readonly guard: Guard; readonly before: Stmt[] } | null => {
		const kind = KINDS.get(fn.k === 'id' ? fn.name : '');
		if (kind === undefined) return null;
		// The lock is looked at once, where it is taken.
		const names = args.map(() => `guarded$${count++}`);
		const before = args.map((init, i): Stmt => ({ k: 'decl', name: names[i] as string, type: '__auto_type', init, line }));
		const call = (name: string): Stmt => ({
			k: 'expr',
			e: { k: 'call', fn: { k: 'id', name, line }, args: names.map((n): Expr => ({ k: 'id', name: n, line })), line },
			line,
		});
		return { guard: { take: call(kind[0]), give: call(kind[1]), depth: count++ }, before };
	};
	const list = (body: readonly Stmt[]): Stmt[] => {
		const at = body.findIndex((s) => s.k === 'expr' && s.e.k === 'call' && isCallOf(s.e.fn, 'guard'));
		const s = body[at];
		if (s?.k !== 'expr' || s.e.k !== 'call' || s.e.fn.k !== 'call') return visit(body);
		const found = guardOf(s.e.fn.args[0] ?? s.e, s.e.args, s.line);
		if (found === null) return [...visit(body.slice(0, at + 1)), ...list(body.slice(at + 1))];
		return [...visit(body.slice(0, at)), ...found.before, ...guarded(list(body.slice(at + 1)), found.guard)];
	};
	const visit = (body: readonly Stmt[]): Stmt[] =>
		rewriteStmts(body, {
			expr: (e) => (e.k === 'stmtexpr' ? { ...e, body: list(e.body) } : undefined),
			stmt(s) {
				if (s.k === 'if') return [{ ...s, then: list(s.then), else: list(s.else) }];
				if (s.k === 'each' && isCallOf(s.call, 'scoped_guard') && s.call.k === 'call') {
					const found = guardOf(s.call.args[0] ?? s.call, s.call.args.slice(1), s.line);
					if (found !== null) return [{ k: 'block', body: [...found.before, ...guarded(list(s.body), found.guard)], line: s.line }];
				}
				return 'body' in s ? [{ ...s, body: list(s.body) }] : undefined;
			},
		});
	return mentionsGuards(stmts) ? list(stmts) : stmts;
}

const isCallOf = (e: Expr, name: string): boolean => e.k === 'call' && e.fn.k === 'id' && e.fn.name === name;

function mentionsGuards(stmts: readonly Stmt[]): boolean {
	let found = false;
	rewriteStmts(stmts, {
		expr(e) {
			if (e.k === 'call' && e.fn.k === 'id' && (e.fn.name === 'guard' || e.fn.name === 'scoped_guard')) found = true;
			return undefined;
		},
		stmt: () => undefined,
	});
	return found;
}

/** A body between taking and giving back; every way out of it gives back first. */
function guarded(body: readonly Stmt[], { take, give, depth }: Guard): Stmt[] {
	const labels = new Set<string>();
	rewriteStmts(body, {
		expr: () => undefined,
		stmt(s) {
			if (s.k === 'label') labels.add(s.name);
			return undefined;
		},
	});
	const leaving = (s: Stmt): Stmt[] => [{ k: 'block', body: [give, s], line: s.line }];
	const outs = (stmts: readonly Stmt[], loop: boolean, inSwitch: boolean): Stmt[] =>
		stmts.flatMap((s): Stmt[] => {
			const { line } = s;
			switch (s.k) {
				case 'return': {
					if (s.value === null) return leaving(s);
					// An outer guard does the same to this return, so the name says whose it is.
					const name = `left$${depth}`;
					const value: Stmt = { k: 'decl', name, type: '__auto_type', init: s.value, line };
					return [{ k: 'block', body: [value, give, { ...s, value: { k: 'id', name, line } }], line }];
				}
				case 'goto':
					return labels.has(s.label) ? [s] : leaving(s);
				case 'break':
					return loop || inSwitch ? [s] : leaving(s);
				case 'continue':
					return loop ? [s] : leaving(s);
				case 'if':
					return [{ ...s, then: outs(s.then, loop, inSwitch), else: outs(s.else, loop, inSwitch) }];
				case 'block':
					return [{ ...s, body: outs(s.body, loop, inSwitch) }];
				case 'switch':
					return [{ ...s, body: outs(s.body, loop, true) }];
				case 'while':
				case 'do':
				case 'for':
				case 'each':
					return [{ ...s, body: outs(s.body, true, false) }];
				default:
					return [s];
			}
		});
	return [take, ...outs(body, false, false), give];
}
