import { builtinScenarios } from './builtin/index.ts';
import { faultAroundHuge, faultAroundHugeLocked, faultAroundValueEntry } from './fault-around.ts';
import { pageFault3Retry } from './page-fault3-retry.ts';
import { retriedFaultAged, retriedFaultWrprotected } from './retried-fault.ts';
import type { Scenario } from './scenario.ts';
import { spfScaling } from './spf.ts';
import { folioLockNowait, swapinIo } from './swapin-io.ts';
import { anonTouch, cowWrite, fileRead } from './touch.ts';

export const SCENARIOS: readonly Scenario[] = [
	pageFault3Retry,
	retriedFaultAged,
	retriedFaultWrprotected,
	faultAroundHuge,
	faultAroundHugeLocked,
	faultAroundValueEntry,
	swapinIo,
	folioLockNowait,
	spfScaling,
	anonTouch,
	fileRead,
	cowWrite,
	...builtinScenarios(),
];
