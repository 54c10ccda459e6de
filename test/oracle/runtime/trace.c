/* An instance of tracefs of this run's own, and what its events say about each column. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "runtime.h"

/* VM_FAULT_RETRY and VM_FAULT_ERROR: tries of handle_mm_fault() that no usage counts. */
#define NOT_COUNTED	0xc73

static char directory[128];
static int marker = -1, power = -1;

static int open_in(const char *name, int flags)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return open(path, flags);
}

static int exists(const char *name)
{
	int fd = open_in(name, O_RDONLY);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int write_in(const char *name, const char *text)
{
	int fd = open_in(name, O_WRONLY);
	int ok = fd >= 0 && write(fd, text, strlen(text)) > 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

/* The kernel's own of x86; elsewhere `faultline` is a group of probes that has been made on the functions and instructions. */
static const char *const events[] = { "exceptions/page_fault_user", "exceptions/page_fault_kernel", "tlb/tlb_flush", "raw_syscalls/sys_enter" };
static const char *const probes[] = { "faultline", "raw_syscalls/sys_enter" };

static void enable(const char *const *names, int count)
{
	char file[128];

	for (int i = 0; i < count; i++) {
		snprintf(file, sizeof(file), "events/%s/enable", names[i]);
		if (!write_in(file, "1"))
			snprintf(shared->error, sizeof(shared->error), "the kernel has no event %s", names[i]);
	}
}

/*
 * Returns the directory of the instance; the reason why there is none goes to shared->error. Every task is traced, for the
 * milliseconds of the measured section: set_event_pid would take a tenth of a second. Others are left out when reading.
 */
const char *trace_create(void)
{
	int lock;

	/* Two programs at once would be in each other's way; the lock goes with this process. */
	lock = open("/sys/kernel/tracing/instances", O_RDONLY | O_CLOEXEC);
	if (lock < 0 || flock(lock, LOCK_EX)) {
		snprintf(shared->error, sizeof(shared->error), "tracefs: %s", strerror(errno));
		return directory;
	}
	snprintf(directory, sizeof(directory), "/sys/kernel/tracing/instances/faultline-%d", getpid());
	if (mkdir(directory, 0700)) {
		snprintf(shared->error, sizeof(shared->error), "%.60s: %s", directory, strerror(errno));
		directory[0] = 0;
		return directory;
	}
	write_in("tracing_on", "0");
	if (exists("events/exceptions/page_fault_user"))
		enable(events, 4);
	else
		enable(probes, 2);
	return directory;
}

void trace_remove(void)
{
	if (directory[0])
		rmdir(directory);
}

void trace_open(const char *instance)
{
	snprintf(directory, sizeof(directory), "%s", instance);
	marker = open_in("trace_marker", O_WRONLY);
	power = open_in("tracing_on", O_WRONLY);
	if (marker < 0 || power < 0)
		fail("%s: %s", instance, strerror(errno));
}

void trace_switch(int on)
{
	if (write(power, on ? "1" : "0", 1) != 1)
		fail("tracing_on: %s", strerror(errno));
}

/* From here on the events of the running column belong to this line of the scenario; see trace_print() for 0. */
void trace_mark(int line)
{
	char text[16];
	int length = 0;

	text[length++] = 'L';
	if (line >= 100)
		text[length++] = '0' + line / 100 % 10;
	if (line >= 10)
		text[length++] = '0' + line / 10 % 10;
	text[length++] = '0' + line % 10;
	text[length++] = '\n';
	/* Refused while tracing is off, which is as it should be. */
	if (write(marker, text, length) != length)
		return;
}

void trace_drain(void)
{
	static char bytes[1 << 16];
	int fd = open_in("trace_pipe", O_RDONLY | O_NONBLOCK);

	while (read(fd, bytes, sizeof(bytes)) > 0)
		;
	close(fd);
}

static int column_of(int tid)
{
	for (int c = 0; c < program->nr_columns; c++)
		if (shared->tid[c] == tid)
			return c;
	return -1;
}

/* Equal events in a row are printed as one with a count: [column, line, kind, pages, count]. A kind NULL ends the list. */
static void print_event(int column, int line, const char *kind, long pages)
{
	static struct { int column, line; const char *kind; long pages; } last;
	static int count, printed;

	if (count && column == last.column && line == last.line && kind == last.kind && pages == last.pages) {
		count++;
		return;
	}
	if (count)
		printf("%s[\"%s\",%d,\"%s\",%ld,%d]", printed++ ? "," : "", program->columns[last.column].name, last.line, last.kind, last.pages, count);
	last.column = column;
	last.line = line;
	last.kind = kind;
	last.pages = pages;
	count = kind != NULL;
	if (!kind)
		printed = 0;
}

/* The operand of TLBI RVAE1IS: address in bits 0-36, NUM in 39-43, SCALE in 44-45. Arm Architecture Reference Manual. */
static void print_range(int column, int line, unsigned long operand)
{
	unsigned long address = (operand & ((1UL << 37) - 1)) << 12;
	int num = operand >> 39 & 31, scale = operand >> 44 & 3;

	if (address >= USER && address < USER_END)
		print_event(column, line, "tlbi", (num + 1L) << (5 * scale + 1));
}

/* The number after a name in a line of the trace. */
static unsigned long number(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtoul(at + strlen(name), NULL, 0) : 0;
}

/*
 * Prints the events. Faults on memory of the program itself (a stack that fork has shared, say) are taken out, with the
 * one flush that such a fault may cause: `outside` counts them up to the last mark 0, where the process has read its usage.
 */
void trace_print(long outside[MAX_PROCESSES])
{
	static const char *const reasons[] = { NULL, "remote", "local", "flush", "ipi" };
	int line_of[MAX_COLUMNS] = { 0 }, foreign[MAX_COLUMNS] = { 0 }, pending[MAX_COLUMNS] = { 0 };
	long seen[MAX_PROCESSES] = { 0 };
	char text[512];
	FILE *file = fdopen(open_in("trace_pipe", O_RDONLY | O_NONBLOCK), "r");	/* reading empties it */

	while (file && fgets(text, sizeof(text), file)) {
		char *at = strchr(text, '-');
		unsigned long address;
		int reason, column, process;
		long pages;

		if (strstr(text, "LOST"))
			snprintf(shared->error, sizeof(shared->error), "the trace buffer is too small");
		if (!at || (column = column_of(atoi(at + 1))) < 0)
			continue;
		process = program->columns[column].process;
		if ((at = strstr(text, "tracing_mark_write: L"))) {
			line_of[column] = atoi(at + strlen("tracing_mark_write: L"));
			foreign[column] = 0;
			if (line_of[column] == 0)
				outside[process] = seen[process];
		} else if (strstr(text, ": sys_enter: ")) {
			foreign[column] = 0;
		} else if (strstr(text, ": fault: ") && strstr(text, " regs=0x0")) {
			pending[column] = 0;	/* the kernel asks for the page itself */
		} else if ((at = strstr(text, " address="))) {
			address = number(text, " address=");
			foreign[column] = address < USER || address >= USER_END;
			pending[column] = foreign[column] && strstr(text, ": fault: ");
			if (!foreign[column] && strstr(text, ": page_fault_user: "))
				print_event(column, line_of[column], "fault", 1);
			else if (foreign[column] && !pending[column])
				seen[process]++;
		} else if (strstr(text, ": handled: ")) {
			seen[process] += pending[column] && !(number(text, " result=") & NOT_COUNTED);
			pending[column] = 0;
		} else if ((at = strstr(text, ": tlb_flush: pages:")) && sscanf(at, ": tlb_flush: pages:%ld reason:%*[^(](%d)", &pages, &reason) == 2) {
			int own = reason != 1 && foreign[column];

			/* Not of this mm: a switch between tasks, and another mm's flush that reaches this CPU. */
			if (reason == 0 || reason == 5 || own)
				continue;
			print_event(column, line_of[column], reasons[reason], pages);
		} else if ((at = strstr(text, ": tlbi_"))) {
			address = (number(text, " operand=") & ((1UL << 44) - 1)) << 12;
			if (strstr(at, "tlbi_asid:") && !foreign[column])
				print_event(column, line_of[column], "tlbi", -1);
			else if (strstr(at, "tlbi_page:") && address >= USER && address < USER_END)
				print_event(column, line_of[column], "tlbi", 1);
			else if (strstr(at, "tlbi_range:"))
				print_range(column, line_of[column], number(text, " operand="));
		}
	}
	print_event(-1, 0, NULL, 0);
	if (file)
		fclose(file);
}
