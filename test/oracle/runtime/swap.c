/* A swap device in memory for the workloads that need one: /dev/zram0, if nobody uses it. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/swap.h>
#include <unistd.h>
#include "runtime.h"

#define DEVICE		"/dev/zram0"
#define SETTINGS	"/sys/block/zram0/"
#define PAGES		(64L << 20 >> 12)

static int setting(const char *name, const char *value)
{
	char path[64];
	int fd, ok;

	snprintf(path, sizeof(path), SETTINGS "%s", name);
	fd = open(path, O_WRONLY);
	ok = fd >= 0 && write(fd, value, strlen(value)) > 0;
	if (fd >= 0)
		close(fd);
	return ok;
}

/* The swap header, union swap_header of include/linux/swap.h: what mkswap writes. */
static int format(void)
{
	static unsigned int page[PAGE / sizeof(int)];
	int fd = open(DEVICE, O_WRONLY), ok;

	page[256] = 1;		/* version */
	page[257] = PAGES - 1;	/* last page */
	memcpy((char *)page + PAGE - 10, "SWAPSPACE2", 10);
	ok = fd >= 0 && write(fd, page, PAGE) == PAGE && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return ok;
}

static int unused(void)
{
	FILE *file = fopen(SETTINGS "disksize", "r");
	long size = -1;

	if (file && fscanf(file, "%ld", &size) != 1)
		size = -1;
	if (file)
		fclose(file);
	return size == 0;
}

int swap_on(void)
{
	char size[24];

	snprintf(size, sizeof(size), "%ld", PAGES * (long)PAGE);
	if (!unused()) {
		fprintf(stderr, "there is no " DEVICE " that is free\n");
		return 1;
	}
	if (setting("disksize", size) && format() && swapon(DEVICE, 0) == 0)
		return 0;
	perror(DEVICE);
	setting("reset", "1");
	return 1;
}

int swap_off(void)
{
	return swapoff(DEVICE) || !setting("reset", "1");
}
