/* Write faults of this machine's kernel, in the manner of will-it-scale page_fault3: a shared file mapping, one store a page. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { PAGES = 32768, ROUNDS = 8 };

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static long faults(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt + usage.ru_majflt;
}

/* Faults a second. They are counted and not assumed: a kernel with large folios maps several pages in one. */
static double rate(int fd)
{
	long page = sysconf(_SC_PAGESIZE), taken = 0;
	double spent = 0;
	for (int round = 0; round < ROUNDS; round++) {
		int flags = fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
		char *p = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, flags, fd, 0);
		if (p == MAP_FAILED) {
			perror("mmap");
			exit(1);
		}
		long before = faults();
		double start = now();
		for (long i = 0; i < PAGES; i++)
			p[i * page] = 1;
		spent += now() - start;
		taken += faults() - before;
		munmap(p, PAGES * page);
	}
	return taken / spent;
}

int main(void)
{
	char name[] = "/tmp/faults-XXXXXX";
	int fd = mkstemp(name);
	if (fd < 0 || ftruncate(fd, PAGES * sysconf(_SC_PAGESIZE)) != 0) {
		perror(name);
		return 1;
	}
	unlink(name);
	rate(fd); /* fills the page cache */
	printf("{\"shared\": %.0f, \"anonymous\": %.0f}\n", rate(fd), rate(-1));
	return 0;
}
