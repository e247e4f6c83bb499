// The page of a logged-in user: the list on one side, the open conversation on the other.

import { el, iconButton, setText } from "../dom.js";
import { unreadIn } from "../state.js";
import { t } from "../text.js";
import { avatar } from "./avatar.js";
import { conversationsView } from "./conversations.js";
import { searchView } from "./search.js";
import { threadView } from "./thread.js";

/**
 * @param {import("../chat.js").Chat} chat
 * @param {{state: import("../state.js").State}} store
 */
export function shellView(chat, store) {
  const conversations = conversationsView(chat);
  const thread = threadView(chat);
  const search = searchView(chat, store, (isSearching) => (conversations.element.hidden = isSearching));
  const picture = avatar();
  const account = el("button", {
    type: "button",
    className: "account",
    title: t("account"),
    aria: { label: t("account") },
    on: { click: openAccount },
  });
  account.append(picture.element);
  const start = iconButton("plus", t("newConversation"), openPeople, "new");
  const head = el("header", { className: "side-head" }, el("h1", {}, "Ulak"), start, account);
  const connection = el("p", { className: "connection", role: "status" });
  const side = el("div", { className: "side" }, head, search.input, connection, conversations.element, search.results);
  const nothing = el(
    "div",
    { className: "empty" },
    el("img", { src: "/app/icon.svg", alt: "", width: 72, height: 72 }),
    el("p", { className: "empty-title" }, t("pickConversation")),
    el("p", {}, t("pickConversationHint")),
  );
  const content = el("div", { className: "content" }, nothing, thread.element);
  const element = el("main", { className: "shell" }, side, content);
  let shown = /** @type {string | null} */ (null);

  // Dialogs are loaded when they are opened: most visits need neither.
  async function openPeople() {
    (await import("./people.js")).openPeople(chat, store.state);
  }

  async function openAccount() {
    (await import("./account.js")).openAccount(chat, store.state);
  }

  return {
    element,
    /** @param {import("../state.js").State} state */
    render(state) {
      const isOpen = state.open !== null;
      element.classList.toggle("open", isOpen);
      thread.element.hidden = !isOpen;
      nothing.hidden = isOpen;
      picture.render(state.me.id, state.me.displayName, state.online === true);
      setText(connection, state.online === false ? t("connecting") : "");
      conversations.render(state);
      if (isOpen) thread.render(state);
      // On a touch screen the focus would open the keyboard.
      if (isOpen && state.open !== shown && matchMedia("(hover: hover)").matches) thread.focus();
      shown = state.open;
      document.title = titleOf(state);
    },
  };
}

/** The unread messages of all conversations, for the tab. */
function titleOf(state) {
  const all = Object.values(state.conversations).map((conversation) => unreadIn(state, conversation));
  const unread = all.reduce((sum, count) => sum + count, 0);
  return unread > 0 ? `(${unread}) Ulak` : "Ulak";
}
