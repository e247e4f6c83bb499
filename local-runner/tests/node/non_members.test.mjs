// A conversation of others: it cannot be entered, read, written or changed, and not even be told from none.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { ask, connect, done, hangUp, heard, pair, person, write } from "./ulak.mjs";

afterEach(hangUp);

const NOWHERE = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

const tries = (conversationId, messageId) => [
  ["join_room", { conversationId }],
  ["join_room", conversationId],
  ["leave_room", { conversationId }],
  ["typing", { conversationId, isTyping: true }],
  ["typing_start", { conversationId }],
  ["typing_stop", { conversationId }],
  ["message_read", { conversationId, messageId }],
  ["mark_as_read", { conversationId, messageId }],
  ["send_message", { conversationId, content: "let me in" }],
  ["edit_message", { messageId, content: "mine" }],
  ["delete_message", { messageId }],
];

test("a stranger gets NOT_FOUND for everything, in the same words as for what does not exist", async () => {
  const { ada, bob, room } = await pair();
  const message = await write(ada, room, "between us");
  const [a, b, s] = await Promise.all([connect(ada), connect(bob), connect(await person())]);
  await done(a, "join_room", room);
  await done(b, "join_room", room);
  const before = [a.heard.length, b.heard.length];
  const nothing = tries(NOWHERE, NOWHERE);
  for (const [turn, [event, payload]] of tries(room, message.id).entries()) {
    const theirs = await ask(s, event, payload);
    assert.equal(theirs.ok, false, event);
    assert.equal(theirs.error.code, "NOT_FOUND", event);
    assert.deepEqual(theirs, await ask(s, ...nothing[turn]), event);
  }
  await heard(a, "typing");
  const unseen = ([event]) => event === "user_online" || event === "user_offline";
  assert.ok(a.heard.slice(before[0]).every(unseen), JSON.stringify(a.heard));
  assert.ok(b.heard.slice(before[1]).every(unseen), JSON.stringify(b.heard));
});

test("who has not joined hears what is written there only as a member", async () => {
  const { ada, bob, room } = await pair();
  const [s, b] = await Promise.all([connect(await person()), connect(bob)]);
  await ask(s, "join_room", room);
  const message = await write(ada, room, "between us");
  assert.deepEqual(await heard(b, "message_received"), [{ message }]);
  assert.deepEqual(await heard(s, "message_received"), []);
});

test("a replay gives nothing of others' conversations", async () => {
  const { ada, room } = await pair();
  await write(ada, room, "between us");
  const stranger = await person();
  const auth = { token: stranger.token, lastSeq: { [room]: 0, [NOWHERE]: 0 } };
  const s = await connect(stranger, { auth });
  assert.deepEqual(await heard(s, "message_received"), []);
  assert.deepEqual(await done(s, "replay", { lastSeq: { [room]: 0 } }), { replayed: 0, more: {} });
});

test("a pair of a message and another conversation is no pair", async () => {
  const { ada, bob, room } = await pair();
  const other = await pair();
  const message = await write(other.ada, other.room, "elsewhere");
  const b = await connect(bob);
  const ack = await ask(b, "message_read", { conversationId: room, messageId: message.id });
  assert.equal(ack.error.code, "NOT_FOUND");
  assert.ok(ada);
});
