/**
 * Modelled cycles. Orders of magnitude, not measurements: enough for waits and cost to have the right shape. Published
 * anchors: a minor fault is about 1,000 cycles, an IPI shootdown 2,000-4,000, a local INVLPG about 200, a broadcast TLBI with
 * its barrier several hundred, a fast swap device 10-100 microseconds.
 */
export const COST = {
	/** Exception entry and exit. */
	trap: 600,
	/** One step of kernel work: a page-table level, a lock, a cache lookup. */
	step: 20,
	/** One entry that an unmap, copy or protection change goes over. */
	entry: 4,
	flushLocal: 200,
	flushBroadcast: 500,
	flushIpi: 2000,
	/** Each further target of a shootdown. */
	flushIpiTarget: 300,
	/** Copying or clearing a page. */
	page: 400,
	/** One read from the swap device or the disk: T of the waiting tables. */
	io: 200000,
	/** One pause of the dirty throttle. */
	throttle: 50000,
} as const;
