/*
 * The life of a run. A launcher makes the trace instance and starts the program anew on the CPU of its first column, so
 * that no other CPU has ever run its mm. The columns run as threads or forked children, each alone on its CPU; they meet
 * at rows by spinning, because whoever sleeps lets another task onto the CPU. What the program itself needs is locked in
 * memory before the measured section.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>
#include "runtime.h"

#define SECONDS		10
#define MOST_DISTURBED	60
#define SHARED_FD	100

const struct program *program;
struct shared *shared;

static __thread int me;		/* index of the running column */
static struct rusage before;
static pid_t child_pid[MAX_COLUMNS];
static pid_t worker_pid;

void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (shared && !shared->error[0])
		vsnprintf(shared->error, sizeof(shared->error), format, args);
	va_end(args);
	_exit(1);
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		fail("there is no CPU %d", cpu);
}

/* A child that has left is gone when its address space is: only its parent can tell. */
static void reap(void)
{
	for (int c = 0; c < program->nr_columns; c++)
		if (shared->at[c] == LEAVING && child_pid[c] > 0 && waitpid(child_pid[c], NULL, WNOHANG) == child_pid[c])
			shared->at[c] = GONE;
}

static void prefault_stack(int pages)
{
	char bytes[pages * PAGE];

	for (int i = 0; i < pages; i++)
		*(volatile char *)(bytes + i * PAGE) = 0;
}

static void relax(void)
{
#if defined(__x86_64__)
	asm volatile("pause");
#elif defined(__aarch64__)
	asm volatile("yield");
#endif
}

void row(int number)
{
	shared->at[me] = number;
	for (int c = 0; c < program->nr_columns; c++) {
		while (shared->at[c] < number || shared->at[c] == LEAVING) {
			reap();
			relax();
		}
	}
}

void at(int line)
{
	trace_mark(line);
}

/* Whether this column speaks for its process: the first that runs in it. */
static int leads(void)
{
	for (int c = 0; c < me; c++)
		if (program->columns[c].process == program->columns[me].process)
			return 0;
	return 1;
}

static struct result *mine(void)
{
	return &shared->results[program->columns[me].process];
}

/* Rows are numbered by two, so that what follows a row has a number of its own. */
void measure(int number)
{
	row(number);
	if (me == 0)
		trace_switch(1);
	row(number + 1);
	if (leads())
		getrusage(RUSAGE_SELF, &before);
}

static void account(void)
{
	struct rusage now;
	struct result *r = mine();

	getrusage(RUSAGE_SELF, &now);
	r->minor = now.ru_minflt - before.ru_minflt;
	r->major = now.ru_majflt - before.ru_majflt;
	r->preempted = now.ru_nivcsw - before.ru_nivcsw;
	trace_mark(0);
}

void end(int number)
{
	row(number);
	if (leads()) {
		account();	/* twice: the first time a child faults in what it needs for that */
		account();
	}
	row(number + 1);
	trace_switch(0);
}

void do_exit(void)
{
	account();
	account();
	shared->at[me] = LEAVING;
	_exit(0);
}

/* Ends a column: its process looks at its mappings when all have come to their end. */
static void finish(void)
{
	row(LEAVING - 3);
	if (leads()) {
		smaps_read(mine());
		mine()->mapped = 1;
	}
	row(LEAVING - 2);
}

/*
 * The child is to begin on its own idle CPU: whatever CPU has run it stays in its mm_cpumask. As a real-time task it does:
 * select_task_rq_rt() looks for a CPU that runs nothing as important.
 */
void do_fork(int process)
{
	cpu_set_t set;
	int cpu, c;
	pid_t pid;

	for (c = 0; program->columns[c].process != process; c++)
		;
	cpu = program->columns[me].cpu;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	CPU_SET(program->columns[c].cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (pid < 0)
		fail("fork: %s", strerror(errno));
	if (pid > 0) {
		child_pid[c] = pid;
		pin(cpu);
		return;
	}
	me = c;
	prefault_stack(4);	/* a signal is written there with faults forbidden at first: one event more than faults that count */
	if (sched_getcpu() != program->columns[c].cpu)
		shared->misplaced = 1;
	pin(program->columns[c].cpu);
	shared->tid[c] = syscall(SYS_gettid);
	memset(&before, 0, sizeof(before));
	memset(child_pid, 0, sizeof(child_pid));
	program->columns[c].run();
	finish();
	_exit(0);
}

/* No thread of the kernel takes the CPU of this one from now on; children inherit that. */
static void keep_cpu(void)
{
	struct sched_param param = { .sched_priority = 1 };

	sched_setscheduler(0, SCHED_FIFO, &param);
}

/*
 * Empties this CPU's list of pages on their way to the LRU, as madvise(MADV_COLD) does: what is on it is held by a reference
 * more, and who waits for all CPUs' lists to be emptied would need this CPU.
 */
static void drain(void)
{
	volatile char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*page = 0;
	madvise((void *)page, PAGE, MADV_COLD);
	munmap((void *)page, PAGE);
}

static void *column_thread(void *column)
{
	me = (long)column;
	pin(program->columns[me].cpu);
	prefault_stack(32);
	drain();
	keep_cpu();
	shared->tid[me] = syscall(SYS_gettid);
	row(-1);
	program->columns[me].run();
	finish();
	return NULL;
}

/* The first process. */
static int worker(const char *instance)
{
	pthread_t threads[MAX_COLUMNS];
	pthread_attr_t attr;

	prctl(PR_SET_NAME, "oracle");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	trace_open(instance);
	files_create();
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 * PAGE);
	shared->tid[0] = getpid();
	for (int c = 0; c < program->nr_columns; c++)
		shared->at[c] = program->columns[c].process == 0 ? -2 : program->columns[c].born;
	for (int c = 1; c < program->nr_columns; c++)
		if (program->columns[c].process == 0 && pthread_create(&threads[c], &attr, column_thread, (void *)(long)c))
			fail("a thread cannot be made");
	prefault_stack(32);
	if (mlockall(MCL_CURRENT))
		fail("mlockall: %s", strerror(errno));
	for (int c = 0; c < program->nr_columns; c++)
		while (program->columns[c].process == 0 && !shared->tid[c])
			;
	keep_cpu();
	drain();
	if (mmap((void *)(USER - HPAGE), PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED)
		fail("the anchor cannot be mapped");
	*(volatile long *)(USER - HPAGE) = 1;
	if (program->prepare)
		program->prepare();
	row(-1);
	program->columns[0].run();
	finish();
	for (int c = 1; c < program->nr_columns; c++)
		if (program->columns[c].process == 0)
			pthread_join(threads[c], NULL);
		else
			wait(NULL);
	return 0;
}

static void stop(int signal)
{
	(void)signal;
	if (worker_pid > 0)
		kill(-worker_pid, SIGKILL);
	snprintf(shared->error, sizeof(shared->error), "the run did not end within %d s", SECONDS);
}

/*
 * Whether the figures may be others than those of the program alone: a child began elsewhere than on its own CPU, or a thread
 * was not there when another thread's flush wanted to interrupt it.
 */
static int disturbed(void)
{
	int columns[MAX_PROCESSES] = { 0 }, away = 0;

	for (int c = 0; c < program->nr_columns; c++)
		columns[program->columns[c].process]++;
	for (int p = 0; p < program->nr_processes; p++)
		away |= columns[p] > 1 && shared->results[p].preempted;
	return shared->misplaced || away;
}

/* Prints the run unless it was disturbed. */
static int print_result(void)
{
	long outside[MAX_PROCESSES] = { 0 };

	if (disturbed()) {
		trace_drain();
		return 0;
	}
	printf("{\"workload\":\"%s\",\"events\":[", program->name);
	trace_print(outside);
	printf("],\"processes\":[");
	for (int p = 0; p < program->nr_processes; p++) {
		struct result *r = &shared->results[p];

		printf("%s{\"name\":\"%s\",\"minor\":%ld,\"major\":%ld,\"outside\":%ld,\"maps\":{",
		       p ? "," : "", program->processes[p], r->minor - outside[p], r->major, outside[p]);
		for (int m = 0; r->mapped && m < program->nr_maps; m++) {
			printf("%s\"%s\":{", m ? "," : "", program->maps[m]->name);
			for (int f = 0; f < FIGURES; f++)
				printf("%s\"%s\":%ld", f ? "," : "", figure_names[f], r->figures[m][f]);
			printf("}");
		}
		printf("}}");
	}
	printf("]}\n");
	return 1;
}

/* One run. Returns whether it was undisturbed, or -1 after an error. */
static int run_once(char **argv, const char *instance)
{
	int status;

	memset(shared, 0, sizeof(*shared));
	fflush(NULL);
	worker_pid = fork();
	if (worker_pid == 0) {
		setpgid(0, 0);
		pin(program->columns[0].cpu);
		personality(ADDR_NO_RANDOMIZE);
		execl("/proc/self/exe", argv[0], argv[1], "1", instance, NULL);
		_exit(1);
	}
	alarm(SECONDS);
	while (waitpid(worker_pid, &status, 0) < 0 && errno == EINTR)
		;
	/* A first process that exits within the scenario lets its children go on. */
	shared->at[0] = GONE;
	while (!shared->error[0] && kill(-worker_pid, 0) == 0)
		usleep(100);
	alarm(0);
	if (!shared->error[0] && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
		snprintf(shared->error, sizeof(shared->error), "the program ended with status %#x", status);
	return shared->error[0] ? -1 : print_result();
}

static int launcher(char **argv, int runs)
{
	int fd = memfd_create("shared", 0);
	const char *instance;

	if (fd < 0 || ftruncate(fd, sizeof(*shared)) || dup2(fd, SHARED_FD) < 0)
		return 1;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, SHARED_FD, 0);
	signal(SIGALRM, stop);
	signal(SIGINT, stop);
	signal(SIGTERM, stop);
	instance = trace_create();
	for (int tries = 0, good = 0; good < runs && !shared->error[0]; tries++) {
		if (tries >= runs + MOST_DISTURBED)
			snprintf(shared->error, sizeof(shared->error), "only %d of %d runs were undisturbed: the machine is busy", good, tries);
		else if (run_once(argv, instance) > 0)
			good++;
	}
	if (shared->error[0])
		fprintf(stderr, "%s: %s\n", program->name, shared->error);
	trace_remove();
	return shared->error[0] ? 1 : 0;
}

static void choose(const char *name)
{
	for (int i = 0; programs[i]; i++)
		if (!strcmp(programs[i]->name, name))
			program = programs[i];
}

/* What a program cannot know of a machine from outside. */
static int print_machine(void)
{
	struct utsname name;
	char thp[128] = "";
	FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "r");

	uname(&name);
	if (file && fgets(thp, sizeof(thp), file))
		thp[strcspn(thp, "\n")] = 0;
	if (file)
		fclose(file);
	printf("{\"release\":\"%s\",\"cpus\":%ld,\"thp\":\"%s\"}\n", name.release, sysconf(_SC_NPROCESSORS_ONLN), thp);
	return 0;
}

/* Says when nobody else measures, and keeps it so until its standard input ends. */
static int lock(void)
{
	int fd = open("/sys/kernel/tracing", O_RDONLY);
	char byte;

	if (fd < 0 || flock(fd, LOCK_EX))
		return 1;
	puts("locked");
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	return 0;
}

/*
 * `oracle PROGRAM [RUNS]` runs a program until as many runs as that were undisturbed, and prints what each saw as a line of
 * JSON. `oracle swap-on` and `oracle swap-off` make and remove the swap device; `oracle lock` is for who runs many; `oracle
 * machine` describes the kernel.
 */
int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "swap-on"))
		return swap_on();
	if (argc == 2 && !strcmp(argv[1], "swap-off"))
		return swap_off();
	if (argc == 2 && !strcmp(argv[1], "machine"))
		return print_machine();
	if (argc == 2 && !strcmp(argv[1], "lock"))
		return lock();
	if (argc >= 2)
		choose(argv[1]);
	if (!program) {
		fprintf(stderr, "usage: %s PROGRAM [RUNS] | swap-on | swap-off | lock | machine\n", argv[0]);
		for (int i = 0; programs[i]; i++)
			fprintf(stderr, "%s\n", programs[i]->name);
		return 2;
	}
	if (argc < 4)
		return launcher(argv, argc == 3 ? atoi(argv[2]) : 1);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, SHARED_FD, 0);
	return worker(argv[3]);
}
