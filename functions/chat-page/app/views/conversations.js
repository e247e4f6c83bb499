// The list of conversations: title, last message, unread messages, and who is online.

import { el, keyed, setAttribute, setText } from "../dom.js";
import { partnerOf, preview, titleOf, typingIn } from "../names.js";
import { inOrder, unreadIn } from "../state.js";
import { t, when } from "../text.js";
import { avatar } from "./avatar.js";

/** @param {import("../chat.js").Chat} chat */
export function conversationsView(chat) {
  const list = el("ul", { className: "conversations" });
  const empty = el(
    "div",
    { className: "empty" },
    el("p", { className: "empty-title" }, t("noConversations")),
    el("p", {}, t("noConversationsHint")),
  );
  const element = el("nav", { className: "scroll", aria: { label: t("conversations") } }, list, empty);
  element.addEventListener("scroll", () => {
    const isNearEnd = element.scrollTop + element.clientHeight > element.scrollHeight - 300;
    if (isNearEnd && hasMore) chat.moreConversations();
  });
  let hasMore = false;

  return {
    element,
    /** @param {import("../state.js").State} state */
    render(state) {
      hasMore = state.moreConversations !== null;
      const shown = inOrder(state);
      empty.hidden = !state.listed || shown.length > 0;
      keyed(
        list,
        shown,
        ({ id }) => id,
        create,
        (row, conversation) => row.render(state, conversation),
      );
    },
  };
}

function create({ id }) {
  const picture = avatar();
  const title = el("span", { className: "row-title" });
  const time = el("time", { className: "row-time" });
  const text = el("span", { className: "row-text" });
  const badge = el("span", { className: "badge" });
  const presence = el("span", { className: "visually-hidden" });
  const link = el("a", { href: `#/c/${id}` }, picture.element, title, presence, time, text, badge);
  const row = el("li", {}, link);

  row.render = (state, conversation) => {
    const name = titleOf(state, conversation);
    const partner = partnerOf(state, conversation);
    const present = state.present.has(partner?.id);
    const typing = typingIn(state, conversation);
    picture.render(partner?.id ?? id, name, present);
    setText(title, name);
    setText(presence, present ? t("online") : "");
    setText(time, when(conversation.updatedAt));
    setText(text, typing || preview(state, conversation, conversation.lastMessage));
    text.classList.toggle("typing", typing !== "");
    setUnread(badge, unreadIn(state, conversation));
    setAttribute(link, "aria-current", state.open === id ? "page" : null);
  };
  return row;
}

function setUnread(badge, count) {
  badge.hidden = count === 0;
  setText(badge, count > 99 ? "99+" : String(count));
  setAttribute(badge, "aria-label", t("unread", { count }));
  setAttribute(badge, "role", "img");
}
