// In the place of VS Code's native module for logs (`@vscode/spdlog`), which would have to be compiled: the same files, written at once.
const { appendFileSync, mkdirSync } = require('node:fs');
const path = require('node:path');

const levels = ['trace', 'debug', 'info', 'warning', 'error', 'critical', 'off'];

class Logger {
	#file;
	#level = 2;
	#formats = true;

	constructor(_type, _name, file) {
		this.#file = file;
		mkdirSync(path.dirname(file), { recursive: true });
		appendFileSync(file, '');
	}

	trace = (message) => this.#write(0, message);
	debug = (message) => this.#write(1, message);
	info = (message) => this.#write(2, message);
	warn = (message) => this.#write(3, message);
	error = (message) => this.#write(4, message);
	critical = (message) => this.#write(5, message);

	getLevel() {
		return this.#level;
	}

	setLevel(level) {
		this.#level = level;
	}

	clearFormatters() {
		this.#formats = false;
	}

	setPattern() {
		this.#formats = true;
	}

	flush() {}

	drop() {}

	#write(level, message) {
		if (level < this.#level) return;
		const time = new Date().toISOString().replace('T', ' ').slice(0, 23);
		appendFileSync(this.#file, this.#formats ? `${time} [${levels[level]}] ${message}\n` : message);
	}
}

const create = async (name, file) => new Logger('rotating', name, file);

// One by one, so that an import of it sees the names.
exports.Logger = Logger;
exports.version = 0;
exports.setLevel = () => {};
exports.setFlushOn = () => {};
exports.createRotatingLogger = create;
exports.createAsyncRotatingLogger = create;
