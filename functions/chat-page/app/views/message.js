// One message of a conversation, stored or waiting in the outbox.

import { el, icon, iconButton, setAttribute, setText } from "../dom.js";
import { nameOf } from "../names.js";
import { others, readers } from "../state.js";
import { clock, day, isSameDay, moment, t } from "../text.js";

/** Messages of one sender within so many milliseconds are shown as one block. */
const BLOCK = 5 * 60_000;

/**
 * What is shown: a message or an entry of the outbox, and how it stands to the one before it.
 * @typedef {object} Item
 * @property {string} key
 * @property {string} senderId
 * @property {string} content
 * @property {string | number} at
 * @property {import("../timeline.js").Message} [message]
 * @property {import("../outbox.js").Entry} [entry]
 * @property {boolean} startsDay
 * @property {boolean} startsBlock
 * @property {boolean} startsNew whether it is the first one that the user has not read
 */

/** @returns {Item[]} */
export function itemsOf(state) {
  const { open, outbox, me, newFrom } = state;
  const messages = state.timelines[open].messages;
  // A message that has arrived is not shown a second time while its entry is still there.
  const arrived = new Set(messages.map((message) => message.clientMessageId));
  const entries = outbox.filter((one) => one.conversationId === open && !arrived.has(one.clientMessageId));
  const stored = messages.map((message) => ({
    // The key of a message that was sent here stays the same when it is stored: its element is kept.
    key: message.clientMessageId ?? message.id,
    senderId: message.senderId,
    content: message.content,
    at: message.createdAt,
    message,
  }));
  const waiting = entries.map((entry) => ({
    key: entry.clientMessageId,
    senderId: me.id,
    content: entry.content,
    at: entry.writtenAt,
    entry,
  }));
  let previous;
  let hasNew = false;
  return [...stored, ...waiting].map((item) => {
    const isNew = newFrom > 0 && item.message?.seq > newFrom && item.senderId !== me.id;
    const startsNew = isNew && !hasNew;
    const startsDay = !previous || !isSameDay(previous.at, item.at);
    const isFar = previous && new Date(item.at).getTime() - new Date(previous.at).getTime() > BLOCK;
    const startsBlock = startsDay || startsNew || isFar || previous.senderId !== item.senderId;
    hasNew ||= isNew;
    previous = item;
    return { ...item, startsDay, startsNew, startsBlock };
  });
}

/** @param {import("../chat.js").Chat} chat @param {(messageId: string) => void} confirmDelete */
export function createMessage(chat, confirmDelete) {
  const dayLine = el("p", { className: "day" });
  const newLine = el("p", { className: "new-line" }, t("newMessages"));
  const sender = el("p", { className: "sender" });
  const text = el("p", { className: "text" });
  const time = el("time", {});
  const note = el("span", {});
  const status = el("span", { className: "status" });
  const actions = el("div", { className: "actions" });
  const meta = el("p", { className: "meta" }, note, time, status);
  const bubble = el("div", { className: "bubble" }, sender, text, meta);
  const element = el(
    "li",
    { className: "message" },
    dayLine,
    newLine,
    el("div", { className: "line" }, bubble, actions),
  );
  let shown = "";
  let rendered = /** @type {unknown[]} */ ([]);

  element.render = (state, item) => {
    const { participants } = state.conversations[state.open] ?? {};
    const { message, entry, startsDay, startsBlock, startsNew } = item;
    const inputs = [message, entry, participants, startsDay, startsBlock, startsNew, !entry || state.online];
    // A long history has many messages, and few of them change.
    if (inputs.every((input, index) => input === rendered[index])) return;
    rendered = inputs;
    show(state, item);
  };

  function show(state, item) {
    const conversation = state.conversations[state.open];
    const isMine = item.senderId === state.me.id;
    const isDeleted = Boolean(item.message?.deletedAt);
    element.dataset.messageId = item.message?.id ?? "";
    element.classList.toggle("mine", isMine);
    element.classList.toggle("first", item.startsBlock);
    element.classList.toggle("deleted", isDeleted);
    element.classList.toggle("failed", Boolean(item.entry?.error));
    dayLine.hidden = !item.startsDay;
    setText(dayLine, day(item.at));
    newLine.hidden = !item.startsNew;
    const name = isMine ? t("you") : nameOf(conversation, item.senderId);
    setText(sender, name);
    sender.classList.toggle("visually-hidden", isMine || conversation?.type !== "group" || !item.startsBlock);
    setText(text, isDeleted ? t("deleted") : item.content);
    setText(time, clock(item.at));
    time.title = moment(item.at);
    setText(note, noteOf(item.message));
    showStatus(status, isMine && !isDeleted ? statusOf(state, conversation, item) : null);
    showActions(item, isMine && !isDeleted);
  }

  /** The buttons change seldom, and a button that is replaced loses the focus. */
  function showActions(item, isMine) {
    const kind = !isMine ? "none" : item.message ? `stored ${item.message.id}` : item.entry.error ? "failed" : "none";
    if (kind === shown) return;
    shown = kind;
    if (kind === "none") actions.replaceChildren();
    else if (kind === "failed") actions.replaceChildren(...failedActions(item.entry));
    else actions.replaceChildren(...storedActions(item.message.id));
  }

  function storedActions(id) {
    return [
      iconButton("edit", t("edit"), () => chat.startEditing(id)),
      iconButton("trash", t("delete"), () => confirmDelete(id)),
    ];
  }

  function failedActions(entry) {
    const button = (label, click) => el("button", { type: "button", className: "link", on: { click } }, label);
    return [button(t("retry"), () => chat.retry(entry)), button(t("discard"), () => chat.discard(entry))];
  }

  return element;
}

function noteOf(message) {
  if (!message || message.deletedAt) return "";
  const notes = [message.kind === "auto" && t("auto"), message.editedAt && t("edited")];
  return notes.filter(Boolean).join(" · ");
}

/** How far a message of one's own has come: an icon and its meaning. */
function statusOf(state, conversation, { message, entry }) {
  if (entry?.error) return { name: "failed", label: `${t("failed")}: ${entry.error}` };
  if (entry) return { name: "clock", label: t(state.online === false ? "waiting" : "sending") };
  const count = conversation ? readers(state, conversation, message) : 0;
  if (count === 0) return { name: "check", label: t("sent") };
  const isAll = count === others(state, conversation).length;
  return { name: "checks", label: isAll ? t("read") : t("readBy", { count }) };
}

function showStatus(element, status) {
  const label = status?.label ?? "";
  if (element.title === label) return;
  element.title = label;
  element.className = `status ${status?.name ?? ""}`;
  setAttribute(element, "role", status && "img");
  setAttribute(element, "aria-label", status && label);
  element.replaceChildren(...(status ? [icon(status.name)] : []));
}
