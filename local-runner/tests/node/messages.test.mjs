// Sending, reading and typing over sockets: which sockets receive which events, how often, and what is stored.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import {
  closeSockets, connect, data, next, openSocket, pair, received, request, requestData, sendByHttp,
} from "./ulak.mjs";

afterEach(closeSockets);

const history = async (user, room) =>
  (await data("GET", `/api/messages/${room}?limit=100`, { token: user.token })).messages;

test("a message is acknowledged after it is stored, and is received as it was stored", async () => {
  const { ada, bob, room } = await pair();
  const [a, b] = await Promise.all([connect(ada), connect(bob)]);
  const coming = next(b, "message_received");
  const ack = await a.emitWithAck("send_message", { conversationId: room, content: "  Merhaba 😀  " });
  assert.equal(ack.ok, true);
  assert.equal(ack.data.message.content, "Merhaba 😀");
  assert.deepEqual(await coming, { message: ack.data.message });
  assert.deepEqual(await history(bob, room), [ack.data.message]);
  assert.deepEqual(await received(a, "message_sent"), [], "the sending socket gets only its ack");
  assert.deepEqual(await received(a, "message_received"), []);
});

test("the sender's other devices get message_sent, all devices of the receiver get message_received", async () => {
  const { ada, bob, room } = await pair();
  const [a, tablet, b, phone] = await Promise.all([connect(ada), connect(ada), connect(bob), connect(bob)]);
  const { message } = await requestData(a, "send_message", { receiverId: bob.id, content: "to all of you" });
  assert.equal(message.conversationId, room);
  for (const socket of [b, phone]) assert.deepEqual(await received(socket, "message_received"), [{ message }]);
  assert.deepEqual(await received(tablet, "message_sent"), [{ message }]);
  assert.deepEqual(await received(tablet, "message_received"), []);
  assert.deepEqual(await received(a, "message_sent"), []);
});

test("a message sent over HTTP causes the same events", async () => {
  const { ada, bob, room } = await pair();
  const [a, b] = await Promise.all([connect(ada), connect(bob)]);
  const message = await sendByHttp(ada, room, "by HTTP");
  assert.deepEqual(await received(b, "message_received"), [{ message }]);
  assert.deepEqual(await received(a, "message_sent"), [{ message }]);
});

test("events emitted before the connect or in its handler are processed", async () => {
  const { ada, bob, room } = await pair();
  const b = await connect(bob);
  const a = openSocket({ auth: { token: ada.token } });
  const early = a.emitWithAck("send_message", { conversationId: room, content: "before the connect" });
  const inTick = new Promise((resolve) =>
    a.on("connect", () => {
      resolve(Promise.all([1, 2, 3].map((n) => requestData(a, "send_message", { conversationId: room, content: `${n}` }))));
    }),
  );
  assert.equal((await early).ok, true);
  assert.equal((await inTick).length, 3);
  const contents = (await received(b, "message_received")).map(({ message }) => message.content);
  assert.deepEqual(contents.toSorted(), ["1", "2", "3", "before the connect"]);
});

test("the client's retries and a clientMessageId store one message and announce it once", async () => {
  const { ada, bob, room } = await pair();
  const b = await connect(bob);
  const a = await connect(ada, { retries: 20, ackTimeout: 500 });
  const lost = [];
  const onack = a.onack.bind(a);
  // The first two acks are lost.
  a.onack = (packet) => (lost.length < 2 ? lost.push(packet.data[0]) : onack(packet));
  const payload = { conversationId: room, content: "once", clientMessageId: "key-1" };
  const ack = await new Promise((resolve, reject) =>
    a.emit("send_message", payload, (error, ack) => (error ? reject(error) : resolve(ack))),
  );
  const again = await request(await connect(ada), "send_message", payload);
  assert.equal(ack.ok, true);
  assert.deepEqual(lost, [ack, ack], "each retry is answered with the first message");
  assert.deepEqual(again, ack);
  assert.deepEqual(await history(ada, room), [ack.data.message]);
  assert.deepEqual(await received(b, "message_received"), [{ message: ack.data.message }]);
});

test("edits and deletions are sent to the other user and the sender's other devices", async () => {
  const { ada, bob, room } = await pair();
  const [a, tablet, b] = await Promise.all([connect(ada), connect(ada), connect(bob)]);
  const { message } = await requestData(a, "send_message", { conversationId: room, content: "frist" });
  const edited = (await requestData(a, "edit_message", { messageId: message.id, content: "first" })).message;
  assert.equal(edited.content, "first");
  assert.ok(edited.editedAt);
  const deleted = (await requestData(a, "delete_message", { messageId: message.id })).message;
  assert.equal(deleted.content, "");
  assert.ok(deleted.deletedAt);
  for (const socket of [b, tablet]) {
    assert.deepEqual(await received(socket, "message_updated"), [{ message: edited }]);
    assert.deepEqual(await received(socket, "message_deleted"), [{ message: deleted }]);
  }
  const refused = await request(b, "edit_message", { messageId: message.id, content: "mine now" });
  assert.equal(refused.ok, false);
});

test("typing is sent to joined sockets of others, message_read to all members", async () => {
  const { ada, bob, room } = await pair();
  const [a, b, phone, tablet] = await Promise.all([connect(ada), connect(bob), connect(bob), connect(ada)]);
  await requestData(tablet, "join_room", room);
  const joined = await requestData(a, "join_room", room);
  assert.deepEqual(joined.members.toSorted(), [ada.id, bob.id].toSorted());
  await requestData(b, "join_room", { conversationId: room });
  for (const [event, isTyping] of [["typing", true], ["typing_stop", false], ["typing_start", true]]) {
    const coming = next(b, "typing");
    await requestData(a, event, { conversationId: room, ...(event === "typing" && { isTyping }) });
    assert.deepEqual(await coming, { conversationId: room, userId: ada.id, isTyping });
  }
  assert.deepEqual(await received(phone, "typing"), [], "a socket that has not joined");
  assert.deepEqual(await received(a, "typing"), [], "the typing socket itself");
  assert.deepEqual(await received(tablet, "typing"), [], "another socket of the same user");
  await requestData(b, "leave_room", { conversationId: room });
  await requestData(a, "typing", { conversationId: room, isTyping: false });
  assert.equal((await received(b, "typing")).length, 3, "a socket that has left");

  const { message } = await requestData(a, "send_message", { conversationId: room, content: "read me" });
  const coming = next(a, "message_read");
  const read = await requestData(b, "mark_as_read", { conversationId: room, messageId: message.id });
  assert.equal(read.upToSeq, message.seq);
  const { readAt, ...event } = await coming;
  assert.deepEqual(event, { conversationId: room, userId: bob.id, upToSeq: message.seq });
  assert.ok(Date.parse(readAt));
});

test("a reconnect with lastSeq replays exactly the missed messages, oldest first", async () => {
  const { ada, bob, room } = await pair();
  const seen = await sendByHttp(ada, room, "seen");
  const auth = { token: bob.token };
  const b = await connect(bob, { auth });
  b.disconnect();
  const missed = [];
  for (const content of ["one", "two", "three"]) missed.push(await sendByHttp(ada, room, content));
  const own = await sendByHttp(bob, room, "from my other device");
  auth.lastSeq = { [room]: seen.seq };
  b.connect();
  await next(b, "connect");
  assert.deepEqual(await received(b, "message_received"), missed.map((message) => ({ message })));
  assert.deepEqual(await received(b, "message_sent"), [{ message: own }]);
});

test("a long absence is replayed in several parts without gaps", async () => {
  const { ada, bob, room } = await pair();
  for (let n = 0; n < 52; n += 1) await Promise.all(Array.from({ length: 10 }, () => sendByHttp(ada, room, "🎉".repeat(1000))));
  const seqs = (events) => events.map(({ message }) => message.seq);
  const run = (from, count) => Array.from({ length: count }, (_, n) => from + n);
  const [{ seq: first }] = (await data("GET", `/api/messages/${room}?limit=100`, { token: bob.token })).messages.slice(-1);
  assert.ok(first >= 520);

  const socket = openSocket({ auth: { token: bob.token, lastSeq: { [room]: 0 } } });
  const events = [];
  socket.on("message_received", (event) => events.push(event));
  const { lastSeq } = await next(socket, "replay_incomplete");
  assert.equal(events.length, 500);
  assert.deepEqual(lastSeq, { [room]: seqs(events).at(-1) });
  const { replayed, more } = await requestData(socket, "replay", { lastSeq });
  assert.deepEqual([replayed, more], [20, {}]);
  if (first === 520) assert.deepEqual(seqs(events), run(1, 520));
  assert.deepEqual(seqs(events), seqs(events).toSorted((a, b) => a - b));
  assert.equal(new Set(seqs(events)).size, 520);
});

test("an invalid lastSeq does not prevent the connect", async () => {
  const { ada, bob, room } = await pair();
  const missed = await sendByHttp(ada, room, "missed");
  for (const odd of [null, "all", 7, { [room]: null }, { [room]: -1 }, { "no id": 1 }]) {
    (await connect(bob, { auth: { token: bob.token, lastSeq: odd } })).disconnect();
  }
  const many = Object.fromEntries(Array.from({ length: 900 }, (_, n) => [`c${n}`, 1]));
  const lastSeq = { ...many, odd: null, [room]: 0 };
  const b = await connect(bob, { auth: { token: bob.token, lastSeq } });
  assert.deepEqual(await received(b, "message_received"), [{ message: missed }]);
});

test("a cut connection reconnects by itself with the newest lastSeq of its auth function", async () => {
  const { ada, bob, room } = await pair();
  const lastSeq = {};
  const auth = (callback) => callback({ token: bob.token, lastSeq });
  const b = await connect(bob, { auth, reconnectionDelay: 1500, randomizationFactor: 0 });
  b.on("message_received", ({ message }) => (lastSeq[room] = message.seq));
  await Promise.all([next(b, "message_received"), sendByHttp(ada, room, "before the cut")]);
  b.io.engine.transport.ws.terminate();
  assert.equal((await next(b, "disconnect"))[0], "transport close");
  const missed = await sendByHttp(ada, room, "during the cut");
  assert.deepEqual(await next(b, "message_received"), { message: missed });
  assert.equal((await received(b, "message_received")).length, 2);
});
