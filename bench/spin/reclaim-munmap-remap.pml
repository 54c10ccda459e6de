/*
 * Lazy unmap flush (2024) without the flush of what is pending: reclaim unmaps a read-only page of a file and leaves its flush for later,
 * munmap finds nothing to gather, a new mapping goes in at the same address, and another CPU reads it through the translation of the old
 * one. With -DREPAIRED who changes entries under the lock of the page table first flushes what is pending for the mm. The scenario is
 * reclaim-munmap-remap with one page, row by row: `row` holds the CPUs together as its rows do.
 *
 * Left out: clear_refs (the accessed flag), fault-around beyond the page itself (the file has one), and 31 of the 32 pages of the file
 * into which a hole is punched so that they are handed out next. Reclaim looks at the one page of the scenario.
 */
#include "common.pml"
/* Pages of the address space: s, and n in the same table. */
#define S 0
#define N 1
#define PAGES 2
#define FRAMES 6
/* Frames at the start: a page of file f, a page of file g. */
#define OF_F 1
#define OF_G 2

typedef Vma { bool there; bool anonymous; bool write; Sem lock };

Entry pte[PAGES];
/* Of CPU 0, then of CPU 1. */
Entry tlb[4];
#define TLB(cpu, p) tlb[cpu * PAGES + p]
bool pmd;
bool ptl;
bool page_table_lock;
Sem mmap_lock;
Vma vma[PAGES];
bool in_cache[FRAMES];
bool locked[FRAMES];
byte refs[FRAMES];
byte mapped[FRAMES];
byte content[FRAMES];
/* Freed frames, the last freed on top; those whose flush waits; whether the mm has entries that were cleared and not flushed. */
byte freed[FRAMES];
byte top;
bool deferred[FRAMES];
bool pending;
byte row;
byte left = 2;

inline spin_lock(lock) { atomic { !lock -> lock = true } }
inline spin_unlock(lock) { atomic { assert(lock); lock = false } }
inline lock_folio(frame) { atomic { !locked[frame] -> locked[frame] = true } }
inline unlock_folio(frame) { atomic { assert(locked[frame]); locked[frame] = false } }
inline get(frame) { atomic { assert(refs[frame] > 0); refs[frame]++ } }
inline put(frame) {
	atomic { assert(refs[frame] > 0); refs[frame]--; if :: refs[frame] == 0 -> top++; freed[top] = frame :: else -> skip fi }
}

/* An interrupt to each CPU that runs the mm: it drops everything of it. */
inline flush_cpu0() { d_step { TLB(0, S).present = false; TLB(0, N).present = false } }
inline flush_cpu1() { d_step { TLB(1, S).present = false; TLB(1, N).present = false } }
inline flush_mm() { flush_cpu0(); flush_cpu1(); pending = false }

/* The last freed frame, or a new one; what lazy unmap flush has put off is flushed before its frame has a new owner. */
inline allocate(frame, value) {
	atomic {
		if :: top > 0 -> frame = freed[top]; freed[top] = 0; top-- :: else -> fresh++; frame = fresh fi;
		assert(frame < FRAMES && refs[frame] == 0);
		refs[frame] = 1; content[frame] = value
	}
	if :: deferred[frame] -> flush_mm(); deferred[frame] = false :: else -> skip fi
}
byte fresh = OF_G;

/* The table of both pages: who comes second gives his back. */
inline table() {
	if
	:: !pmd ->
		allocate(new, 0);
		spin_lock(page_table_lock);
		if :: !pmd -> pmd = true; new = 0 :: else -> skip fi;
		spin_unlock(page_table_lock);
		if :: new != 0 -> put(new); new = 0 :: else -> skip fi
	:: else -> skip
	fi
}

/* A fault on page `p` under the lock of its VMA, or under mmap_lock while a writer has that one. */
inline fault(p, writes) {
	under_mmap_lock = false;
	atomic { if :: !vma[p].lock.writer && vma[p].lock.queued == 0 -> vma[p].lock.readers++ :: else -> under_mmap_lock = true fi }
	if :: under_mmap_lock -> read_lock(mmap_lock) :: else -> skip fi;
	assert(vma[p].there);
	table();
	if
	:: vma[p].anonymous ->
		allocate(new, 0);
		spin_lock(ptl);
		if
		:: pte[p].present -> spin_unlock(ptl); put(new)
		:: else ->
			mapped[new]++;
			d_step { pte[p].present = true; pte[p].write = vma[p].write; pte[p].pfn = new };
			spin_unlock(ptl)
		fi;
		new = 0
	:: else ->
		/* do_read_fault(): the page of the cache, referenced and locked. */
		assert(in_cache[OF_F]);
		get(OF_F);
		lock_folio(OF_F);
		spin_lock(ptl);
		if
		:: pte[p].present -> spin_unlock(ptl); unlock_folio(OF_F); put(OF_F)
		:: else ->
			mapped[OF_F]++;
			d_step { pte[p].present = true; pte[p].write = false; pte[p].pfn = OF_F };
			spin_unlock(ptl);
			unlock_folio(OF_F)
		fi
	fi;
	if :: under_mmap_lock -> read_unlock(mmap_lock) :: else -> read_unlock(vma[p].lock) fi
}

/* Loads from or stores to page `p` through the TLB of `cpu`; no interrupt comes in between translation and access. */
inline touch(cpu, p, writes, value, got) {
	do
	:: true ->
		atomic {
			if
			:: !(TLB(cpu, p).present && (!writes || TLB(cpu, p).write)) && pmd && pte[p].present && (!writes || pte[p].write) ->
				TLB(cpu, p).present = true; TLB(cpu, p).write = pte[p].write; TLB(cpu, p).pfn = pte[p].pfn
			:: else -> skip
			fi;
			if
			:: TLB(cpu, p).present && (!writes || TLB(cpu, p).write) ->
				if :: writes -> content[TLB(cpu, p).pfn] = value :: else -> got = content[TLB(cpu, p).pfn] fi;
				break
			:: else -> skip
			fi
		}
		fault(p, writes)
	od
}

inline next() { atomic { left--; if :: left == 0 -> row++; left = 1 :: else -> skip fi } }

proctype cpu0() {
	byte new, got; bool under_mmap_lock;
	touch(0, N, true, 1, got);
	next();
	/* munmap: the page is gone already, and so nothing is gathered and nothing flushed. */
	row == 2;
	write_lock(mmap_lock);
	write_lock(vma[S].lock);
	vma[S].there = false;
	write_unlock(vma[S].lock);
	downgrade(mmap_lock);
	spin_lock(ptl);
#ifdef REPAIRED
	if :: pending -> flush_mm() :: else -> skip fi;
#endif
	if
	:: pte[S].present -> atomic { new = pte[S].pfn; pte[S].present = false; mapped[new]-- }; spin_unlock(ptl); flush_mm(); put(new); new = 0
	:: else -> spin_unlock(ptl)
	fi;
	read_unlock(mmap_lock);
	next();
	row == 3;
	write_lock(mmap_lock);
	atomic { vma[S].there = true; vma[S].anonymous = true; vma[S].write = true };
	write_unlock(mmap_lock);
	next();
	row == 4;
	touch(0, S, true, 5, got);
	next();
	row == 7;
	touch(0, S, false, 0, got);
	assert(got == 6)
}

proctype cpu1() {
	byte new, got; bool under_mmap_lock;
	touch(1, S, false, 0, got);
	next();
	row == 5;
	touch(1, S, false, 0, got);
	/* What is mapped there now, and not what was. */
	assert(got == 5 && refs[TLB(1, S).pfn] > 0);
	next();
	row == 6;
	touch(1, S, true, 6, got);
	next()
}

/* Reclaim of the page of f, then the hole in g. */
proctype cpu2() {
	row == 1;
	get(OF_F);
	lock_folio(OF_F);
	spin_lock(ptl);
	if
	:: pte[S].present && pte[S].pfn == OF_F ->
		d_step { pte[S].present = false };
		atomic { pending = true; deferred[OF_F] = true };
		mapped[OF_F]--;
		spin_unlock(ptl);
		put(OF_F)
	:: else -> spin_unlock(ptl)
	fi;
	/* __remove_mapping(): frozen with the references of the cache and of reclaim alone. */
	atomic {
		if
		:: mapped[OF_F] == 0 && refs[OF_F] == 2 -> in_cache[OF_F] = false; refs[OF_F]--
		:: else -> skip
		fi
	};
	unlock_folio(OF_F);
	put(OF_F);
	lock_folio(OF_G);
	in_cache[OF_G] = false;
	unlock_folio(OF_G);
	put(OF_G);
	next()
}

init {
	atomic {
		in_cache[OF_F] = true; refs[OF_F] = 1; content[OF_F] = 100;
		in_cache[OF_G] = true; refs[OF_G] = 1;
		vma[S].there = true;
		vma[N].there = true; vma[N].anonymous = true; vma[N].write = true;
		run cpu0(); run cpu1(); run cpu2()
	}
}
