// The page's words and dates in the reader's language.

const LANGUAGES = { en: () => import("./en.js"), tr: () => import("./tr.js") };

/** @type {Record<string, string>} */
let words = {};
let language = "en";

/**
 * Loads the first of the reader's languages that there is, English otherwise.
 * @param {readonly string[]} wanted such as `navigator.languages`
 */
export async function loadLanguage(wanted) {
  const known = wanted.map((tag) => tag.split("-")[0]).find((tag) => tag in LANGUAGES);
  language = known ?? "en";
  words = (await LANGUAGES[language]()).default;
  document.documentElement.lang = language;
}

/**
 * A text; `{name}` in it is replaced by the value of that name. With `count`, the text of its plural form.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function t(key, values = {}) {
  const plural = "count" in values ? `${key}.${new Intl.PluralRules(language).select(Number(values.count))}` : key;
  const text = words[plural] ?? words[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/** Whether there is a text for a key, such as for an error code. */
export const has = (key) => key in words;

/** A function that formats times. The formatter is kept: making one takes longer than everything else of a message. */
function format(options) {
  let formatter = /** @type {Intl.DateTimeFormat | null} */ (null);
  return (time) => {
    formatter ??= new Intl.DateTimeFormat(language, options);
    return formatter.format(new Date(time));
  };
}

/** Such as 14:05. */
export const clock = format({ hour: "numeric", minute: "2-digit" });

/** Such as Monday, 2 March 2026 at 14:05. */
export const moment = format({ dateStyle: "full", timeStyle: "short" });

const date = format({ day: "numeric", month: "long", year: "numeric" });
const shortDate = format({ day: "numeric", month: "short" });

/** The number of days from `time` until today, in local time. */
function daysAgo(time) {
  const midnight = (day) => new Date(day).setHours(0, 0, 0, 0);
  return Math.round((midnight(Date.now()) - midnight(time)) / 86_400_000);
}

/** Whether two times are on the same day, in local time. */
export const isSameDay = (a, b) => new Date(a).toDateString() === new Date(b).toDateString();

/** Today, yesterday, or the date. */
export function day(time) {
  const days = daysAgo(time);
  return days === 0 ? t("today") : days === 1 ? t("yesterday") : date(time);
}

/** For lists: the time of today, otherwise yesterday or a short date. */
export function when(time) {
  const days = daysAgo(time);
  return days === 0 ? clock(time) : days === 1 ? t("yesterday") : shortDate(time);
}

/** Such as 5 minutes ago. */
export function ago(time) {
  const minutes = Math.round((Date.now() - new Date(time).getTime()) / 60_000);
  const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  if (minutes < 1) return t("justNow");
  if (minutes < 60) return relative.format(-minutes, "minute");
  if (minutes < 24 * 60) return relative.format(-Math.round(minutes / 60), "hour");
  return relative.format(-Math.round(minutes / 60 / 24), "day");
}

/** Sorts names as the reader's language does. */
export const compareNames = (a, b) => a.localeCompare(b, language);
