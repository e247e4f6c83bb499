// Users who are not members of a conversation cannot join, read or change it, or see that it exists.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { closeSockets, connect, pair, person, received, request, requestData, sendByHttp } from "./ulak.mjs";

afterEach(closeSockets);

const UNKNOWN_ID = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

const eventsFor = (conversationId, messageId) => [
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

test("a non-member gets the same NOT_FOUND as for a conversation that does not exist", async () => {
  const { ada, bob, room } = await pair();
  const message = await sendByHttp(ada, room, "between us");
  const [a, b, s] = await Promise.all([connect(ada), connect(bob), connect(await person())]);
  await requestData(a, "join_room", room);
  await requestData(b, "join_room", room);
  const before = [a.received.length, b.received.length];
  const unknown = eventsFor(UNKNOWN_ID, UNKNOWN_ID);
  for (const [turn, [event, payload]] of eventsFor(room, message.id).entries()) {
    const foreign = await request(s, event, payload);
    assert.equal(foreign.ok, false, event);
    assert.equal(foreign.error.code, "NOT_FOUND", event);
    assert.deepEqual(foreign, await request(s, ...unknown[turn]), event);
  }
  await received(a, "typing");
  const isPresence = ([event]) => event === "user_online" || event === "user_offline";
  assert.ok(a.received.slice(before[0]).every(isPresence), JSON.stringify(a.received));
  assert.ok(b.received.slice(before[1]).every(isPresence), JSON.stringify(b.received));
});

test("a member receives messages without joining, a non-member never does", async () => {
  const { ada, bob, room } = await pair();
  const [s, b] = await Promise.all([connect(await person()), connect(bob)]);
  await request(s, "join_room", room);
  const message = await sendByHttp(ada, room, "between us");
  assert.deepEqual(await received(b, "message_received"), [{ message }]);
  assert.deepEqual(await received(s, "message_received"), []);
});

test("a replay contains no messages of other conversations", async () => {
  const { ada, room } = await pair();
  await sendByHttp(ada, room, "between us");
  const stranger = await person();
  const auth = { token: stranger.token, lastSeq: { [room]: 0, [UNKNOWN_ID]: 0 } };
  const s = await connect(stranger, { auth });
  assert.deepEqual(await received(s, "message_received"), []);
  assert.deepEqual(await requestData(s, "replay", { lastSeq: { [room]: 0 } }), { replayed: 0, more: {} });
});

test("message_read with a message of another conversation is NOT_FOUND", async () => {
  const { ada, bob, room } = await pair();
  const other = await pair();
  const message = await sendByHttp(other.ada, other.room, "elsewhere");
  const b = await connect(bob);
  const ack = await request(b, "message_read", { conversationId: room, messageId: message.id });
  assert.equal(ack.error.code, "NOT_FOUND");
  assert.ok(ada);
});
