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
define('min3(x, y, z)', 'min(min(x, y), z)');
define('max3(x, y, z)', 'max(max(x, y), z)');
define('min_not_zero(x, y)', '({ typeof(x) a = (x); typeof(y) b = (y); a == 0 ? b : b == 0 ? a : min(a, b); })');
define('swap(a, b)', 'do { typeof(a) was = (a); (a) = (b); (b) = was; } while (0)');
define('PTR_ERR_OR_ZERO(p)', '({ typeof(p) at = (p); IS_ERR(at) ? (int)PTR_ERR(at) : 0; })');
define('xchg(p, v)', '({ typeof(p) at = (p); typeof(*(p)) was = *at; *at = (v); was; })');
define('cmpxchg(p, o, n)', '({ typeof(p) at = (p); typeof(*(p)) was = *at; if (was == (o)) *at = (n); was; })');
define('try_cmpxchg(p, o, n)', '({ typeof(p) at = (p); typeof(o) old = (o); int equal = *at == *old; if (equal) *at = (n); else *old = *at; equal; })');
define('test_bit(nr, p)', '((1UL & (((unsigned long *)(p))[(nr) / 64] >> ((nr) % 64))) != 0)');
for (const under of ['', '__']) {
	define(`${under}set_bit(nr, p)`, 'do { ((unsigned long *)(p))[(nr) / 64] |= 1UL << ((nr) % 64); } while (0)');
	define(`${under}clear_bit(nr, p)`, 'do { ((unsigned long *)(p))[(nr) / 64] &= ~(1UL << ((nr) % 64)); } while (0)');
	define(`${under}test_and_set_bit(nr, p)`, '({ int was = test_bit(nr, p); set_bit(nr, p); was; })');
	define(`${under}test_and_clear_bit(nr, p)`, '({ int was = test_bit(nr, p); clear_bit(nr, p); was; })');
}
for (const a of ['atomic', 'atomic_long', 'atomic64']) {
	define(`${a}_read(v)`, '((v)->counter)');
	define(`${a}_set(v, i)`, 'do { (v)->counter = (i); } while (0)');
	define(`${a}_inc(v)`, 'do { (v)->counter++; } while (0)');
	define(`${a}_dec(v)`, 'do { (v)->counter--; } while (0)');
	define(`${a}_add(i, v)`, 'do { (v)->counter += (i); } while (0)');
	define(`${a}_sub(i, v)`, 'do { (v)->counter -= (i); } while (0)');
	define(`${a}_inc_return(v)`, '(++(v)->counter)');
	define(`${a}_dec_return(v)`, '(--(v)->counter)');
	define(`${a}_add_return(i, v)`, '((v)->counter += (i))');
	define(`${a}_sub_return(i, v)`, '((v)->counter -= (i))');
	define(`${a}_inc_and_test(v)`, '(++(v)->counter == 0)');
	define(`${a}_dec_and_test(v)`, '(--(v)->counter == 0)');
	define(`${a}_inc_not_zero(v)`, '({ typeof(v) at = (v); int was = at->counter != 0; at->counter += was; was; })');
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
define('LIST_HEAD(name)', 'struct list_head name = { &name, &name }');
define('INIT_LIST_HEAD(head)', 'do { typeof(head) at = (head); at->next = at; at->prev = at; } while (0)');

export const BUILTIN_MACROS: ReadonlyMap<string, LinkMacro> = macros;
