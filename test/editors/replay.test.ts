import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Fixture, quick, startFixture } from './fixture.ts';
import { act, rows, runCommand } from './vscode.ts';

let fixture: Fixture;

beforeAll(async () => {
	fixture = await startFixture({ settings: quick });
	await fixture.errors.first().waitFor({ timeout: 90_000 });
	await fixture.lenses.filter({ hasText: /findings/ }).waitFor();
	// Room for a patch and what it runs through.
	await fixture.page.setViewportSize({ width: 1600, height: 900 });
});

afterAll(() => fixture?.stop());

const patchLine = (text: string) => fixture.page.locator('.view-line', { hasText: text }).last();
const toolbar = () => fixture.page.locator('.debug-toolbar');
const press = (icon: string) => toolbar().locator(`.codicon-debug-${icon}`).click();
const callStack = (text: string | RegExp) => fixture.page.locator('.debug-call-stack .monaco-list-row', { hasText: text }).first();
const variable = (text: string | RegExp) => fixture.page.locator('.debug-variables .monaco-list-row', { hasText: text }).first();
const highlighted = () => fixture.page.locator('.debug-top-stack-frame-line');

/** Lines are highlighted by what lies below them. */
async function isHighlighted(text: string): Promise<void> {
	await highlighted().first().waitFor();
	const box = await highlighted().first().boundingBox();
	expect(Math.abs((box?.y ?? 0) - ((await patchLine(text).boundingBox())?.y ?? 0))).toBeLessThan(3);
}

it('replays the leak of a patch in the debugger, from the palette', async () => {
	const { page } = fixture;
	await patchLine('unlock_page(page);').click();
	await runCommand(page, 'Debug: Toggle Breakpoint');
	await page.locator('.codicon-debug-breakpoint').first().waitFor();
	await patchLine('does not interest anybody').click();
	await runCommand(page, 'Faultline: Replay Finding');
	await rows(page, 'folio-leak').first().click();
	await toolbar().waitFor();
	// The CPUs are threads; the program's one is at its first step.
	await callStack(/CPU0 reader/).waitFor();
	await callStack(/After the run/).waitFor();
	await callStack(/^load A\[0\]/).waitFor();
	await page.locator('.tab', { hasText: 'draft.patch #2 after' }).waitFor();
	await highlighted().first().waitFor();
	await fixture.shot('replay-begin');
});

it('stops on the line of a breakpoint, with what changes there', async () => {
	const { page } = fixture;
	await press('continue');
	await callStack('flag file1[0..511]: locked -> not locked').waitFor();
	await variable(/file1\[0\.\.511\] locked.*yes -> no/).waitFor();
	await isHighlighted('unlock_page(page);');
	await variable('Folios').click();
	await variable(/references.*2/).waitFor();
	await page.locator('.codicon-debug-stackframe-focused, .codicon-debug-stackframe').first().waitFor();
	await fixture.shot('replay-breakpoint');
});

it('steps forward and back', async () => {
	await press('step-into');
	await callStack(/returns 1 from filemap_map_pmd/).waitFor();
	await isHighlighted('return true;');
	await press('step-back');
	await callStack(/locked -> not locked/).waitFor();
	await press('step-back');
	await callStack(/call filemap_map_pmd/).waitFor();
	await isHighlighted('struct mm_struct *mm');
	await press('step-over');
	await callStack(/locked -> not locked/).waitFor();
});

it('goes on to the harm, which it shows as an exception, and back', async () => {
	const { page } = fixture;
	await patchLine('unlock_page(page);').click();
	await runCommand(page, 'Debug: Toggle Breakpoint');
	await page.locator('.debug-breakpoints .monaco-list-row').first().waitFor({ state: 'detached' });
	await press('continue');
	await page.locator('.exception-widget', { hasText: 'no-progress' }).waitFor();
	await press('continue');
	const widget = page.locator('.exception-widget', { hasText: 'folio-leak' });
	await widget.waitFor();
	expect(await widget.textContent()).toContain('a folio reference is never dropped');
	await fixture.shot('replay-harm');
	await press('reverse-continue');
	await page.locator('.exception-widget', { hasText: 'no-progress' }).waitFor();
	await press('restart');
	await callStack(/^load A\[0\]/).waitFor();
});

it('ends without a trace, and without a notification', async () => {
	const { page } = fixture;
	await press('stop');
	await toolbar().waitFor({ state: 'hidden' });
	await page.locator('.tab', { hasText: 'draft.patch #2 after' }).waitFor({ state: 'detached' });
	expect(await fixture.toasts.count()).toBe(0);
	expect(fixture.vscode.extensionLog().filter((line) => /\[(warning|error)\]/.test(line))).toEqual([]);
});

it('begins from the action on a finding, and from the results view on the side that is shown there', async () => {
	const { page } = fixture;
	const schedule = (side: string) => page.locator('.tab', { hasText: `draft.patch #2 ${side}` });
	await act(page, patchLine('unlock_page(page);'), 'Replay #2 folio-leak in the debugger');
	await schedule('after').waitFor();
	await callStack(/CPU0 reader/).waitFor();
	await press('stop');
	await schedule('after').waitFor({ state: 'detached' });
	await patchLine('unlock_page(page);').click();
	await runCommand(page, 'Faultline: Show Trace');
	const view = page.frameLocator('iframe.webview.ready').frameLocator('iframe#active-frame');
	await view.getByRole('radio', { name: 'Before the patch' }).click();
	await view.getByRole('button', { name: 'Replay in Debugger' }).click();
	await schedule('before').waitFor();
	await callStack(/CPU0 reader/).waitFor();
	await fixture.shot('replay-before');
	await press('stop');
	await schedule('before').waitFor({ state: 'detached' });
});

it('begins with F5 on the line of a finding, and ends with a word when the patch is edited', async () => {
	const { page } = fixture;
	await patchLine('unlock_page(page);').click();
	await page.keyboard.press('F5');
	await callStack(/CPU0 reader/).waitFor();
	await page.locator('.tab', { hasText: 'draft.patch #2 after' }).waitFor();
	await patchLine('return true;').click();
	await page.keyboard.type('x');
	await fixture.toasts.filter({ hasText: 'The replay has ended: draft.patch was edited.' }).waitFor();
	await toolbar().waitFor({ state: 'hidden' });
	expect(await fixture.toasts.count()).toBe(1);
	await fixture.shot('replay-edited');
});
