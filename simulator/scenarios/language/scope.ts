import type { MapStep, Spot, Target } from './ast.ts';
import type { Cursor } from './cursor.ts';
import { found, notAmong } from './cursor.ts';
import type { Token } from './lex.ts';

/** What keeps a run of a scenario short: everything that a text can ask for has a bound. */
export const LIMITS = {
	/** Pages of one mapping or file, and how often a mapping can be named. */
	pages: 2048,
	names: 24,
	processes: 4,
	rows: 300,
	steps: 600,
	/** Accesses of one program, page by page. */
	accesses: 20000,
	cycles: 10_000_000,
	value: 1_000_000_000,
} as const;

interface Extent {
	/** Pages now, and at most so far: beyond the end an access can still be wanted, to see it refused. */
	pages: number;
	most: number;
}

/** Processes as a program goes on: alive from the row after the fork to the exit. */
interface Life {
	readonly forkedIn: number;
	exitedIn: number | null;
}

/** What the lines read so far have made known: names, their sizes and who is alive. */
export class Scope {
	readonly #files = new Map<string, Extent>();
	readonly #maps = new Map<string, Extent & { readonly at: Spot | null }>();
	readonly #processes = new Map<string, Life>([['', { forkedIn: -1, exitedIn: null }]]);
	readonly #attached = new Set<string>();
	readonly #pinned = new Set<string>();
	#accesses = 0;
	#steps = 0;

	constructor(
		/** Processes that columns belong to. */
		readonly columns: readonly string[],
	) {}

	/** Row and process of the cell that is being read. */
	row = 0;
	process = '';

	declareFile(c: Cursor, name: string, pages: number): void {
		if (name === 'anon' || this.#files.has(name)) c.wrong(`a file called ${name} exists already`);
		this.#files.set(name, { pages, most: pages });
		this.#countNames(c);
	}

	/** The name of a mapping that is to exist from now on. A name that was used keeps its place. */
	map(c: Cursor, { name, pages, at }: Pick<MapStep, 'name' | 'pages' | 'at'>): void {
		if (this.#files.has(name)) c.wrong(`${name} is a file: give the mapping another name`);
		const known = this.#maps.get(name);
		if (known !== undefined && (at?.name !== known.at?.name || at?.page !== known.at?.page) && at !== null)
			c.wrong(`${name} lies elsewhere already: a name has one place; use another name`);
		if (at !== null) this.#reach(c, at, pages);
		this.#maps.set(name, { pages, most: Math.max(pages, known?.most ?? 0), at: at ?? known?.at ?? null });
		this.#countNames(c);
	}

	/** What is placed in the range of another mapping makes that range as long as it needs. */
	#reach(c: Cursor, at: Spot, pages: number): void {
		const base = this.#maps.get(at.name);
		if (base === undefined) c.wrong(`there is no mapping ${at.name} to be placed in`);
		base.most = Math.max(base.most, at.page + pages);
	}

	#countNames(c: Cursor): void {
		if (this.#maps.size + this.#files.size > LIMITS.names) c.wrong(`more than ${LIMITS.names} names of mappings and files: a scenario is shorter than that`);
	}

	/** A declaration is wrong: its name is taken for one of any size, so that its uses are not wrong as well. */
	assume([keyword, name]: readonly Token[]): void {
		if (name?.kind !== 'word') return;
		const extent = { pages: LIMITS.pages, most: LIMITS.pages };
		if (keyword?.text === 'file' && !this.#files.has(name.text)) this.#files.set(name.text, extent);
		if (keyword?.text === 'map' && !this.#maps.has(name.text)) this.#maps.set(name.text, { ...extent, at: null });
	}

	resize(c: Cursor, name: string, pages: number): void {
		const extent = this.#files.get(name) ?? this.#maps.get(name);
		if (extent === undefined) c.wrong(`there is no ${name}`);
		extent.pages = pages;
		extent.most = Math.max(extent.most, pages);
	}

	/** The name of a file. */
	file(c: Cursor): string {
		const token = c.word('the name of a file');
		if (!this.#files.has(token.text)) c.wrong(this.#unknown('file', token, [...this.#files.keys()]), token);
		return token.text;
	}

	/** The source of a mapping. */
	source(c: Cursor): string {
		const token = c.word('anon or the name of a file');
		if (token.text !== 'anon' && !this.#files.has(token.text)) c.wrong(notAmong('anon or the name of a file', token, ['anon', ...this.#files.keys()]), token);
		return token.text;
	}

	spot(c: Cursor): Spot {
		const token = c.word('the name of a mapping');
		if (!this.#maps.has(token.text)) c.wrong(this.#unknown('mapping', token, [...this.#maps.keys()]), token);
		c.symbol('+', 'and a page, as in "at b+4"');
		return { name: token.text, page: c.number('the page', 0, LIMITS.pages - 1) };
	}

	/** Pages of a mapping or of a file. */
	target(c: Cursor, of: 'mapping' | 'file'): Target {
		const table: ReadonlyMap<string, Extent> = of === 'mapping' ? this.#maps : this.#files;
		const token = c.word(`the name of a ${of}`);
		const extent = table.get(token.text);
		if (extent === undefined) c.wrong(this.#unknown(of, token, [...table.keys()]), token);
		const range = rangeOf(c);
		const pages = range.pages ?? extent.pages - range.first;
		if (pages <= 0 || range.first + pages > extent.most)
			c.wrong(`page ${range.first + Math.max(pages, 1) - 1} is beyond the end of ${token.text}, which has ${extent.most} pages`, token);
		return { name: token.text, ...range, count: pages };
	}

	#unknown(of: 'mapping' | 'file', token: Token, known: readonly string[]): string {
		const declare = of === 'mapping' ? `"map ${token.text} anon 8 rw"` : `"file ${token.text} 8"`;
		if (known.length === 0) return `there is no ${of} ${token.text}: declare it with a line ${declare} before the columns`;
		return `${notAmong(`the name of a ${of}`, token, known)}, or declare it with a line ${declare}`;
	}

	countStep(c: Cursor): void {
		if (++this.#steps > LIMITS.steps) c.wrong(`more than ${LIMITS.steps} steps: a scenario is shorter than that`);
	}

	countAccesses(c: Cursor, { count, stride }: Target): void {
		this.#accesses += Math.ceil(count / stride);
		if (this.#accesses > LIMITS.accesses) c.wrong(`more than ${LIMITS.accesses} accesses: use fewer pages, or a stride as in a[0+512:16]`);
	}

	/** The process of the cell must be alive. */
	checkAlive(c: Cursor): void {
		const life = this.#processes.get(this.process);
		if (life === undefined || life.forkedIn >= this.row) c.wrong(`${this.process} is not forked before this row: "fork ${this.process}" comes first`);
		if (life.exitedIn !== null) c.wrong(`${this.process === '' ? 'the first process' : this.process} has ended: a process ends in the last of its rows`);
	}

	fork(c: Cursor): string {
		const token = c.word('the name of the child');
		const { text } = token;
		if (!this.columns.includes(text)) c.wrong(`no column belongs to ${text}: write the columns as "CPU0  CPU1 ${text}"`, token);
		if (this.#processes.has(text)) c.wrong(`${text} is forked already: give this child another name`, token);
		if (this.#processes.size >= LIMITS.processes) c.wrong(`more than ${LIMITS.processes} processes`, token);
		this.#processes.set(text, { forkedIn: this.row, exitedIn: null });
		return text;
	}

	exit(): void {
		const life = this.#processes.get(this.process);
		if (life !== undefined) life.exitedIn = this.row;
	}

	/** The process that ended in this row, if any has: no other cell of the row may be its. */
	endedIn(row: number): string | null {
		for (const [name, life] of this.#processes) if (life.exitedIn === row) return name;
		return null;
	}

	attach(): void {
		this.#attached.add(this.process);
	}

	checkAttached(c: Cursor): void {
		if (!this.#attached.has(this.process)) c.wrong('no device follows this process yet: "device-attach" comes first');
	}

	pin(target: Target): void {
		for (let i = 0; i < target.count; i += target.stride) this.#pinned.add(`${this.process} ${target.name} ${target.first + i}`);
	}

	checkPinned(c: Cursor, target: Target, stays: boolean): void {
		for (let i = 0; i < target.count; i += target.stride) {
			const key = `${this.process} ${target.name} ${target.first + i}`;
			if (!this.#pinned.has(key)) c.wrong(`page ${target.first + i} of ${target.name} is not pinned: "pin ${target.name}[${target.first + i}]" comes first`);
			if (!stays) this.#pinned.delete(key);
		}
	}
}

/** `[3]`, `[2+]`, `[2+4]`, `[0+64:16]`, or nothing: all. */
function rangeOf(c: Cursor): Pick<Target, 'first' | 'pages' | 'stride'> {
	if (!c.takes('[')) return { first: 0, pages: null, stride: 1 };
	const first = c.number('the first page', 0, LIMITS.pages - 1);
	let pages: number | null = 1;
	let stride = 1;
	if (c.takes('+')) {
		pages = c.here.kind === 'number' ? c.number('the number of pages', 1, LIMITS.pages) : null;
		if (c.takes(':')) stride = c.number('the stride', 1, LIMITS.pages);
	}
	if (!c.takes(']')) c.wrong(`${found(c.here)} in a range: write [3], [2+4], [2+] or [0+64:16]`);
	return { first, pages, stride };
}
