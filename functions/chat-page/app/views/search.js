// Searching all messages. A hit leads to its message.

import { el, setText } from "../dom.js";
import { excerpt, parts } from "../highlight.js";
import { nameOf, titleOf } from "../names.js";
import { t, when } from "../text.js";
import { explain } from "./form.js";

/** Milliseconds without a key stroke after which the search begins. */
const PAUSE = 200;

/**
 * @param {import("../chat.js").Chat} chat
 * @param {{state: import("../state.js").State}} store
 * @param {(isSearching: boolean) => void} onSearch
 */
export function searchView(chat, store, onSearch) {
  let timer = 0;
  let latest = "";
  const input = el("input", { type: "search", placeholder: t("search"), aria: { label: t("search") } });
  const status = el("p", { className: "search-status", role: "status" });
  const hits = el("ul", { className: "hits" });
  const results = el("section", { className: "scroll", hidden: true, aria: { label: t("search") } }, status, hits);

  input.addEventListener("input", () => {
    clearTimeout(timer);
    const text = input.value.trim();
    results.hidden = text === "";
    onSearch(text !== "");
    if (text) timer = setTimeout(() => search(text), PAUSE);
  });
  input.addEventListener("keydown", ({ key }) => {
    if (key === "Escape") clear();
  });

  async function search(text) {
    latest = text;
    try {
      const found = await chat.searchMessages(text);
      // The answer to an older text may come after the answer to a newer one.
      if (text === latest) show(found);
    } catch (error) {
      setText(status, explain(error));
    }
  }

  function show(found) {
    setText(status, found.length === 0 ? t("searchEmpty") : t("found", { count: found.length }));
    hits.replaceChildren(...found.map(create));
  }

  function create({ message, highlight }) {
    const conversation = store.state.conversations[message.conversationId];
    const title = conversation ? titleOf(store.state, conversation) : "";
    const text = excerpt(parts(highlight)).map(({ text, marked }) => (marked ? el("mark", {}, text) : text));
    const sender = message.senderId === store.state.me.id ? t("you") : nameOf(conversation, message.senderId);
    const open = () => {
      location.hash = `#/c/${message.conversationId}`;
      chat.open(message.conversationId);
      chat.jumpTo(message);
    };
    return el(
      "li",
      {},
      el(
        "button",
        { type: "button", className: "hit", on: { click: open } },
        el("span", { className: "row-title" }, title),
        el("time", { className: "row-time" }, when(message.createdAt)),
        el("span", { className: "hit-text" }, `${sender}: `, ...text),
      ),
    );
  }

  function clear() {
    input.value = "";
    input.dispatchEvent(new Event("input"));
  }

  return { input: el("div", { className: "search", role: "search" }, input), results };
}
