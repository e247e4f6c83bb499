// What users and conversations are called.

import { others } from "./state.js";
import { compareNames, t } from "./text.js";

/** @param {import("./state.js").State} state @param {import("./state.js").Conversation} conversation */
export function titleOf(state, conversation) {
  if (conversation.name) return conversation.name;
  const names = others(state, conversation).map((user) => user.displayName);
  return names.sort(compareNames).join(", ") || t("deletedUser");
}

/** The other member of a direct conversation. */
export function partnerOf(state, conversation) {
  return conversation.type === "direct" ? others(state, conversation)[0] : undefined;
}

/** The name of a member, or of a user who is gone. */
export function nameOf(conversation, userId) {
  return conversation?.participants.find(({ id }) => id === userId)?.displayName ?? t("deletedUser");
}

/** The members that type in a conversation, as a sentence, or an empty text. */
export function typingIn(state, conversation) {
  const names = (state.typing[conversation.id] ?? []).map((id) => nameOf(conversation, id));
  return names.length > 0 ? t("typing", { count: names.length, names: names.join(", ") }) : "";
}

/** A message in one line, as in the list of conversations. */
export function preview(state, conversation, message) {
  if (!message) return t("noMessages");
  const text = message.deletedAt ? t("deleted") : message.content;
  if (message.senderId === state.me.id) return t("youSaid", { text });
  return conversation.type === "group" ? `${nameOf(conversation, message.senderId)}: ${text}` : text;
}
