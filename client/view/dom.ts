/** Elements from plain values. Text only ever becomes text nodes. */

type Listener = (event: Event) => void;
type Attributes = Readonly<Record<string, string | number | boolean | Listener | undefined>>;
type Child = Node | string | null | readonly (Node | string | null)[];

const SVG = 'http://www.w3.org/2000/svg';

export function html<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: readonly Child[]): HTMLElementTagNameMap[K] {
	return filled(document.createElement(tag), attributes, children);
}

export function svg<K extends keyof SVGElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: readonly Child[]): SVGElementTagNameMap[K] {
	return filled(document.createElementNS(SVG, tag), attributes, children);
}

/** `true` sets an attribute without a value, `false` and undefined none; a function listens to the event of that name. */
function filled<E extends Element>(element: E, attributes: Attributes, children: readonly Child[]): E {
	for (const [name, value] of Object.entries(attributes)) {
		if (typeof value === 'function') element.addEventListener(name, value);
		else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : String(value));
	}
	element.append(...children.flat().filter((child): child is Node | string => child !== null));
	return element;
}

export function button(label: string, press: () => void, attributes: Attributes = {}): HTMLButtonElement {
	return html('button', { type: 'button', click: press, ...attributes }, label);
}

/** `1 finding`, `2 findings`. */
export function counted(count: number, noun: string): string {
	return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
