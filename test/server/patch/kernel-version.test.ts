import { describe, expect, it } from 'vitest';
import { KERNEL_RELEASES, kernelForDate } from '../../../server/patch/kernel-version.ts';
import { read } from './show.ts';

const infer = (lines: readonly string[], kernel?: string): string => {
	const [patch] = read(lines, kernel).patches;
	return `${patch?.kernel} ${patch?.kernelFrom}`;
};

const DATE = 'Date: Thu, 28 Jan 2022 04:09:31 -0800';
const mail = (subject: string, ...body: string[]): string[] => [`Subject: ${subject}`, DATE, '', ...body];
const diff = (...lines: string[]): string[] => ['--- a/mm/a.c', '+++ b/mm/a.c', `@@ -1 +1,${lines.length} @@`, '-int a;', ...lines.map((line) => `+${line}`)];

describe('kernel version', () => {
	it.each([
		['2018-01-01', '5.0'],
		['2020-07-08', '5.8'],
		['2020-08-01', '5.8'],
		['2020-08-02', '5.9'],
		['2022-10-01', '6.0'],
		['2025-11-29', '6.18'],
		['2031-01-01', '6.18'],
	])('%s belongs to %s', (date, version) => expect(kernelForDate(date)).toBe(version));

	it('lists releases in order', () => {
		const dates = KERNEL_RELEASES.map(({ date }) => date);
		expect(dates).toEqual([...dates].sort());
	});

	it.each<readonly [string, string]>([
		['The series applies on top of linux v5.16-rc1; for inclusion into v5.18.', '5.16 text'],
		['based on v5.16', '5.16 text'],
		['base-commit: e783362eb54cd99b2cac8b3a9aeac942e6f6ac07 (v5.15-rc3)', '5.15 text'],
		['Rebased onto Linux 5.15.', '5.15 text'],
		['This is against v4.19-rc2', '4.19 text'],
		['I tested v5.16 and it works', '5.16 text'],
		['CPU: 0 PID: 1 Comm: x Not tainted 5.16.0-rc4+ #1', '5.16 text'],
		['Broken since v5.16', '5.17 date'],
		['Cc: stable@vger.kernel.org # v5.16+', '5.17 date'],
		['Fixes: 0123456789ab ("mm: x in v5.16")', '5.17 date'],
		['I saw it on v4.9', '5.17 date'],
		['changes in v10, v2.39', '5.17 date'],
		['git v2.39 and gcc v5.16', '5.17 date'],
		['see https://x.org/v5.16/mm', '5.17 date'],
		['page 5.16 of the manual', '5.17 date'],
		['v5.16.2.1 is no version', '5.17 date'],
	])('%j gives %s', (line, version) => expect(infer(mail('[PATCH v10 1/2] mm: x', line))).toBe(version));

	it.each<readonly [string, string]>([
		['[PATCH 5.10 3/7] mm: x', '5.10 text'],
		['[PATCH 6.1.y] mm: x', '6.1 text'],
		['[PATCH v5.1 3/7] mm: x', '5.17 date'],
		['[PATCH v10 1/2] mm: x', '5.17 date'],
	])('the subject %j gives %s', (subject, version) => expect(infer(mail(subject))).toBe(version));

	it.each<readonly [string, string]>([
		['6.4', '6.4 option'],
		['v6.4-rc2', '6.4 option'],
		['latest', '5.17 date'],
		['', '5.17 date'],
	])('the option %j gives %s', (option, version) => expect(infer(mail('[PATCH] x'), option)).toBe(version));

	it.each<readonly [string, readonly string[], string]>([
		['a young name', ['vmf_can_call_fault(vmf);'], '6.7 names'],
		['folio names', ['folio_put(folio);'], '5.16 names'],
		['a name that is gone', ['down_read(&mm->mmap_sem);'], '5.7 names'],
		['both', ['folio_put(folio);', 'page_remove_rmap(page);'], '6.7 names'],
		['neither', ['x();'], '6.18 names'],
		['hostile names', ['constructor(__proto__);'], '6.18 names'],
	])('without a date, %s', (_, lines, version) => expect(infer(diff(...lines))).toBe(version));

	it('does not read versions in the changed code', () => {
		expect(infer(mail('[PATCH] x', ...diff('/* applies on top of v5.16 */')))).toBe('5.17 date');
	});
});
