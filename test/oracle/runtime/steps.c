/* The steps of a scenario. A step that ends otherwise than expected ends the run: the workload is wrong, not the kernel. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "runtime.h"

static __thread sigjmp_buf on_signal;

static void handler(int signal)
{
	siglongjmp(on_signal, signal);
}

__attribute__((constructor)) static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_NODEFER };

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
}

/* Whether a word is among those of "7 or SIGSEGV". */
static int expected(const char *expect, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = expect; (at = strstr(at, word)); at += length)
		if ((at == expect || at[-1] == ' ') && (at[length] == 0 || at[length] == ' '))
			return 1;
	return !strcmp(expect, "any");
}

static const char *error_name(int error)
{
	static const struct { int error; const char *name; } names[] = {
		{ EACCES, "EACCES" }, { EAGAIN, "EAGAIN" }, { EBUSY, "EBUSY" }, { EEXIST, "EEXIST" },
		{ EFAULT, "EFAULT" }, { EINVAL, "EINVAL" }, { ENOMEM, "ENOMEM" }, { EPERM, "EPERM" },
	};

	for (unsigned int i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].error == error)
			return names[i].name;
	return strerror(error);
}

static void check(int failed, const char *expect, const char *what, const char *name)
{
	const char *error = failed ? error_name(errno) : "";

	if (failed || (expect[0] && strcmp(expect, "any")))
		if (!expected(expect, error))
			fail("%s %s: %s", what, name, failed ? error : "no error");
}

static void *address(const struct map *m, long page)
{
	return (void *)(m->start + page * PAGE);
}

void do_mmap(struct map *m, long pages, int prot, int flags, struct file *f, long offset, int huge, const char *expect)
{
	check(mmap(address(m, 0), pages * PAGE, prot, flags | (f ? 0 : MAP_ANONYMOUS), f ? f->fd : -1, offset * PAGE) == MAP_FAILED, expect, "map", m->name);
	if (huge)
		check(madvise(address(m, 0), pages * PAGE, MADV_HUGEPAGE), "", "hugepage", m->name);
}

static void count_up(volatile long *at)
{
#ifdef __x86_64__
	asm volatile("lock incq %0" : "+m"(*at));	/* faults as a write, never first as a read */
#else
	*at = 1;
#endif
}

static void access_failed(const char *what, const struct map *m, long page, const char *outcome)
{
	fail("%s %s[%ld]: %s", what, m->name, page, outcome);
}

static const char *signal_name(int signal)
{
	return signal == SIGSEGV ? "SIGSEGV" : "SIGBUS";
}

void do_load(struct map *m, long first, long pages, long stride, const char *expect)
{
	char outcome[24];

	for (volatile long page = first; page < first + pages; page += stride) {
		int signal = sigsetjmp(on_signal, 0);

		if (signal == 0)
			sprintf(outcome, "%ld", *(volatile long *)address(m, page));
		else
			strcpy(outcome, signal_name(signal));
		if ((signal || expect[0]) && !expected(expect, outcome))
			access_failed("load", m, page, outcome);
	}
}

void do_store(struct map *m, long first, long pages, long stride, long value, const char *expect)
{
	for (volatile long page = first; page < first + pages; page += stride) {
		volatile long *at = address(m, page);
		int signal = sigsetjmp(on_signal, 0);
		const char *outcome = signal ? signal_name(signal) : "";

		if (signal == 0 && value == COUNT_UP)
			count_up(at);
		else if (signal == 0)
			*at = value;
		if ((signal || expect[0]) && !expected(expect, outcome))
			access_failed("store", m, page, signal ? outcome : "no signal");
	}
}

void do_munmap(struct map *m, long first, long pages, const char *expect)
{
	check(munmap(address(m, first), pages * PAGE), expect, "munmap", m->name);
}

void do_mprotect(struct map *m, long first, long pages, int prot, const char *expect)
{
	check(mprotect(address(m, first), pages * PAGE, prot), expect, "mprotect", m->name);
}

void do_madvise(struct map *m, long first, long pages, int advice, const char *expect)
{
	check(madvise(address(m, first), pages * PAGE, advice), expect, "madvise", m->name);
}

void do_mlock(struct map *m, long first, long pages, const char *expect)
{
	check(mlock(address(m, first), pages * PAGE), expect, "mlock", m->name);
}

void do_munlock(struct map *m, long first, long pages, const char *expect)
{
	check(munlock(address(m, first), pages * PAGE), expect, "munlock", m->name);
}

void do_mremap(struct map *m, long first, long pages, long new_pages, struct map *to, const char *expect)
{
	int flags = to ? MREMAP_MAYMOVE | MREMAP_FIXED : 0;
	void *at = mremap(address(m, first), pages * PAGE, new_pages * PAGE, flags, to ? address(to, 0) : NULL);

	check(at == MAP_FAILED, expect, "mremap", m->name);
}

static long buffer[PAGE / sizeof(long)] __attribute__((aligned(PAGE)));

void do_read(struct file *f, long first, long pages, long stride, const char *expect)
{
	char outcome[24];

	for (long page = first; page < first + pages; page += stride) {
		if (pread(f->fd, buffer, PAGE, page * PAGE) != PAGE)
			fail("read %s[%ld]: %s", f->name, page, strerror(errno));
		sprintf(outcome, "%ld", buffer[0]);
		if (expect[0] && !expected(expect, outcome))
			fail("read %s[%ld]: %s", f->name, page, outcome);
	}
}

void do_write(struct file *f, long first, long pages, long stride, long value)
{
	buffer[0] = value == COUNT_UP ? 1 : value;
	for (long page = first; page < first + pages; page += stride)
		if (pwrite(f->fd, buffer, PAGE, page * PAGE) != PAGE)
			fail("write %s[%ld]: %s", f->name, page, strerror(errno));
}

void do_punch(struct file *f, long first, long pages, const char *expect)
{
	check(fallocate(f->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, first * PAGE, pages * PAGE), expect, "punch", f->name);
}

void do_truncate(struct file *f, long pages, const char *expect)
{
	check(ftruncate(f->fd, pages * PAGE), expect, "truncate", f->name);
}

void do_fsync(struct file *f, const char *expect)
{
	check(fsync(f->fd), expect, "fsync", f->name);
}

void do_clear_refs(void)
{
	int fd = open("/proc/self/clear_refs", O_WRONLY);

	if (fd < 0 || write(fd, "1", 1) != 1)
		fail("clear_refs: %s", strerror(errno));
	close(fd);
}
