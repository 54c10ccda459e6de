/*
 * Flushes. mprotect to PROT_NONE and back goes over the same entries twice and differs in one thing: taking access away
 * flushes, giving it back does not (the entries were not present). A is the accessed flag, D the dirty flag.
 */
#include "calibrate.h"

static long span;
static struct partner partner;

/* Cycles of taking access away less those of giving it back: the flush of `span` pages. */
static double take_and_give(int touched)
{
	double diff[64];
	char *p = anonymous(MOST);
	for (int i = 0; i < 64; i++) {
		for (long n = 0; touched && n < span; n++)
			p[n * PAGE] = 1;
		uint64_t start = cycles();
		mprotect(p, span * PAGE, PROT_NONE);
		uint64_t taken = cycles();
		mprotect(p, span * PAGE, PROT_READ | PROT_WRITE);
		diff[i] = (double)(taken - start) - (double)(cycles() - taken);
	}
	munmap(p, (long)MOST * PAGE);
	return quantile(diff, 64, 50);
}

static double flush_span(void) { return take_and_give(1); }
/* Nothing is mapped: whatever else distinguishes the two calls. */
static double no_flush(void) { return take_and_give(0); }

/* Giving access back to `span` mapped pages less giving it to none. */
static double protect_entries(void)
{
	double diff[64];
	char *p = anonymous(MOST), *empty = anonymous(MOST);
	for (int i = 0; i < 64; i++) {
		for (long n = 0; n < MOST; n++)
			p[n * PAGE] = 1;
		mprotect(p, MOST * PAGE, PROT_NONE);
		mprotect(empty, MOST * PAGE, PROT_NONE);
		uint64_t start = cycles();
		mprotect(p, MOST * PAGE, PROT_READ | PROT_WRITE);
		uint64_t given = cycles();
		mprotect(empty, MOST * PAGE, PROT_READ | PROT_WRITE);
		diff[i] = ((double)(given - start) - (double)(cycles() - given)) / MOST;
	}
	munmap(p, (long)MOST * PAGE);
	munmap(empty, (long)MOST * PAGE);
	return quantile(diff, 64, 50);
}

/* Drops every translation of this mm: more pages than are flushed one by one lose their access. */
static void flush_all(void)
{
	static char *p;
	if (p == NULL)
		p = anonymous(64);
	for (int i = 0; i < 64; i++)
		p[i * PAGE] = 1;
	mprotect(p, 64 * PAGE, PROT_NONE);
	mprotect(p, 64 * PAGE, PROT_READ | PROT_WRITE);
}

static void forget_accesses(void)
{
	int fd = open("/proc/self/clear_refs", O_WRONLY);
	check(fd >= 0 && write(fd, "1", 1) == 1, "clear_refs");
	close(fd);
}

static char *walked;

/* Each page holds the offset of the next one, in an order that no prefetcher follows, so that no two walks overlap. */
static void chain(void)
{
	for (unsigned i = 0, n = 0; i < MOST; i++) {
		unsigned next = (n * 5 + 1) % MOST;
		*(long *)(walked + n * PAGE + (n & 63) * 64) = next * PAGE + (next & 63) * 64;
		n = next;
	}
}

static double walk(void)
{
	long at = 0;
	uint64_t start = cycles();
	for (unsigned i = 0; i < MOST; i++)
		at = *(volatile long *)(walked + at);
	return (double)(cycles() - start) / MOST;
}

/* The same with a store beside each load. */
static double walk_storing(void)
{
	long at = 0;
	uint64_t start = cycles();
	for (unsigned i = 0; i < MOST; i++) {
		((volatile long *)(walked + at))[1] = i;
		at = *(volatile long *)(walked + at);
	}
	return (double)(cycles() - start) / MOST;
}

static double walk_hit(void)
{
	walk();
	return walk();
}

static double walk_young(void)
{
	walk();
	flush_all();
	return walk();
}

static double walk_old(void)
{
	walk();
	forget_accesses();
	flush_all();
	return walk();
}

static double store_dirty(void)
{
	walk_storing();
	flush_all();
	return walk_storing();
}

/* MADV_FREE leaves the entries writable, old and clean. The loads before the stores set A, so that only D is left to set. */
static double store_clean(void)
{
	chain();
	madvise(walked, MOST * PAGE, MADV_FREE);
	walk();
	flush_all();
	return walk_storing();
}

static double dontneed(void)
{
	char *p = anonymous(1);
	uint64_t took = 0;
	for (int i = 0; i < 64; i++) {
		p[0] = 1;
		uint64_t start = cycles();
		madvise(p, PAGE, MADV_DONTNEED);
		took += cycles() - start;
	}
	munmap(p, PAGE);
	return took / 64.0;
}

int flushes(void);

int flushes(void)
{
	static const long spans[] = { 1, 2, 8, 32, 64, MOST };
	char name[64];
	walked = anonymous(MOST);
	chain();
	partner.beside = walked;
	partner.pages = 1;
	for (int remote = 0; remote < 2; remote++) {
		if (remote)
			start_partner(&partner);
		for (unsigned i = 0; i < sizeof spans / sizeof *spans; i++) {
			span = spans[i];
			snprintf(name, sizeof name, "flush-%s-%ld", remote ? "ipi" : "local", span);
			report(name, flush_span);
		}
		span = 1;
		report(remote ? "flush-ipi-none" : "flush-local-none", no_flush);
		report(remote ? "dontneed-ipi" : "dontneed-local", dontneed);
		if (remote)
			stop_partner(&partner);
	}
	report("protect-entry", protect_entries);
	report("walk-hit", walk_hit);
	report("walk-young", walk_young);
	report("walk-old", walk_old);
	report("store-dirty", store_dirty);
	report("store-clean", store_clean);
	return 0;
}
