// The open conversation: its head, its messages, and where they are scrolled to.

import { el, iconButton, keyed, setText } from "../dom.js";
import { nameOf, partnerOf, titleOf, typingIn } from "../names.js";
import { ago, t } from "../text.js";
import { avatar } from "./avatar.js";
import { confirm } from "./dialog.js";
import { composerView } from "./composer.js";
import { createMessage, itemsOf } from "./message.js";

/** This near to an end of the list, in pixels, the next page is loaded. */
const NEAR = 600;

/** This near to the newest message, in pixels, the list stays at it. */
const AT_END = 40;

/** @param {import("../chat.js").Chat} chat */
export function threadView(chat) {
  const picture = avatar();
  const title = el("h1", { className: "thread-title" });
  const subtitle = el("p", { className: "thread-subtitle", role: "status" });
  const back = iconButton("back", t("back"), () => (location.hash = ""), "back");
  const head = el("header", { className: "thread-head" }, back, picture.element, el("div", {}, title, subtitle));

  const list = el("ol", { className: "messages" });
  const hint = el("p", { className: "hint" });
  // The list can be scrolled with the keyboard, so it can have the focus.
  const scroll = el(
    "section",
    { className: "scroll history", tabIndex: 0, aria: { label: t("messages") } },
    hint,
    list,
  );
  const newest = iconButton("down", t("toNewest"), toNewest, "to-newest");
  const announcer = el("p", { className: "visually-hidden", role: "status" });
  const composer = composerView(chat);
  const element = el(
    "section",
    { className: "thread" },
    head,
    el("div", { className: "history-box" }, scroll, newest),
    composer.element,
    announcer,
  );

  let atEnd = true;
  let shown = /** @type {string | null} */ (null);
  let timeline = /** @type {import("../timeline.js").Timeline | null} */ (null);
  let announced = 0;
  let visible = true;

  scroll.addEventListener("scroll", scrolled);
  new ResizeObserver(() => atEnd && toEnd()).observe(scroll);

  function scrolled() {
    if (!timeline?.loaded) return;
    const below = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight;
    atEnd = timeline.live && below < AT_END;
    newest.hidden = atEnd;
    if (scroll.scrollTop < NEAR) chat.loadOlder();
    if (below < NEAR) chat.loadNewer();
    read();
  }

  /** Marks what is on the screen as read, if the page is visible. */
  function read() {
    if (atEnd && visible) chat.markRead();
  }

  function toEnd() {
    scroll.scrollTop = scroll.scrollHeight;
  }

  function toNewest() {
    if (timeline?.live) toEnd();
    else chat.openNewest();
  }

  /** Changes the list; what was on the screen stays where it was. */
  function keepPlace(change) {
    const top = scroll.getBoundingClientRect().top;
    const anchor = [...list.children].find((row) => row.getBoundingClientRect().bottom > top);
    const before = anchor?.getBoundingClientRect().top;
    change();
    if (atEnd) toEnd();
    else if (anchor?.isConnected) scroll.scrollTop += anchor.getBoundingClientRect().top - before;
  }

  function showTarget(id) {
    const row = [...list.children].find((one) => one.dataset.messageId === id);
    if (!row) return;
    atEnd = false;
    row.scrollIntoView({ block: "center" });
    row.classList.remove("flash");
    row.tabIndex = -1;
    row.focus({ preventScroll: true });
    row.classList.add("flash");
    chat.targetShown();
    scrolled();
  }

  /** Screen readers hear what others write here; reading the history is silent. */
  function announce(state) {
    const last = timeline?.live ? timeline.messages.at(-1) : undefined;
    if (!last || last.seq <= announced) return;
    const isNews = announced > 0 && last.senderId !== state.me.id;
    announced = last.seq;
    const name = nameOf(state.conversations[state.open], last.senderId);
    if (isNews) setText(announcer, t("received", { name, text: last.content }));
  }

  function renderHead(state, conversation) {
    const name = titleOf(state, conversation);
    const partner = partnerOf(state, conversation);
    const present = state.present.has(partner?.id);
    picture.render(partner?.id ?? conversation.id, name, present);
    setText(title, name);
    setText(subtitle, typingIn(state, conversation) || presenceOf(state, conversation, partner, present));
  }

  return {
    element,
    focus: composer.focus,
    /** @param {import("../state.js").State} state */
    render(state) {
      const conversation = state.conversations[state.open];
      if (state.open !== shown) {
        shown = state.open;
        atEnd = true;
        announced = 0;
        list.replaceChildren();
        newest.hidden = true;
      }
      timeline = state.timelines[state.open];
      visible = state.visible;
      if (conversation) renderHead(state, conversation);
      const items = itemsOf(state);
      hint.hidden = timeline.loaded && items.length > 0;
      setText(hint, timeline.loaded ? t("noMessages") : t("loading"));
      keepPlace(() =>
        keyed(
          list,
          items,
          ({ key }) => key,
          create,
          (row, item) => row.render(state, item),
        ),
      );
      composer.render(state, conversation ? titleOf(state, conversation) : "");
      announce(state);
      if (state.target) showTarget(state.target);
      else read();
    },
  };

  function create() {
    return createMessage(chat, async (id) => {
      if (await confirm(t("confirmDelete"), t("delete"))) composer.report(chat.remove(id));
    });
  }
}

function presenceOf(state, conversation, partner, present) {
  if (!partner) return t("members", { count: conversation.participants.length });
  if (present) return t("online");
  return t("lastSeen", { when: ago(state.lastSeen[partner.id] ?? partner.lastSeenAt) });
}
