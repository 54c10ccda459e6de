/*
 * What a generated program is made of. A program is a table of columns, as its scenario has them, and one function for
 * each; the functions call the steps declared here. See oracle.c for how a run is measured.
 */
#ifndef ORACLE_H
#define ORACLE_H

#include <stddef.h>
#include <sys/mman.h>

#define PAGE		4096UL
#define COUNT_UP	(-1L)	/* a store adds one to what is there */

enum { DISK, SHMEM };
enum { COLD, CACHED };

struct file {
	const char *name;
	long pages;
	int kind;
	int cached;		/* its pages are in the page cache at the start */
	int order;		/* of its folios there */
	int fd;
};

/* A named mapping and where it begins. */
struct map {
	const char *name;
	unsigned long start;
};

struct column {
	const char *name;
	int cpu;
	int process;		/* index into program.processes */
	int born;		/* number of the row that forks its process, 0 for the first process */
	void (*run)(void);
};

struct program {
	const char *name;
	const char *const *processes;
	int nr_processes;
	const struct column *columns;
	int nr_columns;
	struct file *const *files;
	int nr_files;
	struct map *const *maps;
	int nr_maps;
	void (*prepare)(void);	/* maps what exists, untouched, before the program starts */
};

/* Every program of the binary; NULL comes last. */
extern const struct program *const programs[];

/* Rows: a column waits in row() until every living column has done all rows before this one. */
void row(int number);
void measure(int number);
void end(int number);
void at(int line);

/*
 * Steps. A range is `pages` pages from page `first` of the mapping; an access touches every `stride`th of them. `expect`
 * says what may come of the step, as in the scenario: "" for anything but a signal or an error.
 */
void do_mmap(struct map *m, long pages, int prot, int flags, struct file *f, long offset, int huge, const char *expect);
void do_load(struct map *m, long first, long pages, long stride, const char *expect);
void do_store(struct map *m, long first, long pages, long stride, long value, const char *expect);
void do_munmap(struct map *m, long first, long pages, const char *expect);
void do_mprotect(struct map *m, long first, long pages, int prot, const char *expect);
void do_madvise(struct map *m, long first, long pages, int advice, const char *expect);
void do_mlock(struct map *m, long first, long pages, const char *expect);
void do_munlock(struct map *m, long first, long pages, const char *expect);
void do_mremap(struct map *m, long first, long pages, long new_pages, struct map *to, const char *expect);
void do_fork(int process);
void do_exit(void);
void do_read(struct file *f, long first, long pages, long stride, const char *expect);
void do_write(struct file *f, long first, long pages, long stride, long value);
void do_punch(struct file *f, long first, long pages, const char *expect);
void do_truncate(struct file *f, long pages, const char *expect);
void do_fsync(struct file *f, const char *expect);
void do_clear_refs(void);

#endif
