import type { Report, RunReport } from '../review/report.ts';

/** The report as JSON, the contract of docs/report.schema.json and docs/run.schema.json. */
export function formatJson(report: Report | RunReport): string {
	return `${JSON.stringify(report, null, 2)}\n`;
}
