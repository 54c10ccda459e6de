/** The programs on a kernel of Debian in a virtual machine that exists for one run: no disk, no network, an initramfs made here. */
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { merged } from './figures.ts';
import { refusal } from './generate.ts';
import { build, RUNS } from './host.ts';
import { type Machine, machineOf, type Recording, type Result } from './recording.ts';
import { figuresOf, type Report } from './report.ts';
import type { Workload } from './workloads.ts';

export interface Guest {
	/** Names the file of the recording. */
	readonly name: string;
	/** Debian package of the kernel image, with its architecture if that is foreign; the newest that matches. */
	readonly image: RegExp;
	readonly compiler: string;
	readonly qemu: string;
	readonly args: readonly string[];
	readonly console: string;
	/** Package and path of a static busybox. */
	readonly busybox: string;
}

/** Emulated: what is compared is what the kernel does, and a host that is a virtual machine itself often cannot run another. */
const AMD64 = { compiler: 'gcc', qemu: 'qemu-system-x86_64', args: ['-cpu', 'max'], console: 'ttyS0', busybox: 'busybox-static:amd64' };

export const GUESTS: readonly Guest[] = [
	{ name: 'x86-64-6.1', image: /^linux-image-6\.1\.0-\d+-amd64$/, ...AMD64 },
	{ name: 'x86-64-6.12', image: /^linux-image-6\.12\.\d+\+deb12-amd64$/, ...AMD64 },
];

/** Modules for an ext4 on a disk of memory and for swap, if the kernel does not have them built in. */
const MODULES = ['crc32c_generic', 'ext4', 'brd', 'lzo-rle', 'zram'];

/**
 * Two instances keep the events on: with one or none, each program would have the kernel patch its code, and the emulator
 * sometimes runs what is half patched.
 */
const INIT = (programs: readonly string[]): string => `#!/bin/busybox sh
/bin/busybox mount -t proc none /proc
/bin/busybox mount -t sysfs none /sys
/bin/busybox mount -t devtmpfs none /dev
/bin/busybox mount -t tracefs none /sys/kernel/tracing
for module in $(/bin/busybox cat /modules/order); do
	/bin/busybox insmod /modules/$module
done
echo madvise > /sys/kernel/mm/transparent_hugepage/enabled
[ -e /sys/kernel/mm/lru_gen/enabled ] && echo 0 > /sys/kernel/mm/lru_gen/enabled
/bin/busybox cat /disk.img > /dev/ram0
/bin/busybox mount -t ext4 /dev/ram0 /disk && cd /disk && echo oracle-disk
/oracle swap-on && echo oracle-swap
for keeper in a b; do
	/bin/busybox mkdir /sys/kernel/tracing/instances/$keeper
	for event in exceptions/page_fault_user exceptions/page_fault_kernel tlb/tlb_flush raw_syscalls/sys_enter; do
		echo 1 > /sys/kernel/tracing/instances/$keeper/events/$event/enable
	done
	echo 0 > /sys/kernel/tracing/instances/$keeper/tracing_on
done
/oracle machine
for program in ${programs.join(' ')}; do
	/oracle $program ${RUNS}
done
echo oracle-done
/bin/busybox poweroff -f
`;

/** Boots the guest, runs everything and powers it off. @throws Error when it does not come to its end in time. */
export async function measureGuest(guest: Guest, list: readonly Workload[], minutes: number): Promise<Recording> {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'faultline-guest-'));
	try {
		const root = unpack(newest(guest.image), folder);
		const boot = readdirSync(path.join(root, 'boot'));
		const find = (prefix: string): string => path.join(root, 'boot', boot.find((file) => file.startsWith(prefix)) ?? prefix);
		const initramfs = initramfsOf(guest, list, root, folder);
		const args = [...guest.args, '-smp', '2', '-m', '2G', '-display', 'none', '-no-reboot', '-kernel', find('vmlinuz'), '-initrd', initramfs];
		const log = path.join(folder, 'console');
		const text = await run(guest.qemu, [...args, '-append', `console=${guest.console} quiet panic=-1`], log, minutes);
		return recordingOf(text, list, readFileSync(find('config'), 'utf8'));
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

/** The newest package whose name matches. */
function newest(name: RegExp): string {
	const names = execFileSync('apt-cache', ['pkgnames', 'linux-image-']).toString().split('\n');
	const found = names.filter((line) => name.test(line)).sort(new Intl.Collator('en', { numeric: true }).compare);
	if (found.length === 0) throw new Error(`no package is called ${name.source}; run apt-get update`);
	return found.at(-1) as string;
}

/** Downloads a package without installing it. Returns the folder that has its files. */
function unpack(name: string, folder: string): string {
	const root = path.join(folder, name.replace(':', '_'));
	mkdirSync(root);
	execFileSync('apt-get', ['download', '-o', 'APT::Sandbox::User=root', name], { cwd: root, stdio: ['ignore', 'ignore', 2] });
	const [deb] = readdirSync(root);
	execFileSync('dpkg-deb', ['-x', deb as string, '.'], { cwd: root });
	return root;
}

function initramfsOf(guest: Guest, list: readonly Workload[], root: string, folder: string): string {
	const tree = path.join(folder, 'initramfs');
	for (const name of ['bin', 'proc', 'sys', 'dev', 'disk', 'modules']) mkdirSync(path.join(tree, name), { recursive: true });
	copyFileSync(path.join(unpack(guest.busybox, folder), 'bin/busybox'), path.join(tree, 'bin/busybox'));
	writeFileSync(path.join(tree, 'modules/order'), modules(root, path.join(tree, 'modules')).join('\n'));
	execFileSync('mke2fs', ['-q', '-t', 'ext4', path.join(tree, 'disk.img'), '12M'], { stdio: ['ignore', 'ignore', 2] });
	writeFileSync(path.join(tree, 'init'), INIT(list.map(({ title }) => title)));
	chmodSync(path.join(tree, 'init'), 0o755);
	const work = path.join(folder, 'programs');
	mkdirSync(work);
	copyFileSync(build(list, work, guest.compiler), path.join(tree, 'oracle'));
	const archive = path.join(folder, 'initramfs.cpio');
	execFileSync('sh', ['-c', 'find . | cpio -o -H newc --quiet > "$1"', 'sh', archive], { cwd: tree });
	return archive;
}

/** Copies the modules and what they depend on, decompressed. Returns their names in the order in which they are loaded. */
function modules(root: string, into: string): string[] {
	const [version = ''] = readdirSync(path.join(root, 'lib/modules'));
	const lib = path.join(root, 'lib/modules', version);
	execFileSync('depmod', ['-b', root, version]);
	const needs = new Map(
		readFileSync(path.join(lib, 'modules.dep'), 'utf8')
			.split('\n')
			.map((line) => [nameOf(line.split(':')[0] as string), line.replace(':', '').split(' ')]),
	);
	const files = MODULES.flatMap((name) => (needs.get(name.replaceAll('_', '-')) ?? []).toReversed().filter((file) => file !== ''));
	return [...new Set(files)].map((file) => {
		const bytes = file.endsWith('.xz') ? execFileSync('xz', ['-dc', path.join(lib, file)], { maxBuffer: 64 << 20 }) : readFileSync(path.join(lib, file));
		writeFileSync(path.join(into, `${nameOf(file)}.ko`), bytes);
		return `${nameOf(file)}.ko`;
	});
}

const nameOf = (file: string): string =>
	path
		.basename(file)
		.replace(/\.ko(\.xz)?$/, '')
		.replaceAll('_', '-');

/** Waits until the virtual machine powers itself off. Returns what it wrote to its console. */
function run(qemu: string, args: readonly string[], log: string, minutes: number): Promise<string> {
	return new Promise((resolve, reject) => {
		const machine = spawn(qemu, [...args, '-serial', `file:${log}`], { stdio: ['ignore', 'inherit', 'inherit'], timeout: minutes * 60_000 });
		machine.on('error', reject);
		machine.on('close', () => {
			const text = readFileSync(log, 'utf8');
			if (text.includes('oracle-done')) resolve(text);
			else reject(new Error(`${qemu} did not come to its end:\n${text.slice(-2000)}`));
		});
	});
}

function recordingOf(text: string, list: readonly Workload[], config: string): Recording {
	const lines = text.split(/\r?\n/);
	const machine = machineOf(JSON.parse(lines.find((line) => line.startsWith('{"release"')) ?? '{}'), config);
	const reports = lines.filter((line) => line.startsWith('{"workload"')).map((line) => JSON.parse(line) as Report);
	return { machine, results: Object.fromEntries(list.map((workload) => [workload.title, resultOf(workload, machine, reports, lines)])) };
}

function resultOf({ title, form }: Workload, machine: Machine, reports: readonly Report[], lines: readonly string[]): Result {
	const swapless = form.needs.some((need) => need.what === 'swap') && !lines.includes('oracle-swap');
	const diskless = form.files.some((file) => file.kind === 'disk') && !lines.includes('oracle-disk');
	const why = refusal(form, machine) ?? (swapless ? 'the guest has no swap device' : diskless ? 'the guest has no disk' : null);
	if (why !== null) return { skipped: why };
	const own = reports.filter((report) => report.workload === title);
	const said = lines.find((line) => line.startsWith(`${title}: `));
	if (own.length < RUNS) return { failed: said?.slice(title.length + 2) ?? 'it said nothing' };
	return { counts: Object.fromEntries(merged(own.map(figuresOf))) };
}
