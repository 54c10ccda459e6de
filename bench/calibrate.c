/*
 * What the memory management of this machine's kernel costs: one line of JSON a figure, cycles of the TSC. Nothing here is a
 * constant of the model; bench/calibrate.ts subtracts what belongs apart and says how.
 */
#include "calibrate.h"

static int cached; /* a memory file, in the page cache */
static int sparse; /* the same with every 16th page only */
static char *arena;

/* --- faults: a fresh mapping, one access a page --- */

static double touch(char *p, long pages, long step, int write)
{
	uint64_t start = cycles();
	for (long i = 0; i < pages; i += step) {
		if (write)
			p[i * PAGE] = 1;
		else
			(void)*(volatile char *)(p + i * PAGE);
	}
	return (double)(cycles() - start) / (pages / step);
}

static double fresh(int fd, long pages, long step, int write)
{
	char *p = fd < 0 ? anonymous(pages) : map(pages, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	/* The page tables are not what is measured. */
	for (long i = 0; fd < 0 && i < pages; i += 512)
		(void)*(volatile char *)(p + i * PAGE);
	if (fd < 0)
		madvise(p, pages * PAGE, MADV_DONTNEED);
	double each = touch(p, pages, step, write);
	munmap(p, pages * PAGE);
	return each;
}

static double zero_read(void) { return fresh(-1, 4096, 1, 0); }
static double anon_write(void) { return fresh(-1, 4096, 1, 1); }
static double file_read_alone(void) { return fresh(sparse, 8192, 16, 0); }
static double file_read_around(void) { return fresh(cached, 8192, 16, 0); }
static double file_read_all(void) { return fresh(cached, 8192, 1, 0); }
static double file_write(void) { return fresh(cached, 4096, 1, 1); }

/* A store to the page of zeros: copy on write, of zeros. */
static double zero_then_write(void)
{
	char *p = anonymous(4096);
	touch(p, 4096, 1, 0);
	double each = touch(p, 4096, 1, 1);
	munmap(p, 4096l * PAGE);
	return each;
}

/* The child has write-protected the pages and is gone: the store finds them its own again. */
static double wp_reuse(void)
{
	char *p = anonymous(4096);
	touch(p, 4096, 1, 1);
	pid_t child = fork();
	check(child >= 0, "fork");
	if (child == 0)
		_exit(0);
	waitpid(child, NULL, 0);
	double each = touch(p, 4096, 1, 1);
	munmap(p, 4096l * PAGE);
	return each;
}

/* 2 MiB at once, if the kernel has a huge page to give: cycles for each 4 KiB of it. */
static double huge_write(void)
{
	enum { HUGE = 512 };
	char *p = mmap(NULL, 2l * HUGE * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check(p != MAP_FAILED, "mmap");
	char *aligned = (char *)(((uintptr_t)p + HUGE * PAGE - 1) & -(uintptr_t)(HUGE * PAGE));
	madvise(aligned, HUGE * PAGE, MADV_HUGEPAGE);
	uint64_t start = cycles();
	aligned[0] = 1;
	double each = (double)(cycles() - start) / HUGE;
	munmap(p, 2l * HUGE * PAGE);
	return each;
}

static double many(void (*once)(void), int times)
{
	uint64_t start = cycles();
	for (int i = 0; i < times; i++)
		once();
	return (double)(cycles() - start) / times;
}

#ifdef __x86_64__
/* An instruction fetch that faults and that the fault handler emulates: a fault without memory management. */
static void emulated(void) { ((long (*)(long *))0xffffffffff600400)(NULL); }
static double trap_alone(void) { return many(emulated, 2000); }
static void time_call(void) { syscall(SYS_time, NULL); }
static double time_syscall(void) { return many(time_call, 2000); }
#endif

/* --- clearing and copying pages, as many in turn as the faults above go through --- */

enum { CYCLE = 4096 };

static double page_clear(void)
{
	static int turn;
	uint64_t start = cycles();
	for (int i = 0; i < 1024; i++, turn = (turn + 1) % CYCLE)
		memset(arena + (long)turn * PAGE, 0, PAGE);
	return (double)(cycles() - start) / 1024;
}

static double page_copy(void)
{
	static int turn;
	uint64_t start = cycles();
	for (int i = 0; i < 1024; i++, turn = (turn + 2) % CYCLE)
		memcpy(arena + (long)turn * PAGE, arena + (turn + 1l) * PAGE, PAGE);
	return (double)(cycles() - start) / 1024;
}

/* --- locks and switches --- */

static void ask_pid(void) { syscall(SYS_getppid); }
static double syscall_alone(void) { return many(ask_pid, 2000); }
/* mmap_lock for reading, one look for a VMA, and back; with flags that make no sense it returns before the lock. */
static void look_up(void) { msync(arena, PAGE, MS_ASYNC); }
static void refuse(void) { msync(arena, PAGE, MS_ASYNC | MS_SYNC); }
static double read_lock(void) { return many(look_up, 2000); }
static double no_lock(void) { return many(refuse, 2000); }

static atomic_int turn_of;
static long pings = 2000;

static void hand_over(int me)
{
	for (long i = 0; i < pings; i++) {
		while (turn_of != me)
			syscall(SYS_futex, &turn_of, 0 /* FUTEX_WAIT */, 1 - me, NULL, NULL, 0);
		turn_of = 1 - me;
		syscall(SYS_futex, &turn_of, 1 /* FUTEX_WAKE */, 1, NULL, NULL, 0);
	}
}

static void *other_hand(void *unused)
{
	hand_over(1);
	return unused;
}

/* Cycles from one owner's wake to the other's return from its wait, half of a round trip. */
static double hand_off(int cpu)
{
	pthread_t other;
	turn_of = 0;
	on_cpu(cpu);
	pthread_create(&other, NULL, other_hand, NULL);
	on_cpu(0);
	usleep(1000);
	uint64_t start = cycles();
	hand_over(0);
	pthread_join(other, NULL);
	return (double)(cycles() - start) / (2 * pings);
}

static double hand_off_same(void) { return hand_off(0); }
static double hand_off_other(void) { return hand_off(1); }

/* The same between two who never sleep: a cache line goes over and is written. */
static void *other_spinner(void *unused)
{
	for (long i = 0; i < pings; i++, turn_of = 0)
		while (turn_of != 1) {
		}
	return unused;
}

static double line_transfer(void)
{
	pthread_t other;
	turn_of = 0;
	on_cpu(1);
	pthread_create(&other, NULL, other_spinner, NULL);
	on_cpu(0);
	usleep(1000);
	uint64_t start = cycles();
	for (long i = 0; i < pings; i++)
		for (turn_of = 1; turn_of != 0;) {
		}
	uint64_t took = cycles() - start;
	pthread_join(other, NULL);
	return took / (2.0 * pings);
}

/* --- what two CPUs do to each other: the same work on both, in one mm or in two --- */

struct both {
	atomic_int *ready;
	double (*work)(void);
	double took;
};

static void *one_of_both(void *arg)
{
	struct both *b = arg;
	b->work();
	++*b->ready;
	while (*b->ready < 2)
		;
	b->took = b->work();
	return NULL;
}

static double two(double (*work)(void), int threads)
{
	char *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct both *b = (struct both *)(shared + 64);
	atomic_int *ready = (atomic_int *)shared;
	pthread_t other;
	b[0] = (struct both){ ready, work, 0 };
	b[1] = (struct both){ ready, work, 0 };
	/* The other one is made on its own CPU: under SCHED_FIFO it would never get away from this one. */
	on_cpu(1);
	if (threads) {
		pthread_create(&other, NULL, one_of_both, &b[1]);
		on_cpu(0);
		one_of_both(&b[0]);
		pthread_join(other, NULL);
	} else {
		pid_t child = fork();
		check(child >= 0, "fork");
		if (child == 0) {
			one_of_both(&b[1]);
			_exit(0);
		}
		on_cpu(0);
		one_of_both(&b[0]);
		waitpid(child, NULL, 0);
	}
	double each = (b[0].took + b[1].took) / 2;
	munmap(shared, PAGE);
	return each;
}

static double long_read_lock(void) { return many(look_up, 20000); }
static double locks_threads(void) { return two(long_read_lock, 1); }
static double locks_processes(void) { return two(long_read_lock, 0); }
static double faults_threads(void) { return two(file_write, 1); }
static double faults_processes(void) { return two(file_write, 0); }

/* --- devices --- */

static const char *disk = "calibrate.tmp";

static double direct_read(int fd, long pages, int times)
{
	static char *buffer;
	if (buffer == NULL)
		buffer = aligned_alloc(PAGE, PAGE);
	uint64_t start = cycles();
	for (int i = 0; i < times; i++)
		check(pread(fd, buffer, PAGE, (random() % pages) * PAGE) == PAGE, "pread");
	return (double)(cycles() - start) / times;
}

static double disk_read(void)
{
	int fd = open(disk, O_RDONLY | O_DIRECT);
	check(fd >= 0, disk);
	double each = direct_read(fd, 4096, 64);
	close(fd);
	return each;
}

/* Faults on pages that are in no cache: the device's read and all of the path around it. */
static double major_fault(void)
{
	int fd = open(disk, O_RDONLY);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	char *p = map(4096, PROT_READ, MAP_SHARED, fd);
	madvise(p, 4096l * PAGE, MADV_RANDOM);
	double each = touch(p, 4096, 64, 0);
	munmap(p, 4096l * PAGE);
	close(fd);
	return each;
}

int flushes(void); /* calibrate-flush.c */

int main(int argc, char **argv)
{
	struct sched_param first = { .sched_priority = 1 };
	int undisturbed = sched_setscheduler(0, SCHED_FIFO, &first) == 0;
	on_cpu(0);
	double ns = nanoseconds();
	uint64_t tsc = cycles();
	usleep(200000);
	printf("{\"name\": \"clock\", \"median\": %.4f, \"low\": %d}\n", (cycles() - tsc) / (nanoseconds() - ns), undisturbed);
	cached = memfd_create("cached", 0);
	sparse = memfd_create("sparse", 0);
	check(ftruncate(cached, 8192l * PAGE) == 0 && ftruncate(sparse, 8192l * PAGE) == 0, "ftruncate");
	for (long i = 0; i < 8192; i++)
		check(pwrite(cached, "x", 1, i * PAGE) == 1 && (i % 16 || pwrite(sparse, "x", 1, i * PAGE) == 1), "pwrite");
	arena = anonymous(16384);
	memset(arena, 1, 16384l * PAGE);

	report("syscall", syscall_alone);
#ifdef __x86_64__
	report("time-syscall", time_syscall);
	if (argc < 2 || strcmp(argv[1], "--no-vsyscall") != 0)
		report("trap", trap_alone);
#endif
	report("zero-read", zero_read);
	report("anon-write", anon_write);
	report("zero-then-write", zero_then_write);
	report("wp-reuse", wp_reuse);
	report("file-read-alone", file_read_alone);
	report("file-read-around", file_read_around);
	report("file-read-all", file_read_all);
	report("file-write", file_write);
	report("huge-write", huge_write);
	report("page-clear", page_clear);
	report("page-copy", page_copy);
	report("no-lock", no_lock);
	report("read-lock", read_lock);
	report("line-transfer", line_transfer);
	report("hand-off-same", hand_off_same);
	report("hand-off-other", hand_off_other);
	report("locks-processes", locks_processes);
	report("locks-threads", locks_threads);
	report("faults-processes", faults_processes);
	report("faults-threads", faults_threads);
	flushes();
	int fd = open(disk, O_CREAT | O_TRUNC | O_RDWR, 0600);
	check(fd >= 0, disk);
	for (int i = 0; i < 1024; i++)
		check(write(fd, arena, 4 * PAGE) == 4 * PAGE, "write");
	fsync(fd);
	close(fd);
	report("disk-read", disk_read);
	report("major-fault", major_fault);
	unlink(disk);
	return 0;
}
