/** Macros of include/linux in our own words, for what the linkage does not define: arithmetic, lists, bits, atomics. */
import type { LinkMacro } from './link.ts';

const macros = new Map<string, LinkMacro>();

/** @param head name and parameters, such as `ALIGN(x, a)`. */
function define(head: string, body: string): void {
	const [, name, params] = /^(\w+)\(([^)]*)\)$/.exec(head) as RegExpExecArray;
	macros.set(name as string, {
		params: (params as string)
			.split(',')
			.map((p) => p.trim())
			.filter((p) => p !== ''),
		body,
	});
}

define('ALIGN(x, a)', '(((x) + ((typeof(x))(a) - 1)) & ~((typeof(x))(a) - 1))');
define('ALIGN_DOWN(x, a)', '((x) & ~((typeof(x))(a) - 1))');
define('round_down(x, y)', '((x) & ~((typeof(x))(y) - 1))');
define('round_up(x, y)', '((((x) - 1) | ((typeof(x))(y) - 1)) + 1)');
define('roundup(x, y)', '((((x) + ((y) - 1)) / (y)) * (y))');
define('rounddown(x, y)', '((x) - ((x) % (y)))');
define('IS_ALIGNED(x, a)', '(((x) & ((typeof(x))(a) - 1)) == 0)');
define('DIV_ROUND_UP(n, d)', '(((n) + (d) - 1) / (d))');
define('BIT(nr)', '(1UL << (nr))');
define('BIT_ULL(nr)', '(1ULL << (nr))');
define('GENMASK(h, l)', '((~0UL << (l)) & (~0UL >> (63 - (h))))');
define('GENMASK_ULL(h, l)', '((~0ULL << (l)) & (~0ULL >> (63 - (h))))');
define('clamp(v, lo, hi)', 'min(max(v, lo), hi)');
define('clamp_t(type, v, lo, hi)', 'min_t(type, max_t(type, v, lo), hi)');
define('clamp_val(v, lo, hi)', 'min_t(typeof(v), max_t(typeof(v), v, lo), hi)');
define('MIN(x, y)', '((x) < (y) ? (x) : (y))');
define('MAX(x, y)', '((x) > (y) ? (x) : (y))');
define('min3(x, y, z)', 'min(min(x, y), z)');
define('max3(x, y, z)', 'max(max(x, y), z)');
define('min_not_zero(x, y)', '({ typeof(x) a = (x); typeof(y) b = (y); a == 0 ? b : b == 0 ? a : min(a, b); })');
define('swap(a, b)', 'do { typeof(a) was = (a); (a) = (b); (b) = was; } while (0)');
define('PTR_ERR_OR_ZERO(p)', '({ typeof(p) at = (p); IS_ERR(at) ? (int)PTR_ERR(at) : 0; })');
define('ACCESS_PRIVATE(p, member)', '((p)->member)');
define('xchg(p, v)', '({ typeof(p) at = (p); typeof(*(p)) was = *at; *at = (v); was; })');
define('cmpxchg(p, o, n)', '({ typeof(p) at = (p); typeof(*(p)) was = *at, then = (n); if (was == (o)) *at = then; was; })');
define('try_cmpxchg(p, o, n)', '({ typeof(p) at = (p); typeof(o) old = (o); int equal = *at == *old; if (equal) *at = (n); else *old = *at; equal; })');
for (const order of ['relaxed', 'acquire', 'release', 'local']) {
	define(`xchg_${order}(p, v)`, 'xchg(p, v)');
	define(`cmpxchg_${order}(p, o, n)`, 'cmpxchg(p, o, n)');
	define(`try_cmpxchg_${order}(p, o, n)`, 'try_cmpxchg(p, o, n)');
}
for (const name of ['cmpxchg64', 'arch_cmpxchg', 'arch_cmpxchg64']) define(`${name}(p, o, n)`, 'cmpxchg(p, o, n)');
for (const name of ['try_cmpxchg64', 'arch_try_cmpxchg']) define(`${name}(p, o, n)`, 'try_cmpxchg(p, o, n)');
define('arch_xchg(p, v)', 'xchg(p, v)');

define('test_bit(nr, p)', '((1UL & (((unsigned long *)(p))[(nr) / 64] >> ((nr) % 64))) != 0)');
define('test_bit_acquire(nr, p)', 'test_bit(nr, p)');
for (const under of ['', '__']) {
	define(`${under}set_bit(nr, p)`, 'do { long bit = (nr); ((unsigned long *)(p))[bit / 64] |= 1UL << (bit % 64); } while (0)');
	define(`${under}clear_bit(nr, p)`, 'do { long bit = (nr); ((unsigned long *)(p))[bit / 64] &= ~(1UL << (bit % 64)); } while (0)');
	define(`${under}change_bit(nr, p)`, 'do { long bit = (nr); ((unsigned long *)(p))[bit / 64] ^= 1UL << (bit % 64); } while (0)');
	define(
		`${under}test_and_set_bit(nr, p)`,
		'({ long bit = (nr); unsigned long *at = (unsigned long *)(p); int was = test_bit(bit, at); set_bit(bit, at); was; })',
	);
	define(
		`${under}test_and_clear_bit(nr, p)`,
		'({ long bit = (nr); unsigned long *at = (unsigned long *)(p); int was = test_bit(bit, at); clear_bit(bit, at); was; })',
	);
	define(
		`${under}test_and_change_bit(nr, p)`,
		'({ long bit = (nr); unsigned long *at = (unsigned long *)(p); int was = test_bit(bit, at); change_bit(bit, at); was; })',
	);
}
define('test_and_set_bit_lock(nr, p)', 'test_and_set_bit(nr, p)');
define('clear_bit_unlock(nr, p)', 'clear_bit(nr, p)');
define('__clear_bit_unlock(nr, p)', 'clear_bit(nr, p)');
define('assign_bit(nr, p, value)', 'do { if (value) set_bit(nr, p); else clear_bit(nr, p); } while (0)');
define('__assign_bit(nr, p, value)', 'assign_bit(nr, p, value)');

// Positions of bits. `fls` and `ffs` count from 1 and are 0 for no bit; those with underscores count from 0.
for (const [name, type] of [
	['hweight_long', 'unsigned long'],
	['hweight32', 'u32'],
	['hweight16', 'u16'],
	['hweight8', 'u8'],
	['__builtin_popcountl', 'unsigned long'],
	['__builtin_popcountll', 'u64'],
	['__builtin_popcount', 'unsigned int'],
	['__sw_hweight64', 'u64'],
	['__sw_hweight32', 'u32'],
])
	define(`${name}(w)`, `hweight64((${type})(w))`);
define('fls(x)', 'fls64((unsigned int)(x))');
define('fls_long(x)', 'fls64((unsigned long)(x))');
define('__fls(x)', '((unsigned long)(fls64((unsigned long)(x)) - 1))');
define('ffs(x)', 'ffs64((unsigned int)(x))');
define('__ffs(x)', '((unsigned long)(ffs64((unsigned long)(x)) - 1))');
define('__ffs64(x)', '__ffs(x)');
define('ffz(x)', '__ffs(~(unsigned long)(x))');
define('__builtin_ffs(x)', 'ffs(x)');
define('__builtin_ffsl(x)', 'ffs64((unsigned long)(x))');
define('__builtin_ffsll(x)', 'ffs64(x)');
define('__builtin_ctz(x)', '((int)__ffs((unsigned int)(x)))');
for (const name of ['__builtin_ctzl', '__builtin_ctzll']) define(`${name}(x)`, '((int)__ffs(x))');
define('__builtin_clz(x)', '(32 - fls(x))');
for (const name of ['__builtin_clzl', '__builtin_clzll']) define(`${name}(x)`, '(64 - fls64(x))');
define('ilog2(n)', '(fls64(n) - 1)');
define('const_ilog2(n)', 'ilog2(n)');
// 0 and 1 are both of order 0: the sign of what is one less takes 0 out.
define('order_base_2(n)', 'fls64(max((long)(n), 1L) - 1)');
define('get_order(size)', '((int)fls64(((unsigned long)(size) - 1) >> 12))');
define('is_power_of_2(n)', '(hweight64((unsigned long)(n)) == 1)');
define('roundup_pow_of_two(n)', '(1UL << fls64((unsigned long)(n) - 1))');
define('rounddown_pow_of_two(n)', '(1UL << (fls64((unsigned long)(n)) - 1))');

// Bitmaps: bits of an array of unsigned long, `n` of them.
define('BITS_TO_LONGS(n)', '(((n) + 63) / 64)');
define('DECLARE_BITMAP(name, n)', 'unsigned long name[BITS_TO_LONGS(n)]');
define('bitmap_zero(p, n)', 'memset(p, 0, BITS_TO_LONGS((unsigned long)(n)) * 8)');
define('bitmap_fill(p, n)', 'memset(p, 0xff, BITS_TO_LONGS((unsigned long)(n)) * 8)');
define('bitmap_copy(to, from, n)', 'memcpy(to, from, BITS_TO_LONGS((unsigned long)(n)) * 8)');
define('bitmap_set(p, from, n)', 'do { unsigned long b = (from), e = b + (n); for (; b < e; b++) set_bit(b, p); } while (0)');
define('bitmap_clear(p, from, n)', 'do { unsigned long b = (from), e = b + (n); for (; b < e; b++) clear_bit(b, p); } while (0)');
define(
	'find_next_bit(p, n, from)',
	'({ const unsigned long *p_ = (p); unsigned long e = (n), b = (from); while (b < e && !test_bit(b, p_)) b++; b < e ? b : e; })',
);
define(
	'find_next_zero_bit(p, n, from)',
	'({ const unsigned long *p_ = (p); unsigned long e = (n), b = (from); while (b < e && test_bit(b, p_)) b++; b < e ? b : e; })',
);
define('find_first_bit(p, n)', 'find_next_bit(p, n, 0)');
define('find_first_zero_bit(p, n)', 'find_next_zero_bit(p, n, 0)');
define(
	'find_last_bit(p, n)',
	'({ const unsigned long *p_ = (p); unsigned long e = (n), b = e; while (b > 0 && !test_bit(b - 1, p_)) b--; b > 0 ? b - 1 : e; })',
);
define(
	'bitmap_weight(p, n)',
	'({ const unsigned long *w_ = (p); unsigned long e = (n), b = 0; unsigned int s = 0; for (; b < e; b++) s += test_bit(b, w_); s; })',
);
define('bitmap_empty(p, n)', '({ unsigned long n_ = (n); find_next_bit(p, n_, 0) == n_; })');
define('bitmap_full(p, n)', '({ unsigned long n_ = (n); find_next_zero_bit(p, n_, 0) == n_; })');
define('for_each_set_bit(bit, p, n)', 'for ((bit) = find_next_bit(p, n, 0); (bit) < (n); (bit) = find_next_bit(p, n, (bit) + 1))');
define('for_each_set_bit_from(bit, p, n)', 'for ((bit) = find_next_bit(p, n, bit); (bit) < (n); (bit) = find_next_bit(p, n, (bit) + 1))');
define('for_each_clear_bit(bit, p, n)', 'for ((bit) = find_next_zero_bit(p, n, 0); (bit) < (n); (bit) = find_next_zero_bit(p, n, (bit) + 1))');

for (const a of ['atomic', 'atomic_long', 'atomic64']) {
	// Of the operations that give something back, `_return` and `fetch_` differ in which side of the change they give.
	for (const [op, sign] of [
		['add', '+'],
		['sub', '-'],
		['and', '&'],
		['or', '|'],
		['xor', '^'],
	]) {
		define(`${a}_${op}(i, v)`, `do { (v)->counter ${sign}= (i); } while (0)`);
		for (const order of ['', '_relaxed', '_acquire', '_release']) {
			define(`${a}_${op}_return${order}(i, v)`, `((v)->counter ${sign}= (i))`);
			define(`${a}_fetch_${op}${order}(i, v)`, `({ typeof(v) at = (v); typeof(at->counter) was = at->counter; at->counter = was ${sign} (i); was; })`);
		}
	}
	define(`${a}_andnot(i, v)`, 'do { (v)->counter &= ~(i); } while (0)');
	define(`${a}_inc(v)`, 'do { (v)->counter++; } while (0)');
	define(`${a}_dec(v)`, 'do { (v)->counter--; } while (0)');
	for (const order of ['', '_relaxed', '_acquire', '_release']) {
		if (order !== '_release') define(`${a}_read${order}(v)`, '((v)->counter)');
		if (order === '' || order === '_release') define(`${a}_set${order}(v, i)`, 'do { (v)->counter = (i); } while (0)');
		define(`${a}_inc_return${order}(v)`, '(++(v)->counter)');
		define(`${a}_dec_return${order}(v)`, '(--(v)->counter)');
		define(`${a}_fetch_inc${order}(v)`, '((v)->counter++)');
		define(`${a}_fetch_dec${order}(v)`, '((v)->counter--)');
		define(`${a}_xchg${order}(v, n)`, '({ typeof(v) at = (v); typeof(at->counter) was = at->counter; at->counter = (n); was; })');
		define(`${a}_cmpxchg${order}(v, o, n)`, 'cmpxchg(&(v)->counter, o, n)');
		define(`${a}_try_cmpxchg${order}(v, o, n)`, 'try_cmpxchg(&(v)->counter, o, n)');
	}
	define(`${a}_inc_and_test(v)`, '(++(v)->counter == 0)');
	define(`${a}_dec_and_test(v)`, '(--(v)->counter == 0)');
	define(`${a}_sub_and_test(i, v)`, '(((v)->counter -= (i)) == 0)');
	define(`${a}_add_negative(i, v)`, '(((v)->counter += (i)) < 0)');
	define(`${a}_add_unless(v, i, u)`, '({ typeof(v) at = (v); int done = at->counter != (u); if (done) at->counter += (i); done; })');
	define(`${a}_fetch_add_unless(v, i, u)`, '({ typeof(v) at = (v); typeof(at->counter) was = at->counter; if (was != (u)) at->counter = was + (i); was; })');
	define(`${a}_inc_not_zero(v)`, `${a}_add_unless(v, 1, 0)`);
	define(`${a}_inc_unless_negative(v)`, '({ typeof(v) at = (v); int done = at->counter >= 0; at->counter += done; done; })');
	define(`${a}_dec_unless_positive(v)`, '({ typeof(v) at = (v); int done = at->counter <= 0; at->counter -= done; done; })');
	define(`${a}_dec_if_positive(v)`, '({ typeof(v) at = (v); typeof(at->counter) left = at->counter - 1; if (left >= 0) at->counter = left; left; })');
}
for (const name of ['ATOMIC_INIT', 'ATOMIC_LONG_INIT', 'ATOMIC64_INIT']) define(`${name}(i)`, '{ (i) }');
for (const suffix of ['', '_irqsave']) {
	const flags = suffix === '' ? '' : ', flags';
	define(
		`atomic_dec_and_lock${suffix}(v, lock${flags})`,
		`({ typeof(v) at = (v); int last = 0; if (at->counter == 1) { spin_lock${suffix}(lock${flags}); last = --at->counter == 0; if (!last) spin_unlock${suffix === '' ? '' : '_irqrestore'}(lock${flags}); } else at->counter--; last; })`,
	);
}
define('list_first_entry(head, type, member)', 'container_of((head)->next, type, member)');
define('list_last_entry(head, type, member)', 'container_of((head)->prev, type, member)');
define('list_next_entry(pos, member)', 'container_of((pos)->member.next, typeof(*(pos)), member)');
define('list_prev_entry(pos, member)', 'container_of((pos)->member.prev, typeof(*(pos)), member)');
define('list_empty(head)', '({ typeof(head) at = (head); at->next == at; })');
define('list_for_each(pos, head)', 'for (pos = (head)->next; pos != (head); pos = pos->next)');
define('list_for_each_safe(pos, n, head)', 'for (pos = (head)->next, n = pos->next; pos != (head); pos = n, n = pos->next)');
define(
	'list_for_each_entry(pos, head, member)',
	'for (pos = list_first_entry(head, typeof(*pos), member); &pos->member != (head); pos = list_next_entry(pos, member))',
);
define(
	'list_for_each_entry_reverse(pos, head, member)',
	'for (pos = list_last_entry(head, typeof(*pos), member); &pos->member != (head); pos = list_prev_entry(pos, member))',
);
define(
	'list_for_each_entry_safe(pos, n, head, member)',
	'for (pos = list_first_entry(head, typeof(*pos), member), n = list_next_entry(pos, member); &pos->member != (head); pos = n, n = list_next_entry(n, member))',
);
define('list_first_entry_or_null(head, type, member)', '({ typeof(head) at = (head); at->next == at ? NULL : list_entry(at->next, type, member); })');
define('list_is_singular(head)', '({ typeof(head) at = (head); at->next != at && at->next == at->prev; })');
define('list_entry_is_head(pos, head, member)', '(&(pos)->member == (head))');
for (const rcu of ['', '_rcu']) {
	if (rcu !== '') define('list_for_each_entry_rcu(pos, head, member, cond...)', 'list_for_each_entry(pos, head, member)');
	define(
		`list_for_each_entry_continue${rcu}(pos, head, member)`,
		'for (pos = list_next_entry(pos, member); &pos->member != (head); pos = list_next_entry(pos, member))',
	);
	define(`list_for_each_entry_from${rcu}(pos, head, member)`, 'for (; &pos->member != (head); pos = list_next_entry(pos, member))');
}
define('list_for_each_entry_srcu(pos, head, member, cond)', 'list_for_each_entry(pos, head, member)');
define(
	'list_for_each_entry_continue_reverse(pos, head, member)',
	'for (pos = list_prev_entry(pos, member); &pos->member != (head); pos = list_prev_entry(pos, member))',
);
define(
	'list_for_each_entry_safe_from(pos, n, head, member)',
	'for (n = list_next_entry(pos, member); &pos->member != (head); pos = n, n = list_next_entry(n, member))',
);
define(
	'list_for_each_entry_safe_continue(pos, n, head, member)',
	'for (pos = list_next_entry(pos, member), n = list_next_entry(pos, member); &pos->member != (head); pos = n, n = list_next_entry(n, member))',
);
define(
	'list_for_each_entry_safe_reverse(pos, n, head, member)',
	'for (pos = list_last_entry(head, typeof(*pos), member), n = list_prev_entry(pos, member); &pos->member != (head); pos = n, n = list_prev_entry(n, member))',
);
define('list_for_each_prev(pos, head)', 'for (pos = (head)->prev; pos != (head); pos = pos->prev)');
define('hlist_empty(head)', '(!(head)->first)');
define('hlist_unhashed(n)', '(!(n)->pprev)');
define('hlist_entry_safe(p, type, member)', '({ typeof(p) at = (p); at ? list_entry(at, type, member) : NULL; })');
define('hlist_for_each(pos, head)', 'for (pos = (head)->first; pos; pos = pos->next)');
define('hlist_for_each_safe(pos, n, head)', 'for (pos = (head)->first; pos && (n = pos->next, 1); pos = n)');
for (const rcu of ['', '_rcu'])
	define(
		`hlist_for_each_entry${rcu}(pos, head, member, cond...)`,
		'for (pos = hlist_entry_safe((head)->first, typeof(*(pos)), member); pos; pos = hlist_entry_safe((pos)->member.next, typeof(*(pos)), member))',
	);
define('hlist_for_each_entry_srcu(pos, head, member, cond)', 'hlist_for_each_entry(pos, head, member)');
define(
	'hlist_for_each_entry_safe(pos, n, head, member)',
	'for (pos = hlist_entry_safe((head)->first, typeof(*pos), member); pos && (n = pos->member.next, 1); pos = hlist_entry_safe(n, typeof(*pos), member))',
);
define('llist_empty(head)', '(!(head)->first)');
define('llist_entry(p, type, member)', 'list_entry(p, type, member)');
define('llist_for_each(pos, node)', 'for (pos = (node); pos; pos = pos->next)');
define('llist_for_each_safe(pos, n, node)', 'for (pos = (node); pos && (n = pos->next, 1); pos = n)');
define(
	'llist_for_each_entry(pos, node, member)',
	'for (pos = hlist_entry_safe(node, typeof(*(pos)), member); pos; pos = hlist_entry_safe((pos)->member.next, typeof(*(pos)), member))',
);
define(
	'llist_for_each_entry_safe(pos, n, node, member)',
	'for (pos = hlist_entry_safe(node, typeof(*(pos)), member); pos && (n = hlist_entry_safe((pos)->member.next, typeof(*(pos)), member), 1); pos = n)',
);

// Every kind of sequence counter begins with the plain one.
define('seqprop_ptr(s)', '((seqcount_t *)(s))');
define('seqprop_const_ptr(s)', '((seqcount_t *)(s))');
define('seqprop_sequence(s)', '(((seqcount_t *)(s))->sequence)');
define('seqprop_preemptible(s)', '0');
define('seqprop_assert(s)', 'do { } while (0)');

// One CPU's copy of a per-CPU variable is the variable.
for (const prefix of ['this_cpu', 'raw_cpu', '__this_cpu']) {
	define(`${prefix}_ptr(p)`, '(p)');
	define(`${prefix}_read(x)`, '(x)');
	define(`${prefix}_write(x, v)`, 'do { (x) = (v); } while (0)');
	define(`${prefix}_inc(x)`, 'do { (x)++; } while (0)');
	define(`${prefix}_dec(x)`, 'do { (x)--; } while (0)');
	for (const [op, sign] of [
		['add', '+'],
		['sub', '-'],
		['and', '&'],
		['or', '|'],
	])
		define(`${prefix}_${op}(x, v)`, `do { (x) ${sign}= (v); } while (0)`);
	define(`${prefix}_add_return(x, v)`, '((x) += (v))');
	define(`${prefix}_sub_return(x, v)`, '((x) -= (v))');
	define(`${prefix}_inc_return(x)`, '(++(x))');
	define(`${prefix}_dec_return(x)`, '(--(x))');
	define(`${prefix}_xchg(x, v)`, 'xchg(&(x), v)');
	define(`${prefix}_cmpxchg(x, o, n)`, 'cmpxchg(&(x), o, n)');
	define(`${prefix}_try_cmpxchg(x, o, n)`, 'try_cmpxchg(&(x), o, n)');
}
define('per_cpu(x, cpu)', '(x)');
define('per_cpu_ptr(p, cpu)', '(p)');
define('get_cpu_var(x)', '(x)');
define('put_cpu_var(x)', 'do { } while (0)');
define('get_cpu_ptr(p)', '(p)');
define('put_cpu_ptr(p)', 'do { } while (0)');
define('LIST_HEAD(name)', 'struct list_head name = { &name, &name }');
define('INIT_LIST_HEAD(head)', 'do { typeof(head) at = (head); at->next = at; at->prev = at; } while (0)');

export const BUILTIN_MACROS: ReadonlyMap<string, LinkMacro> = macros;
