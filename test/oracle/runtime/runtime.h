/* What the files of the runtime share. */
#ifndef RUNTIME_H
#define RUNTIME_H

#include "oracle.h"

#define USER		0x10000000UL	/* first mapping of a scenario, as in the simulator */
#define USER_END	0x40000000UL
#define HPAGE		0x200000UL

#define MAX_COLUMNS	8
#define MAX_PROCESSES	4
#define MAX_MAPS	16
#define FIGURES		9

/* One process, as it saw itself: faults of the measured section, and its mappings when the program ended. */
struct result {
	int mapped;
	long minor, major, preempted;
	long figures[MAX_MAPS][FIGURES];
};

/* Memory that all processes of a run share with the launcher. */
struct shared {
	volatile int at[MAX_COLUMNS];	/* row that a column has come to; GONE after its end */
	volatile int tid[MAX_COLUMNS];
	volatile int misplaced;		/* a child did not begin on its own CPU */
	struct result results[MAX_PROCESSES];
	char error[256];
};

#define LEAVING		0x7ffffffe
#define GONE		0x7fffffff

extern const struct program *program;
extern struct shared *shared;
extern const char *const figure_names[FIGURES];

void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* trace.c */
const char *trace_create(void);
void trace_remove(void);
void trace_open(const char *instance);
void trace_switch(int on);
void trace_mark(int line);
void trace_drain(void);
void trace_print(long outside[MAX_PROCESSES]);

/* files.c */
void files_create(void);

/* swap.c: 0 for success. */
int swap_on(void);
int swap_off(void);

/* smaps.c */
void smaps_read(struct result *result);

#endif
