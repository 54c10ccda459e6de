import type { ReportAnswer, Timeline } from '../../server/session/results-protocol.ts';

/** From the extension to the page. */
export type ToView =
	| { readonly kind: 'report'; readonly name: string; readonly answer: ReportAnswer }
	| { readonly kind: 'tracing'; readonly finding: number }
	| { readonly kind: 'timeline'; readonly timeline: Timeline }
	| { readonly kind: 'problem'; readonly detail: string }
	| { readonly kind: 'stopped'; readonly detail: string; readonly canRestart: boolean };

/** From the page to the extension. */
export type FromView =
	| { readonly kind: 'ready' | 'table' | 'restart' }
	/** Step through a finding; show it as text. */
	| { readonly kind: 'open' | 'text'; readonly finding: number }
	/** The same steps in the editor's debugger. */
	| { readonly kind: 'replay'; readonly finding: number; readonly side: 'before' | 'after' }
	/** Show a line of the patch, 1-based. */
	| { readonly kind: 'reveal'; readonly line: number };
