import { version } from '../package.json';

/** Version of this Faultline, as reports and `--version` print it. */
export const VERSION: string = version;
