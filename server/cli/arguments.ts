import { UsageError } from './host.ts';
import { unknownName } from './nearest.ts';

/** A command line taken apart; values of an option in the order given, lists already split at commas. */
export interface Arguments {
	readonly command: string;
	readonly operands: readonly string[];
	readonly options: ReadonlyMap<string, readonly string[]>;
}

interface Option {
	/** Commands that take it. */
	readonly of: readonly string[];
	/** `list` splits at commas and may be repeated; `none` is a switch. */
	readonly takes: 'one' | 'list' | 'none';
	/** Commands for which it is a switch all the same. */
	readonly switchOf?: readonly string[];
	/** Named in the design, not in this version: refused instead of silently ignored. */
	readonly later?: true;
}

export const COMMANDS = ['review', 'run', 'list', 'explain', 'lsp'] as const;

const LATER_COMMANDS: ReadonlySet<string> = new Set(['merge']);

const OPTIONS: ReadonlyMap<string, Option> = new Map<string, Option>([
	['arch', { of: ['review', 'run'], takes: 'list' }],
	['kernel', { of: ['review', 'run', 'list', 'explain'], takes: 'one' }],
	['policy', { of: ['review', 'run'], takes: 'list' }],
	['scenario', { of: ['review'], takes: 'list' }],
	['format', { of: ['review', 'run', 'list'], takes: 'one' }],
	['fail-on', { of: ['review'], takes: 'one' }],
	['seed', { of: ['review', 'run'], takes: 'one' }],
	['tree', { of: ['review'], takes: 'one' }],
	['no-tree', { of: ['review'], takes: 'none' }],
	['git', { of: ['review'], takes: 'none' }],
	['staged', { of: ['review'], takes: 'none' }],
	['explore', { of: ['review', 'run'], takes: 'one' }],
	['schedule', { of: ['run'], takes: 'one' }],
	['jobs', { of: ['review', 'run'], takes: 'one' }],
	['shard', { of: ['review'], takes: 'one', later: true }],
	['explain', { of: ['review', 'run'], takes: 'one', switchOf: ['run'] }],
]);

/** Reads a command line. Throws UsageError with one line that names the mistake and the nearest valid spelling. */
export function readArguments(argv: readonly string[]): Arguments {
	const [command, ...rest] = argv;
	if (command === undefined) throw new UsageError('no command');
	if (LATER_COMMANDS.has(command)) throw new UsageError(`${command} is not available in this version`);
	if (!COMMANDS.some((known) => known === command)) throw new UsageError(unknownName('command', command, COMMANDS));
	const operands: string[] = [];
	const options = new Map<string, string[]>();
	for (let i = 0; i < rest.length; i++) {
		const word = rest[i] as string;
		if (word === '--') {
			operands.push(...rest.slice(i + 1));
			break;
		}
		if (word === '-' || !word.startsWith('-')) {
			operands.push(word);
			continue;
		}
		const [name, option, inline] = optionOf(word, command);
		if (option.takes === 'none' || option.switchOf?.includes(command) === true) {
			if (inline !== null) throw new UsageError(`--${name} takes no value`);
			options.set(name, []);
			continue;
		}
		const value = inline ?? rest[++i];
		if (value === undefined || (inline === null && value.startsWith('--'))) throw new UsageError(`--${name} needs a value`);
		const values = option.takes === 'list' ? value.split(',').filter((part) => part !== '') : [value];
		if (values.length === 0 || values[0] === '') throw new UsageError(`--${name} needs a value`);
		if (option.takes === 'one' && options.has(name)) throw new UsageError(`--${name} is given twice`);
		options.set(name, [...(options.get(name) ?? []), ...values]);
	}
	return { command, operands, options };
}

function optionOf(word: string, command: string): [name: string, option: Option, value: string | null] {
	const [, name = '', value] = /^--?([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
	const option = word.startsWith('--') ? OPTIONS.get(name) : undefined;
	const known = [...OPTIONS].filter(([, o]) => o.of.includes(command) && o.later !== true).map(([n]) => `--${n}`);
	if (option === undefined) throw new UsageError(unknownName('option', word.split('=', 1)[0] as string, known));
	if (!option.of.includes(command)) throw new UsageError(`${command} has no option --${name}`);
	if (option.later === true) throw new UsageError(`--${name} is not available in this version`);
	return [name, option, value ?? null];
}
