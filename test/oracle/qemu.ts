/** The programs on a kernel of Debian in a virtual machine that exists for one run: no disk, no network, an initramfs made here. */
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { opened, probesOf, SYMBOLS } from './arm64.ts';
import { merged } from './figures.ts';
import { refusal } from './generate.ts';
import { build, RUNS } from './host.ts';
import { type Machine, machineOf, type Recording, type Result } from './recording.ts';
import { figuresOf, type Report } from './report.ts';
import type { Workload } from './workloads.ts';

export interface Guest {
	/** Names the file of the recording. */
	readonly name: string;
	/** As the simulator names it. */
	readonly arch: string;
	/** Debian package of the kernel image, as a regular expression for what comes before its architecture; the newest is taken. */
	readonly image: string;
	/** Debian's name of the architecture. */
	readonly debian: string;
	readonly compiler: string;
	readonly qemu: string;
	readonly args: readonly string[];
	readonly console: string;
}

/** Emulated: what is compared is what the kernel does, and a host that is a virtual machine itself often cannot run another. */
const AMD64 = { arch: 'x86-64', debian: 'amd64', compiler: 'gcc', qemu: 'qemu-system-x86_64', args: ['-cpu', 'max'], console: 'ttyS0' };
const ARM64 = { debian: 'arm64', compiler: 'aarch64-linux-gnu-gcc', qemu: 'qemu-system-aarch64', console: 'ttyAMA0' };
const IMAGE_6_1 = 'linux-image-6\\.1\\.0-\\d+';
const IMAGE_6_12 = 'linux-image-6\\.12\\.\\d+\\+deb12';

/** The arm64 ones need dpkg --add-architecture arm64, gcc-aarch64-linux-gnu and libc6-dev-arm64-cross. */
export const GUESTS: readonly Guest[] = [
	{ ...AMD64, name: 'x86-64-6.1', image: IMAGE_6_1 },
	{ ...AMD64, name: 'x86-64-6.12', image: IMAGE_6_12 },
	// Without LPA2, with which TLBI for ranges names addresses in other units.
	{ ...ARM64, name: 'arm64-6.1', arch: 'arm64', image: IMAGE_6_1, args: ['-M', 'virt', '-cpu', 'max,pauth-impdef=on,lpa2=off'] },
	{ ...ARM64, name: 'arm64-6.12', arch: 'arm64', image: IMAGE_6_12, args: ['-M', 'virt', '-cpu', 'max,pauth-impdef=on,lpa2=off'] },
	// A machine whose hardware sets neither accessed nor dirty, and that has no TLBI for ranges.
	{ ...ARM64, name: 'arm64-no-hafdbs-6.1', arch: 'arm64-no-hafdbs', image: IMAGE_6_1, args: ['-M', 'virt', '-cpu', 'cortex-a53'] },
	{ ...ARM64, name: 'arm64-no-hafdbs-6.12', arch: 'arm64-no-hafdbs', image: IMAGE_6_12, args: ['-M', 'virt', '-cpu', 'cortex-a53'] },
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
if [ -e /probes ]; then
	while read -r line; do
		echo "$line" >> /sys/kernel/tracing/kprobe_events
	done < /probes
fi
for keeper in a b; do
	instance=/sys/kernel/tracing/instances/$keeper
	/bin/busybox mkdir $instance
	echo 0 > $instance/tracing_on
	for event in exceptions tlb/tlb_flush raw_syscalls/sys_enter faultline; do
		[ -e $instance/events/$event/enable ] && echo 1 > $instance/events/$event/enable
	done
done
/oracle machine
for program in ${programs.join(' ')}; do
	/oracle $program ${RUNS}
done
echo oracle-done
/bin/busybox poweroff -f
`;

const FIND_SYMBOLS = `#!/bin/busybox sh
/bin/busybox mount -t proc none /proc
/bin/busybox grep -E " (${SYMBOLS.join('|')})$" /proc/kallsyms
echo oracle-done
/bin/busybox poweroff -f
`;

/** Boots the guest, runs everything and powers it off. @throws Error when it does not come to its end in time. */
export async function measureGuest(guest: Guest, list: readonly Workload[], minutes: number): Promise<Recording> {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'faultline-guest-'));
	try {
		const root = unpack(newest(guest), folder);
		const [config = ''] = readdirSync(path.join(root, 'boot')).filter((file) => file.startsWith('config'));
		const busybox = path.join(unpack(`busybox-static:${guest.debian}`, folder), 'bin/busybox');
		let image = imageOf(root);
		if (guest.debian === 'arm64') {
			const first = tree(folder, 'first', busybox, FIND_SYMBOLS);
			image = opened(image, await boot(guest, image, archived(first), folder, minutes));
		}
		const rest = tree(folder, 'tree', busybox, INIT(list.map(({ title }) => title)));
		furnish(rest, guest, list, root, folder);
		const text = await boot(guest, image, archived(rest), folder, minutes);
		return recordingOf(text, list, readFileSync(path.join(root, 'boot', config), 'utf8'), guest.arch);
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

/** Boots an image once. Returns what it wrote to its console. */
async function boot(guest: Guest, image: Buffer, initramfs: string, folder: string, minutes: number): Promise<string> {
	const kernel = path.join(folder, 'kernel');
	writeFileSync(kernel, image);
	const machine = [...guest.args, '-smp', '2', '-m', '2G', '-display', 'none', '-no-reboot', '-kernel', kernel, '-initrd', initramfs];
	return await run(guest.qemu, [...machine, '-append', `console=${guest.console} quiet nokaslr panic=-1`], path.join(folder, 'console'), minutes);
}

/** The newest package whose name matches. */
function newest({ image, debian }: Guest): string {
	const names = execFileSync('apt-cache', ['pkgnames', 'linux-image-']).toString().split('\n');
	const name = new RegExp(`^${image}-${debian}$`);
	const found = names.filter((line) => name.test(line)).sort(new Intl.Collator('en', { numeric: true }).compare);
	if (found.length === 0) throw new Error(`no package is called ${name.source}; run apt-get update`);
	return `${found.at(-1)}:${debian}`;
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

/** The folder of an initramfs that has busybox and an init. */
function tree(folder: string, name: string, busybox: string, init: string): string {
	const root = path.join(folder, name);
	for (const directory of ['bin', 'proc', 'sys', 'dev', 'disk', 'modules']) mkdirSync(path.join(root, directory), { recursive: true });
	copyFileSync(busybox, path.join(root, 'bin/busybox'));
	writeFileSync(path.join(root, 'init'), init, { mode: 0o755 });
	return root;
}

function archived(root: string): string {
	execFileSync('sh', ['-c', 'find . | cpio -o -H newc --quiet > "$1"', 'sh', `${root}.cpio`], { cwd: root });
	return `${root}.cpio`;
}

/** Modules, a disk, the probes of an architecture that has no events, and the programs. */
function furnish(tree: string, guest: Guest, list: readonly Workload[], root: string, folder: string): void {
	writeFileSync(path.join(tree, 'modules/order'), modules(root, path.join(tree, 'modules')).join('\n'));
	execFileSync('mke2fs', ['-q', '-t', 'ext4', path.join(tree, 'disk.img'), '12M'], { stdio: ['ignore', 'ignore', 2] });
	if (guest.debian === 'arm64') writeFileSync(path.join(tree, 'probes'), `${probesOf(imageOf(root)).join('\n')}\n`);
	const work = path.join(folder, 'programs');
	mkdirSync(work);
	copyFileSync(build(list, work, guest.compiler), path.join(tree, 'oracle'));
}

/** The kernel as it lies in memory. */
function imageOf(root: string): Buffer {
	const [name = ''] = readdirSync(path.join(root, 'boot')).filter((file) => file.startsWith('vmlinuz'));
	const bytes = readFileSync(path.join(root, 'boot', name));
	return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes;
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

function recordingOf(text: string, list: readonly Workload[], config: string, arch: string): Recording {
	const lines = text.split(/\r?\n/);
	const machine = machineOf(JSON.parse(lines.find((line) => line.startsWith('{"release"')) ?? '{}'), config, arch);
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
