// How events change the state, without a browser.

import assert from "node:assert/strict";
import { test } from "node:test";
import { initial, inOrder, readers, reduce } from "../../app/state.js";

const me = { id: "ada", username: "ada", displayName: "Ada", lastSeenAt: "" };
const bob = { id: "bob", username: "bob", displayName: "Bob", lastSeenAt: "" };
const message = (seq, senderId = "bob", more = {}) => ({
  id: `m${seq}`,
  conversationId: "c",
  seq,
  senderId,
  content: "x",
  createdAt: `2026-01-01T00:00:0${seq}.000Z`,
  editedAt: null,
  deletedAt: null,
  ...more,
});
const conversation = (more = {}) => ({
  id: "c",
  type: "direct",
  name: null,
  participants: [me, bob],
  lastMessage: null,
  unreadCount: 0,
  updatedAt: "2026-01-01T00:00:00.000Z",
  ...more,
});
const play = (...events) => events.reduce(reduce, initial(me));
const listed = (...conversations) => ({ type: "conversationsListed", conversations, more: null });
const arrived = (one) => ({ type: "messageArrived", message: one });

test("a message moves its conversation up and counts as unread once", () => {
  const other = conversation({ id: "d", updatedAt: "2026-01-01T00:00:00.500Z" });
  const state = play(listed(conversation(), other), arrived(message(1)), arrived(message(1)));
  assert.deepEqual(
    inOrder(state).map(({ id }) => id),
    ["c", "d"],
  );
  assert.equal(state.conversations.c.unreadCount, 1);
});

test("one's own message from another device is not unread", () => {
  assert.equal(play(listed(conversation()), arrived(message(1, "ada"))).conversations.c.unreadCount, 0);
});

test("a list that was read before the newest message does not bring the older state back", () => {
  const state = play(
    listed(conversation()),
    arrived(message(1)),
    arrived(message(2)),
    listed(conversation({ lastMessage: message(1), unreadCount: 1 })),
  );
  assert.deepEqual([state.conversations.c.lastMessage.seq, state.conversations.c.unreadCount], [2, 2]);
});

test("reading up to the newest message leaves nothing unread, and marks only grow", () => {
  const read = (userId, upToSeq) => ({ type: "read", conversationId: "c", userId, upToSeq });
  const state = play(
    listed(conversation()),
    arrived(message(1)),
    arrived(message(2)),
    read("ada", 2),
    read("bob", 2),
    read("bob", 1),
  );
  assert.equal(state.conversations.c.unreadCount, 0);
  assert.equal(readers(state, state.conversations.c, message(2, "ada")), 1);
});

test("a message ends its sender's typing, and so does the end of the connection", () => {
  const typing = { type: "typing", conversationId: "c", userId: "bob", isTyping: true };
  assert.deepEqual(play(listed(conversation()), typing).typing.c, ["bob"]);
  assert.deepEqual(play(listed(conversation()), typing, arrived(message(1))).typing.c, []);
  assert.deepEqual(play(typing, { type: "disconnected" }).typing, {});
});

test("deleting the message that is edited ends the editing", () => {
  const state = play(
    { type: "editing", messageId: "m1" },
    { type: "messageChanged", message: message(1, "ada", { deletedAt: "2026-01-01T00:01:00.000Z" }) },
  );
  assert.equal(state.editing, null);
});
