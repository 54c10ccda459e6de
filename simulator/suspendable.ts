/**
 * The simulator in its suspendable form, which can be explored. Bundlers put that form here (scripts/suspendable.mjs makes it of the
 * same sources); without one this is the usual form, whose `explore` says that it cannot.
 */
export { createSimulator } from './simulate.ts';
