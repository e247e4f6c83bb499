// The highlight of a search hit, without ever making markup of it.

const ENTITIES = { "&lt;": "<", "&gt;": ">", "&amp;": "&", "&quot;": '"', "&#39;": "'" };

/** How many characters are shown before the first marked word. */
const LEAD = 40;

/**
 * The parts of a highlight: escaped text with `<mark>` around the words that match.
 * @param {string} html
 * @returns {{text: string, marked: boolean}[]}
 */
export function parts(html) {
  const pieces = html.split(/<\/?mark>/);
  return pieces.map((text, index) => ({ text: unescape(text), marked: index % 2 === 1 })).filter(({ text }) => text);
}

function unescape(text) {
  return text.replace(/&(?:lt|gt|amp|quot|#39);/g, (entity) => ENTITIES[entity]);
}

/**
 * The same parts, but beginning shortly before the first marked word.
 * @param {{text: string, marked: boolean}[]} all
 */
export function excerpt(all) {
  const [first, ...rest] = all;
  if (!first || first.marked || first.text.length <= LEAD) return all;
  // Whole characters: a slice could cut a surrogate pair.
  return [{ text: `…${[...first.text].slice(-LEAD).join("")}`, marked: false }, ...rest];
}
