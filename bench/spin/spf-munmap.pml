/*
 * Speculative page faults (2022) with page-table locks allocated apart: a thread stores to a mapping while another unmaps it, and the page
 * table goes with it. The fault takes no lock of the mm: it works on a copy of the VMA and verifies mmap_seq. The destructor of the page
 * table frees the lock before the flush has waited for CPUs that have interrupts off. With -DREPAIRED the lock lies in the table's struct
 * page and lives as long as the table. The scenario is spf-munmap, step by step: its first row has made the table, and both CPUs hold a
 * translation of page 0.
 *
 * Left out: pages 2 and 3 of the mapping, which nobody touches. Their entries are looked at by munmap in the same hold of the lock.
 */
#include "common.pml"
#define PAGES 2
#define FRAMES 4

Entry pte[PAGES];
Entry tlb0[PAGES];
Entry tlb1[PAGES];
bool pmd = true;
bool table_freed;
bool lock_freed;
bool ptl;
byte seq;
bool vma = true;
Sem mmap_lock;
Sem vma_lock;
bool irqs_off[CPUS];
byte refs[FRAMES];
byte mapped[FRAMES];
byte content[FRAMES];
bool ended[CPUS];

inline take() { assert(!lock_freed); atomic { !ptl -> ptl = true } }
inline release() { assert(!lock_freed); ptl = false }

/* A new frame: the first that nobody has. */
inline allocate(frame) {
	atomic { frame = 1; do :: frame < FRAMES && refs[frame] > 0 -> frame++ :: else -> break od; assert(frame < FRAMES); refs[frame] = 1; content[frame] = 0 }
}
inline put(frame) { atomic { assert(refs[frame] > 0); refs[frame]-- } }

/* Stores `value` to page 1 on CPU 0; `failed` is set where nothing is mapped there. */
inline store(value) {
	failed = false;
	do
	:: true ->
		/* The TLB, or a walk: the store goes through what they give before an interrupt can come in. */
		atomic {
			if
			:: tlb0[1].present && tlb0[1].write -> content[tlb0[1].pfn] = value; assert(refs[tlb0[1].pfn] > 0); break
			:: !(tlb0[1].present && tlb0[1].write) && pmd && !table_freed && pte[1].present && pte[1].write ->
				tlb0[1].present = true; tlb0[1].write = true; tlb0[1].pfn = pte[1].pfn; content[pte[1].pfn] = value; break
			:: else -> skip
			fi
		}
		speculative();
		if
		:: done -> skip
		:: else -> slow(); if :: failed -> break :: else -> skip fi
		fi
	od
}

inline speculative() {
	done = false; new = 0;
	seen = seq;
	if
	:: seen % 2 == 1 -> goto given_up
	:: else -> skip
	fi;
	/* The VMA is found and copied under RCU. */
	if :: !vma -> goto given_up :: else -> skip fi;
	if :: seq != seen -> goto given_up :: else -> skip fi;
	atomic { irqs_off[0] = true; table = pmd }
	if
	:: table -> assert(!table_freed); none = !pte[1].present
	:: else -> skip
	fi;
	irqs_off[0] = false;
	if :: !table || !none -> goto given_up :: else -> skip fi;
	allocate(new);
	/* pte_map_lock(): verified before the lock is touched, and again under it. */
	irqs_off[0] = true;
	if :: seq != seen -> goto unlocked :: else -> skip fi;
	if :: !pmd -> goto unlocked :: else -> skip fi;
	assert(!lock_freed);
	atomic { if :: ptl -> goto unlocked :: else -> ptl = true fi }
	if :: seq != seen -> release(); goto unlocked :: else -> skip fi;
	irqs_off[0] = false;
	if
	:: pte[1].present -> release(); goto given_up
	:: else -> skip
	fi;
	mapped[new]++;
	atomic { assert(!table_freed); pte[1].present = true; pte[1].write = true; pte[1].pfn = new }
	release();
	done = true; new = 0;
	goto over;
unlocked:
	irqs_off[0] = false;
given_up:
	if :: new != 0 -> put(new); new = 0 :: else -> skip fi;
over:
	skip
}

/* The fault under mmap_lock. */
inline slow() {
	read_lock(mmap_lock);
	if
	:: !vma -> failed = true
	:: else ->
		if :: !pmd -> atomic { pmd = true; table_freed = false } :: else -> skip fi;
		allocate(new);
		take();
		if
		:: pte[1].present -> release(); put(new)
		:: else ->
			mapped[new]++;
			atomic { pte[1].present = true; pte[1].write = true; pte[1].pfn = new }
			release()
		fi;
		new = 0
	fi;
	read_unlock(mmap_lock)
}

proctype cpu0() {
	byte seen, new, value; bool done, failed, table, none;
	store(2);
	ended[0] = true;
	/* The next row: both CPUs have come to its beginning. */
	ended[1];
again:
	atomic {
		if
		:: tlb0[1].present && tlb0[1].write -> assert(false)
		:: else -> skip
		fi
	}
	read_lock(mmap_lock);
	assert(!vma);
	read_unlock(mmap_lock)
}

proctype cpu1() {
	byte page; byte gathered[PAGES]; bool flush;
	/* munmap: the writer, its sequence, the VMA out of the tree. */
	write_lock(mmap_lock);
	seq++;
	write_lock(vma_lock);
	vma = false;
	/* mmap_write_downgrade(): the sequence is even again before the tables are walked. */
	seq++;
	write_unlock(vma_lock);
	downgrade(mmap_lock);
	take();
	page = 0;
	do
	:: page < PAGES ->
		gathered[page] = NONE;
		atomic { if :: pte[page].present -> gathered[page] = pte[page].pfn; pte[page].present = false; flush = true :: else -> skip fi }
		if :: gathered[page] != NONE -> mapped[gathered[page]]-- :: else -> skip fi;
		page++
	:: else -> break
	od;
	release();
	/* free_pte_range() and the destructor of the table. */
	pmd = false;
#ifndef REPAIRED
	lock_freed = true;
#endif
	/* tlb_flush_mmu(): this CPU, then the other by an interrupt, which it takes when interrupts are on. */
	atomic { page = 0; do :: page < PAGES -> tlb1[page].present = false; page++ :: else -> break od }
	atomic { !irqs_off[0] -> page = 0; do :: page < PAGES -> tlb0[page].present = false; page++ :: else -> break od }
	atomic { table_freed = true; lock_freed = true }
	page = 0;
	do
	:: page < PAGES -> if :: gathered[page] != NONE -> put(gathered[page]) :: else -> skip fi; page++
	:: else -> break
	od;
	read_unlock(mmap_lock);
	ended[1] = true
}

init {
	atomic {
		refs[1] = 1; mapped[1] = 1; content[1] = 1;
		pte[0].present = true; pte[0].write = true; pte[0].pfn = 1;
		tlb0[0].present = true; tlb0[0].write = true; tlb0[0].pfn = 1;
		tlb1[0].present = true; tlb1[0].pfn = 1;
		run cpu0(); run cpu1()
	}
}
