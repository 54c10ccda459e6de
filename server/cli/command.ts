import { readArguments } from './arguments.ts';
import { CLEAN, type Host, UNUSABLE, UsageError } from './host.ts';

/** Runs one command line and returns the exit status. Commands are loaded when they are used. */
export async function runCommandLine(argv: readonly string[], host: Host): Promise<number> {
	try {
		return await dispatch(argv, host);
	} catch (error) {
		if (!(error instanceof UsageError)) throw error;
		host.err(`faultline: ${error.message}\n`);
		if (argv.length === 0) host.err((await import('./usage.ts')).USAGE);
		return UNUSABLE;
	}
}

async function dispatch(argv: readonly string[], host: Host): Promise<number> {
	const options = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : argv.length);
	if (argv[0] === 'lsp' && !options.includes('--help')) {
		await host.serve(argv.slice(1));
		return CLEAN;
	}
	if (options.includes('--help') || options.includes('-h') || argv[0] === 'help') {
		host.out((await import('./usage.ts')).USAGE);
		return CLEAN;
	}
	if (options.includes('--version')) {
		host.out(`${(await import('../version.ts')).VERSION}\n`);
		return CLEAN;
	}
	const args = readArguments(argv);
	if (args.command === 'review') return (await import('./review.ts')).reviewCommand(args, host);
	if (args.command === 'run') return (await import('./run.ts')).runCommand(args, host);
	if (args.command === 'list') return (await import('./list.ts')).listCommand(args, host);
	return (await import('./explain.ts')).explainCommand(args, host);
}
