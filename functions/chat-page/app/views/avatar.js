// The round picture of a user or a group: initials on a colour of their own, and whether they are online. The name is
// always beside it, so screen readers skip it.

import { el } from "../dom.js";

export function avatar() {
  const element = el("span", { className: "avatar", aria: { hidden: "true" } });
  return {
    element,
    /** @param {string} id decides the colour @param {string} name @param {boolean} present */
    render(id, name, present) {
      element.dataset.initials = initialsOf(name);
      element.style.setProperty("--hue", String(hueOf(id)));
      element.classList.toggle("present", present);
    },
  };
}

/** The first characters of the first two words. */
function initialsOf(name) {
  const words = name.split(/[\s._-]+/u).filter(Boolean);
  return words
    .slice(0, 2)
    .map((word) => [...word][0].toLocaleUpperCase())
    .join("");
}

function hueOf(id) {
  let hash = 0;
  for (const character of id) hash = (hash * 31 + character.charCodeAt(0)) % 360;
  return hash;
}
