import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Timeline, TimelineStep } from '../../server/session/results-protocol.ts';
import { type Move, type Place, Run, type Thread } from './run.ts';
import { type Schedule, scheduleOf } from './schedule.ts';
import { type Shown, scopesOf } from './variables.ts';

type Side = 'before' | 'after';

/** A document as the debugger's client knows it. */
export interface ReplayedDocument {
	readonly path: string;
	readonly name: string;
	/** The client may name one file in several ways. */
	isSame(path: string): boolean;
}

/** What a session needs of the outside. */
export interface ReplayHost {
	/** Rejects with what is wrong in words, also when it is aborted. */
	open(document: string, finding: number, abort: AbortSignal): Promise<{ readonly timeline: Timeline; readonly document: ReplayedDocument }>;
	/** Called before the first stop, with the text that steps are shown in which stand on no line of the patch; answers where the client finds it. */
	begin(schedule: { readonly name: string; readonly text: string }): Promise<string>;
	/** Tells the user why a session ends or does not begin. */
	say(message: string): void;
}

interface Replay {
	readonly timeline: Timeline;
	readonly document: ReplayedDocument;
	readonly side: Side;
	readonly run: Run;
	readonly schedule: Schedule;
}

/** What is answered, and what is told to the client once it has the answer. */
interface Answer {
	readonly body?: object;
	readonly after?: () => void;
}

type Handler = (args: Readonly<Record<string, unknown>>) => Answer | Promise<Answer>;

/**
 * A recorded run as a debuggee: it answers the Debug Adapter Protocol, moves through the steps and computes none of them. The whole
 * machine stops at each step; the thread that acted is the one that is told to have stopped.
 */
export class ReplaySession {
	#seq = 0;
	#isOver = false;
	#replay: Replay | undefined;
	#schedulePath: string | undefined;
	#at = 0;
	#breakpoints: DebugProtocol.Breakpoint[] = [];
	/** What a reference to variables stands for, until the next move. */
	#shown: (() => readonly Shown[])[] = [];
	readonly #abort = new AbortController();

	constructor(
		readonly host: ReplayHost,
		readonly send: (message: DebugProtocol.ProtocolMessage) => void,
	) {}

	/** Answers every request, whatever it is. */
	async handle(message: DebugProtocol.ProtocolMessage): Promise<void> {
		if (message.type !== 'request') return;
		const request = message as DebugProtocol.Request;
		const answered = { type: 'response', request_seq: request.seq, command: request.command } as const;
		try {
			const handler = this.#handlers[request.command];
			if (handler === undefined) throw new Error(`a replay does not know the request ${request.command}`);
			const { body, after } = await handler((request.arguments ?? {}) as Readonly<Record<string, unknown>>);
			this.#send<DebugProtocol.Response>({ ...answered, success: true, ...(body === undefined ? {} : { body }) });
			after?.();
		} catch (error) {
			const text = error instanceof Error ? error.message : String(error);
			this.#send<DebugProtocol.ErrorResponse>({ ...answered, success: false, message: text, body: { error: { id: 1, format: text, showUser: false } } });
			// A session that was given up meanwhile has nothing to complain about.
			if (request.command === 'launch' && !this.#isOver) this.host.say(`The finding cannot be replayed: ${text}.`);
		}
	}

	/** Ends the session because of something outside of it. */
	end(why: string): void {
		if (this.#isOver) return;
		this.host.say(`The replay has ended: ${why}.`);
		this.#over();
	}

	/** Says nothing any more. */
	dispose(): void {
		this.#isOver = true;
		this.#abort.abort();
	}

	readonly #handlers: Readonly<Record<string, Handler>> = {
		initialize: () => ({
			body: {
				supportsConfigurationDoneRequest: true,
				supportsStepBack: true,
				supportsRestartRequest: true,
				supportsTerminateRequest: true,
				supportsExceptionInfoRequest: true,
			} satisfies DebugProtocol.Capabilities,
		}),
		launch: (args) => this.#launch(args),
		setBreakpoints: (args) => this.#setBreakpoints(args as unknown as DebugProtocol.SetBreakpointsArguments),
		setExceptionBreakpoints: () => ({}),
		configurationDone: () => ({ after: () => void this.#begin() }),
		threads: () => ({ body: { threads: this.#replayed().run.threads.map(({ id, name }) => ({ id, name })) } }),
		stackTrace: ({ threadId, startFrame, levels }) => this.#stackTrace(this.#thread(threadId), Number(startFrame ?? 0), Number(levels ?? 0)),
		scopes: ({ frameId }) => this.#scopes(this.#thread(Math.floor(Number(frameId) / FRAMES))),
		variables: ({ variablesReference }) => ({ body: { variables: this.#variables(Number(variablesReference)) } }),
		exceptionInfo: () => ({ body: this.#exceptionInfo() }),
		stepIn: () => this.#move({ kind: 'forward' }),
		next: ({ threadId }) => this.#move({ kind: 'next', thread: this.#thread(threadId).id }),
		stepOut: ({ threadId }) => this.#move({ kind: 'out', thread: this.#thread(threadId).id }),
		stepBack: () => this.#move({ kind: 'back' }),
		continue: () => this.#move({ kind: 'continue' }, { allThreadsContinued: true }),
		reverseContinue: () => this.#move({ kind: 'reverse' }),
		pause: () => ({ after: () => this.#stopped('pause') }),
		restart: () => ({
			after: () => {
				this.#goTo(0);
				this.#stopped('entry');
			},
		}),
		terminate: () => ({ after: () => this.#over() }),
		disconnect: () => ({ after: () => this.dispose() }),
	};

	async #launch({ document, finding, side = 'after' }: Readonly<Record<string, unknown>>): Promise<Answer> {
		if (typeof document !== 'string' || document === '') throw new Error('the launch configuration names no document');
		if (typeof finding !== 'number' || !Number.isInteger(finding) || finding < 1) throw new Error('the launch configuration has no number of a finding');
		if (side !== 'before' && side !== 'after') throw new Error(`side is "before" or "after", not ${JSON.stringify(side)}`);
		const { timeline, document: opened } = await this.host.open(document, finding, this.#abort.signal);
		if (timeline[side].steps.length === 0) throw new Error(`nothing runs ${side} the patch`);
		this.#replay = { timeline, document: opened, side, run: new Run(timeline[side]), schedule: scheduleOf(timeline, side, timeline[side]) };
		// Breakpoints can be placed from now on.
		return { after: () => this.#event('initialized') };
	}

	async #begin(): Promise<void> {
		if (this.#replay === undefined) return;
		// Without it, those steps have names, but no place.
		this.#schedulePath = await this.host.begin({ name: this.#scheduleName(), text: this.#replay.schedule.text }).catch(() => undefined);
		this.#stopped('entry');
	}

	#replayed(): Replay {
		if (this.#replay === undefined) throw new Error('nothing is replayed yet');
		return this.#replay;
	}

	#thread(id: unknown): Thread {
		const thread = this.#replayed().run.threads.find((one) => one.id === id);
		if (thread === undefined) throw new Error(`there is no thread ${String(id)}`);
		return thread;
	}

	#present(): TimelineStep {
		return this.#replayed().run.steps[this.#at] as TimelineStep;
	}

	#goTo(at: number): void {
		this.#at = at;
		this.#shown = [];
	}

	#move(move: Move, body?: object): Answer {
		const { run } = this.#replayed();
		const place = run.move(this.#at, move, new Set(this.#breakpoints.flatMap(({ verified, line }) => (verified && line !== undefined ? [line] : []))));
		const after = (): void => {
			this.#goTo(place.at);
			this.#stopped(place.because === 'breakpoint' ? 'breakpoint' : 'step', place);
		};
		return { ...(body === undefined ? {} : { body }), after };
	}

	#stopped(reason: DebugProtocol.StoppedEvent['body']['reason'], { because }: Partial<Place> = {}): void {
		if (this.#replay === undefined) return;
		const { run } = this.#replay;
		const { kind, text, line } = this.#present();
		const isHarm = kind === 'harm';
		const edge = because !== 'edge' ? '' : this.#at === 0 ? 'Beginning of the run: ' : 'End of the run: ';
		this.#event('stopped', {
			reason: isHarm ? 'exception' : reason,
			description: `${edge}${isHarm ? 'harm at step' : 'step'} ${this.#at + 1} of ${run.steps.length}`.replace(/^./, (first) => first.toUpperCase()),
			...(isHarm ? { text } : {}),
			threadId: run.threadAt(this.#at).id,
			allThreadsStopped: true,
			...(reason === 'breakpoint' && !isHarm
				? { hitBreakpointIds: this.#breakpoints.flatMap(({ id, line: at }) => (at === line && id !== undefined ? [id] : [])) }
				: {}),
		});
	}

	#setBreakpoints({ source, breakpoints = [] }: DebugProtocol.SetBreakpointsArguments): Answer {
		const { run, document, side } = this.#replayed();
		const isHere = source.path !== undefined && document.isSame(source.path);
		const ran = new Set(run.steps.flatMap(({ line }) => line ?? []));
		const placed = breakpoints.map(({ line }): DebugProtocol.Breakpoint => {
			if (isHere && ran.has(line)) return { id: line, verified: true, line };
			const next = Math.min(...[...ran].filter((one) => one > line));
			const more = Number.isFinite(next) ? `; the next one is on line ${next}` : '';
			const message = isHere ? `No step of the run ${side} the patch is on line ${line}${more}.` : `The replay is of ${document.name} only.`;
			return { ...(isHere ? { id: line } : {}), verified: false, line, message };
		});
		if (isHere) this.#breakpoints = placed;
		return { body: { breakpoints: placed } };
	}

	#stackTrace(thread: Thread, startFrame: number, levels: number): Answer {
		const frames = this.#frames(thread);
		return { body: { stackFrames: frames.slice(startFrame, levels > 0 ? startFrame + levels : undefined), totalFrames: frames.length } };
	}

	/** What a thread did last, the function in which it did that, and what its program asked for: the innermost first. */
	#frames(thread: Thread): DebugProtocol.StackFrame[] {
		const { run, schedule, document } = this.#replayed();
		const at = run.lastStepOf(thread, this.#at);
		const step = at === undefined ? undefined : run.steps[at];
		const frame = (depth: number, name: string, place: FramePlace): DebugProtocol.StackFrame => ({
			...{ id: thread.id * FRAMES + depth, name, column: 1 },
			...place,
		});
		if (at === undefined || step === undefined) return [frame(0, 'has not begun yet', NOWHERE)];
		const path = this.#schedulePath;
		const inSchedule = (i: number): FramePlace =>
			path === undefined ? NOWHERE : { source: { name: this.#scheduleName(), path }, line: schedule.lines[i] ?? 1 };
		const onPatch = step.line === null ? undefined : { source: { name: document.name, path: document.path }, line: step.line };
		const outer = step.task === '' ? [] : [frame(2, `${thread.name}: ${step.call === '' ? 'user space' : step.call}`, inSchedule(run.beginOfCall(at)))];
		return [frame(0, step.text, onPatch ?? inSchedule(at)), ...(step.place === '' ? [] : [frame(1, step.place, inSchedule(at))]), ...outer];
	}

	#scheduleName(): string {
		const { document, timeline, side } = this.#replayed();
		return `${document.name} #${timeline.number} ${side}`;
	}

	#scopes(thread: Thread): Answer {
		const { timeline, side, run } = this.#replayed();
		const scopes = scopesOf(timeline, side, run, thread, this.#at).map(({ name, content }) => ({
			...{ name, expensive: false },
			variablesReference: this.#refer(content),
		}));
		return { body: { scopes } };
	}

	#refer(content: () => readonly Shown[]): number {
		return this.#shown.push(content);
	}

	#variables(reference: number): DebugProtocol.Variable[] {
		const content = this.#shown[reference - 1];
		if (content === undefined) throw new Error('these variables are of another step');
		return content().map(({ name, value, inside }) => ({
			...{ name, value, presentationHint: { attributes: ['readOnly'] } },
			variablesReference: inside === undefined ? 0 : this.#refer(() => inside),
		}));
	}

	#exceptionInfo(): DebugProtocol.ExceptionInfoResponse['body'] {
		const { timeline } = this.#replayed();
		const { kind, text, rule = timeline.rule } = this.#present();
		if (kind !== 'harm') throw new Error('nothing is harmed by this step');
		const details = rule === timeline.rule ? { details: { message: `#${timeline.number}: ${timeline.message}` } } : {};
		return { exceptionId: rule, description: text.replace(/^HARM: /, ''), breakMode: 'always', ...details };
	}

	/** Tells the client that there is nothing to debug any more. */
	#over(): void {
		this.#event('terminated');
		this.dispose();
	}

	#event(event: string, body?: object): void {
		if (!this.#isOver) this.#send<DebugProtocol.Event>({ type: 'event', event, ...(body === undefined ? {} : { body }) });
	}

	#send<M extends DebugProtocol.ProtocolMessage>(message: Omit<M, 'seq'>): void {
		this.send({ ...message, seq: ++this.#seq } as unknown as M);
	}
}

type FramePlace = Pick<DebugProtocol.StackFrame, 'source' | 'line' | 'presentationHint'>;

const NOWHERE: FramePlace = { line: 0, presentationHint: 'subtle' };

/** Frames that a thread may have, which is how their numbers name it. */
const FRAMES = 10;
