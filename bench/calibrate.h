/* What the measurements of calibrate.c share: a clock in TSC cycles, CPUs, rounds and their median. */
#ifndef CALIBRATE_H
#define CALIBRATE_H
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, ROUNDS = 41, MOST = 512 };

static inline double nanoseconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

/* Cycles of the TSC, ordered against what stands before and after; elsewhere nanoseconds. */
static inline uint64_t cycles(void)
{
#ifdef __x86_64__
	unsigned lo, hi, aux;
	__asm__ volatile("mfence\n\trdtscp\n\tlfence" : "=a"(lo), "=d"(hi), "=c"(aux) : : "memory");
	return (uint64_t)hi << 32 | lo;
#else
	return nanoseconds();
#endif
}

static inline void check(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

static inline void on_cpu(int cpu)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	check(sched_setaffinity(0, sizeof set, &set) == 0, "sched_setaffinity");
}

static inline char *map(long pages, int prot, int flags, int fd)
{
	char *p = mmap(NULL, pages * PAGE, prot, flags, fd, 0);
	check(p != MAP_FAILED, "mmap");
	madvise(p, pages * PAGE, MADV_NOHUGEPAGE);
	return p;
}

static inline char *anonymous(long pages)
{
	return map(pages, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static inline int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static inline double quantile(double *values, int n, int of100)
{
	qsort(values, n, sizeof *values, by_value);
	return values[(n - 1) * of100 / 100];
}

/* Runs `once`, which returns the cycles of one operation, in rounds, and prints their median and their 10th of 100. */
static inline void report(const char *name, double (*once)(void))
{
	double values[ROUNDS];
	once();
	for (int i = 0; i < ROUNDS; i++)
		values[i] = once();
	double low = quantile(values, ROUNDS, 10);
	printf("{\"name\": \"%s\", \"median\": %.1f, \"low\": %.1f}\n", name, quantile(values, ROUNDS, 50), low);
	fflush(stdout);
}

/* A thread of this process on CPU 1: it reads `beside` for as long as it runs, so that its CPU runs this mm. */
struct partner {
	pthread_t thread;
	atomic_int running, stop;
	volatile char *beside;
	long pages;
};

static inline void *spin(void *arg)
{
	struct partner *p = arg;
	p->running = 1;
	while (!p->stop)
		for (long i = 0; i < p->pages; i++)
			(void)p->beside[i * PAGE];
	return NULL;
}

static inline void start_partner(struct partner *p)
{
	p->stop = p->running = 0;
	on_cpu(1);
	check(pthread_create(&p->thread, NULL, spin, p) == 0, "pthread_create");
	on_cpu(0);
	while (!p->running)
		;
}

static inline void stop_partner(struct partner *p)
{
	p->stop = 1;
	pthread_join(p->thread, NULL);
}

#endif
