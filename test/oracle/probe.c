/* Ends with 0 on a kernel that maps the page of zeros where anonymous memory is first read, so that the first store faults again. */
#include <sys/mman.h>
#include <sys/resource.h>

#define PAGES 64
#define PAGE 4096

static long faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt;
}

int main(void)
{
	volatile char *memory = mmap(0, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long before;
	int sum = 0;

	if (memory == MAP_FAILED)
		return 2;
	for (int i = 0; i < PAGES; i++)
		sum += memory[i * PAGE];
	before = faults();
	for (int i = 0; i < PAGES; i++)
		memory[i * PAGE] = 1;
	return sum == 0 && faults() - before >= PAGES ? 0 : 1;
}
