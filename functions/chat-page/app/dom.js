// Making and updating elements. Text becomes text nodes and nothing else, so no message can become markup.

/**
 * A new element.
 * @param {string} tag
 * @param {Record<string, any>} [properties] properties of the element; `on` has listeners, `aria` and `data` attributes
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {any}
 */
export function el(tag, { on, aria, data, ...properties } = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  for (const [name, listener] of Object.entries(on ?? {})) element.addEventListener(name, listener);
  for (const [name, value] of Object.entries(aria ?? {})) setAttribute(element, `aria-${name}`, value);
  Object.assign(element.dataset, data);
  for (const child of children) if (child) element.append(child);
  return element;
}

/** Sets an attribute, or removes it when the value is null. */
export function setAttribute(element, name, value) {
  if (value === null || value === undefined) element.removeAttribute(name);
  else element.setAttribute(name, String(value));
}

/** Sets a text if it differs: writing the same again would disturb selections and screen readers. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Makes the children of `parent` show `items`: one element per key, made once, updated and moved afterwards.
 * @template T
 * @param {Element} parent
 * @param {T[]} items
 * @param {(item: T) => string} key
 * @param {(item: T) => any} create
 * @param {(element: any, item: T) => void} update
 */
export function keyed(parent, items, key, create, update) {
  const known = new Map(Array.from(parent.children, (/** @type {any} */ child) => [child.dataset.key, child]));
  let next = parent.firstElementChild;
  for (const item of items) {
    const name = key(item);
    let element = known.get(name);
    known.delete(name);
    if (!element) {
      element = create(item);
      element.dataset.key = name;
    }
    update(element, item);
    if (element === next) next = next.nextElementSibling;
    else parent.insertBefore(element, next);
  }
  for (const element of known.values()) element.remove();
}

const ICONS = {
  back: "M15 5l-7 7 7 7",
  check: "M5 12.5l4.5 4.5L19 7.5",
  checks: "M2 12.5l4.5 4.5L15 8M11.5 16l1 1L22 7.5",
  clock: "M12 7v5l3 2M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18",
  close: "M6 6l12 12M18 6L6 18",
  down: "M6 10l6 6 6-6",
  edit: "M4 20l1-4L16 5l3 3L8 19z",
  failed: "M12 7v6M12 16.5v.01M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18",
  plus: "M12 5v14M5 12h14",
  search: "M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13M15.5 15.5L20 20",
  send: "M4 12l16-7-5 15-4-6zM11 14l9-9",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  user: "M12 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8M4.5 20a7.5 7.5 0 0 1 15 0",
};

const SVG = "http://www.w3.org/2000/svg";

/** A line drawing that screen readers skip. @param {keyof typeof ICONS} name */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** A button with an icon and a name for screen readers and tooltips. */
export function iconButton(name, label, click, className = "") {
  const properties = { type: "button", className: `icon-button ${className}`, title: label };
  return el("button", { ...properties, aria: { label }, on: { click } }, icon(name));
}
