import { expect, it } from 'vitest';
import { GUESTS, measureGuest } from './qemu.ts';
import { keep } from './recording.ts';
import { workloads } from './workloads.ts';

/** Guests that `node scripts/test-oracle.mjs --guests` asks for, separated by commas; they take minutes, so nobody else does. */
const wanted = (process.env.FAULTLINE_GUESTS ?? '').split(',').filter((name) => name !== '');

it.each(GUESTS.filter(({ name }) => wanted.includes(name) || wanted.includes('all')))(
	'the workloads run in $name and are recorded',
	async (guest) => {
		const recording = await measureGuest(guest, workloads(), 14);
		keep(recording, guest.name);
		const failed = Object.entries(recording.results).filter(([, result]) => 'failed' in result);
		expect(failed).toEqual([]);
	},
	15 * 60_000,
);
