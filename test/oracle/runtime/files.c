/* The files of a scenario, in the working directory or in memory. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "runtime.h"

/* Each page begins with 1000 and its index, as in the simulator. What is written at once may become one folio. */
static void fill(struct file *f)
{
	long pages = 1L << f->order;
	char *bytes = calloc(pages, PAGE);

	for (long i = 0; i < f->pages; i += pages) {
		for (long j = 0; j < pages; j++)
			*(long *)(bytes + j * PAGE) = 1000 + i + j;
		if (pwrite(f->fd, bytes, pages * PAGE, i * PAGE) != (ssize_t)(pages * PAGE))
			fail("%s: %s", f->name, strerror(errno));
	}
	free(bytes);
}

#define READ_AT_ONCE	16L	/* pages: a device may take no more than its read-ahead window at once */

/* Reads the file in without marking its pages as used; they arrive one by one, in folios of one page. */
static void read_in(struct file *f)
{
	unsigned char in[f->pages];
	void *window;
	long missing;

	for (long i = 0; i < f->pages; i += READ_AT_ONCE)
		posix_fadvise(f->fd, i * PAGE, READ_AT_ONCE * PAGE, POSIX_FADV_WILLNEED);
	window = mmap(NULL, f->pages * PAGE, PROT_READ, MAP_SHARED, f->fd, 0);
	do {
		missing = 0;
		if (mincore(window, f->pages * PAGE, in))
			fail("%s: mincore: %s", f->name, strerror(errno));
		for (long i = 0; i < f->pages; i++)
			missing += !(in[i] & 1);
		usleep(100);
	} while (missing);
	munmap(window, f->pages * PAGE);
}

#define KPF_COMPOUND_HEAD	(1UL << 15)

static unsigned long read_word(const char *path, unsigned long index)
{
	unsigned long word = 0;
	int fd = open(path, O_RDONLY);

	if (fd < 0 || pread(fd, &word, sizeof(word), index * sizeof(word)) != sizeof(word))
		fail("%s: %s", path, strerror(errno));
	close(fd);
	return word;
}

/* Whether each folio of the file in the page cache is as large as the scenario says: where their first pages are. */
static void check_order(struct file *f)
{
	char *window = mmap(NULL, f->pages * PAGE, PROT_READ, MAP_SHARED | MAP_POPULATE, f->fd, 0);

	for (long i = 0; i < f->pages; i++) {
		unsigned long frame = read_word("/proc/self/pagemap", (unsigned long)(window + i * PAGE) / PAGE) & ((1UL << 55) - 1);
		int head = (read_word("/proc/kpageflags", frame) & KPF_COMPOUND_HEAD) != 0;

		if (head != (i % (1L << f->order) == 0))
			fail("%s: page %ld does not lie in a folio of order %d", f->name, i, f->order);
	}
	munmap(window, f->pages * PAGE);
}

/* Writing has marked the pages as used, PG_referenced; MADV_COLD takes that from pages that are mapped. */
static void forget_use(struct file *f)
{
	void *window = mmap(NULL, f->pages * PAGE, PROT_READ, MAP_SHARED | MAP_POPULATE, f->fd, 0);

	if (window == MAP_FAILED || madvise(window, f->pages * PAGE, MADV_COLD))
		fail("%s: %s", f->name, strerror(errno));
	munmap(window, f->pages * PAGE);
}

static void create_on_disk(struct file *f)
{
	char path[] = "oracle-XXXXXX";

	f->fd = mkstemp(path);
	if (f->fd < 0)
		fail("%s: %s", f->name, strerror(errno));
	unlink(path);
	fill(f);
	fsync(f->fd);
	if (f->order > 0) {
		check_order(f);
		forget_use(f);
		return;
	}
	posix_fadvise(f->fd, 0, 0, POSIX_FADV_DONTNEED);
	if (f->cached)
		read_in(f);
}

static void create_in_memory(struct file *f)
{
	f->fd = memfd_create(f->name, 0);
	if (f->fd < 0 || ftruncate(f->fd, f->pages * PAGE))
		fail("%s: %s", f->name, strerror(errno));
	if (f->cached) {
		fill(f);
		forget_use(f);
	}
}

void files_create(void)
{
	for (int i = 0; i < program->nr_files; i++) {
		if (program->files[i]->kind == SHMEM)
			create_in_memory(program->files[i]);
		else
			create_on_disk(program->files[i]);
	}
}
