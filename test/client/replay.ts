import type { DebugProtocol } from '@vscode/debugprotocol';
import { type ReplayedDocument, type ReplayHost, ReplaySession } from '../../client/replay/session.ts';
import type { Timeline } from '../../server/formats/steps.ts';
import { timelineOf } from '../../server/formats/timeline.ts';
import { parseDocument } from '../../server/patch/read.ts';
import { evidenceOf } from '../../server/review/evidence.ts';
import { finishReview, reviewDocument } from '../../server/review/review.ts';
import { DEFAULT_SETTINGS } from '../../server/review/settings.ts';
import { loadSimulator } from '../../server/simulator-host.ts';

/** What the server answers for each finding of a patch on x86-64, by rule. */
export async function timelinesOf(text: string, explore: number): Promise<ReadonlyMap<string, Timeline>> {
	const simulator = await loadSimulator();
	const settings = { ...DEFAULT_SETTINGS, explore, arch: ['x86-64'] };
	const parsed = parseDocument('x.patch', text, {});
	const [report] = finishReview(reviewDocument(parsed, simulator, settings)).patches;
	const timelines = new Map<string, Timeline>();
	for (const [i, finding] of (report?.findings ?? []).entries()) {
		const evidence = report === undefined ? null : evidenceOf(parsed, 0, report, finding, simulator, settings);
		if (evidence !== null) timelines.set(finding.rule, timelineOf(evidence, i + 1));
	}
	return timelines;
}

export const SCHEDULE = 'faultline-schedule:/x';
export const PATH = 'file:///home/x.patch';

const document: ReplayedDocument = { path: PATH, name: 'x.patch', isSame: (path) => path === PATH || path === '/home/x.patch' };

/** The editor's half of a debug session: sends requests, keeps what comes. */
export class Debugger {
	readonly said: string[] = [];
	/** Lines of the text that steps are in which stand on no line of the patch. */
	schedule: readonly string[] = [];
	readonly events: DebugProtocol.Event[] = [];
	/** Everything in the order in which it was sent. */
	readonly sent: DebugProtocol.ProtocolMessage[] = [];
	readonly session: ReplaySession;
	#seq = 0;
	readonly #responses = new Map<number, DebugProtocol.Response>();

	constructor(timeline: Timeline | ReplayHost['open']) {
		const host: ReplayHost = {
			open: typeof timeline === 'function' ? timeline : async () => ({ timeline, document }),
			begin: async ({ text }) => {
				this.schedule = text.split('\n');
				return SCHEDULE;
			},
			say: (message) => void this.said.push(message),
		};
		this.session = new ReplaySession(host, (message) => {
			this.sent.push(message);
			if (message.type === 'event') this.events.push(message as DebugProtocol.Event);
			else this.#responses.set((message as DebugProtocol.Response).request_seq, message as DebugProtocol.Response);
		});
	}

	async request(command: string, args: object = {}): Promise<DebugProtocol.Response> {
		const seq = ++this.#seq;
		await this.session.handle({ seq, type: 'request', command, arguments: args } as DebugProtocol.Request);
		return this.#responses.get(seq) as DebugProtocol.Response;
	}

	/** What a request is answered with; throws what it is refused with. */
	async ask<T>(command: string, args: object = {}): Promise<T> {
		const { success, message, body } = await this.request(command, args);
		if (!success) throw new Error(message);
		return body as T;
	}

	/** Up to the first stop, as an editor does it. */
	async start(args: object = {}, lines: readonly number[] = []): Promise<readonly DebugProtocol.Breakpoint[]> {
		await this.ask('initialize', { adapterID: 'faultline' });
		await this.ask('launch', { document: PATH, finding: 1, ...args });
		const placed = await this.breakAt(lines);
		await this.ask('configurationDone');
		// What begins the session may take its time.
		await new Promise((resolve) => setImmediate(resolve));
		return placed;
	}

	async breakAt(lines: readonly number[], path = '/home/x.patch'): Promise<readonly DebugProtocol.Breakpoint[]> {
		const body = await this.ask<DebugProtocol.SetBreakpointsResponse['body']>('setBreakpoints', {
			...{ source: { path }, breakpoints: lines.map((line) => ({ line })) },
		});
		return body.breakpoints;
	}

	get stop(): DebugProtocol.StoppedEvent['body'] {
		return this.events.findLast(({ event }) => event === 'stopped')?.body;
	}

	/** Step at which it stands, from 1. */
	get step(): number {
		return Number(/step (\d+) of/i.exec(this.stop.description ?? '')?.[1]);
	}

	async go(command: string, threadId = this.stop.threadId): Promise<number> {
		await this.ask(command, { threadId });
		return this.step;
	}

	async threads(): Promise<readonly DebugProtocol.Thread[]> {
		return (await this.ask<DebugProtocol.ThreadsResponse['body']>('threads')).threads;
	}

	async stack(threadId = this.stop.threadId): Promise<readonly DebugProtocol.StackFrame[]> {
		return (await this.ask<DebugProtocol.StackTraceResponse['body']>('stackTrace', { threadId })).stackFrames;
	}

	/** The variables of the innermost frame by scope, what is inside of one as a table of its own. */
	async variables(threadId = this.stop.threadId): Promise<Readonly<Record<string, Readonly<Record<string, unknown>>>>> {
		const [frame] = await this.stack(threadId);
		const { scopes } = await this.ask<DebugProtocol.ScopesResponse['body']>('scopes', { frameId: frame?.id });
		const all = scopes.map(async ({ name, variablesReference }) => [name, await this.#inside(variablesReference)] as const);
		return Object.fromEntries(await Promise.all(all));
	}

	async #inside(variablesReference: number): Promise<Readonly<Record<string, unknown>>> {
		const { variables } = await this.ask<DebugProtocol.VariablesResponse['body']>('variables', { variablesReference });
		const all = variables.map(
			async ({ name, value, variablesReference: more }) => [name, more === 0 ? value : { value, ...(await this.#inside(more)) }] as const,
		);
		return Object.fromEntries(await Promise.all(all));
	}
}
