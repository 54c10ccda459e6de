import type { Form } from '../../simulator/scenarios/language/ast.ts';
import { placesOf as pagesOf } from '../../simulator/scenarios/language/layout.ts';
import { USER } from '../../simulator/scenarios/scenario.ts';

/** Address of each named mapping, the same in the program and in the simulator. */
export type Places = ReadonlyMap<string, number>;

export function placesOf(form: Form): Places {
	return new Map([...pagesOf(form)].map(([name, page]) => [name, USER + page * 4096]));
}
