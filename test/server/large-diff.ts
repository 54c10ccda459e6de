/** A diff of some 200,000 lines: many files, many functions, half of them in mm. */
export function largeDiff(files = 200): string {
	const out = ['From: A <a@example.org>', 'Date: Wed, 30 Oct 2024 10:00:00 +0000', 'Subject: [PATCH] mm: change everything', '', '---'];
	for (let f = 0; f < files; f++) {
		const name = f % 2 === 0 ? `drivers/x/file${f}.c` : `mm/file${f}.c`;
		out.push(`diff --git a/${name} b/${name}`, `--- a/${name}`, `+++ b/${name}`);
		for (let h = 0; h < 100; h++) {
			out.push(`@@ -${h * 50 + 1},7 +${h * 50 + 1},8 @@ static int function_${f}_${h}(struct vm_area_struct *vma)`);
			out.push(' \tstruct mm_struct *mm = vma->vm_mm;', ' \tint ret = 0;', ' ', `-\tret = old_call_${h}(mm, vma);`, `+\tret = new_call_${h}(mm, vma);`);
			out.push('+\tif (ret)', ' \t\treturn ret;', ' \treturn 0;', ' }');
		}
	}
	return `${out.join('\n')}\n`;
}
