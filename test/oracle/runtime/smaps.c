/* What /proc/self/smaps says of the scenario's mappings, in pages. */
#include <stdio.h>
#include <string.h>
#include "runtime.h"

const char *const figure_names[FIGURES] = { "rss", "anon", "referenced", "dirty", "swap", "anonHuge", "shmemHuge", "fileHuge", "locked" };

static const struct { const char *line; int figure; } lines[] = {
	{ "Rss:", 0 },
	{ "Anonymous:", 1 },
	{ "Referenced:", 2 },
	{ "Shared_Dirty:", 3 },
	{ "Private_Dirty:", 3 },
	{ "Swap:", 4 },
	{ "AnonHugePages:", 5 },
	{ "ShmemPmdMapped:", 6 },
	{ "FilePmdMapped:", 7 },
	{ "Locked:", 8 },
};

/* The mapping that begins last at or before the address: what is left of one, and what it has grown to, belongs to it. */
static int map_at(unsigned long address)
{
	int found = -1;

	if (address >= USER_END)
		return found;
	for (int m = 0; m < program->nr_maps; m++)
		if (address >= program->maps[m]->start && (found < 0 || program->maps[m]->start > program->maps[found]->start))
			found = m;
	return found;
}

void smaps_read(struct result *result)
{
	FILE *file = fopen("/proc/self/smaps", "r");
	char text[512], name[64];
	unsigned long start, end, kb;
	int map = -1;

	while (file && fgets(text, sizeof(text), file)) {
		if (sscanf(text, "%lx-%lx ", &start, &end) == 2) {
			map = map_at(start);
			continue;
		}
		if (map < 0 || sscanf(text, "%63s %lu kB", name, &kb) != 2)
			continue;
		for (unsigned int i = 0; i < sizeof(lines) / sizeof(*lines); i++)
			if (!strcmp(name, lines[i].line))
				result->figures[map][lines[i].figure] += kb / 4;
	}
	if (file)
		fclose(file);
}
