/*
 * What both models share: two CPUs with a TLB each, page tables of one mm, frames, locks. A statement that others can see or that depends on
 * others is a step of its own, as a scheduling point of the simulator is; what only its own CPU sees goes with the step before it.
 *
 * Left out in both: the accessed flag, LRU and memory cgroups, counters of resident pages, the anon_vma and the i_mmap tree (they are read
 * by one task), read-ahead, the VMAs of the anchor page, RCU (nobody frees what is under it here), and the teardown that ends every run
 * of the simulator and looks for leaks.
 */
#define CPUS 2
#define NONE 255

typedef Entry { bool present; bool write; byte pfn };

/* A semaphore for many readers or one writer; who comes behind a writer that waits, waits. */
typedef Sem { byte readers; bool writer; byte queued };

inline read_lock(sem) { atomic { !sem.writer && sem.queued == 0 -> sem.readers++ } }
inline read_unlock(sem) { atomic { assert(sem.readers > 0); sem.readers-- } }
inline write_lock(sem) {
	atomic { if :: !sem.writer && sem.readers == 0 -> sem.writer = true; :: else -> sem.queued++; fi }
	if
	:: sem.writer && sem.queued == 0 -> skip
	:: else -> atomic { !sem.writer && sem.readers == 0 -> sem.writer = true; sem.queued-- }
	fi
}
inline write_unlock(sem) { atomic { assert(sem.writer); sem.writer = false } }
inline downgrade(sem) { atomic { assert(sem.writer); sem.writer = false; sem.readers++ } }
