// Writing, reading and typing over sockets: who is told what, how often, and what is kept.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { ask, connect, data, dial, done, hangUp, heard, next, pair, write } from "./ulak.mjs";

afterEach(hangUp);

const history = async (who, room) =>
  (await data("GET", `/api/messages/${room}?limit=100`, { token: who.token })).messages;

test("a message is acknowledged once it is stored, and reaches the other side as it was stored", async () => {
  const { ada, bob, room } = await pair();
  const [a, b] = await Promise.all([connect(ada), connect(bob)]);
  const coming = next(b, "message_received");
  const ack = await a.emitWithAck("send_message", { conversationId: room, content: "  Merhaba 😀  " });
  assert.equal(ack.ok, true);
  assert.equal(ack.data.message.content, "Merhaba 😀");
  assert.deepEqual(await coming, { message: ack.data.message });
  assert.deepEqual(await history(bob, room), [ack.data.message]);
  assert.deepEqual(await heard(a, "message_sent"), [], "the sending socket has its ack");
  assert.deepEqual(await heard(a, "message_received"), []);
});

test("the sender's other devices get message_sent, the receiver's all get message_received", async () => {
  const { ada, bob, room } = await pair();
  const [a, tablet, b, phone] = await Promise.all([connect(ada), connect(ada), connect(bob), connect(bob)]);
  const { message } = await done(a, "send_message", { receiverId: bob.id, content: "to all of you" });
  assert.equal(message.conversationId, room);
  for (const socket of [b, phone]) assert.deepEqual(await heard(socket, "message_received"), [{ message }]);
  assert.deepEqual(await heard(tablet, "message_sent"), [{ message }]);
  assert.deepEqual(await heard(tablet, "message_received"), []);
  assert.deepEqual(await heard(a, "message_sent"), []);
});

test("a message sent over HTTP is the same event", async () => {
  const { ada, bob, room } = await pair();
  const [a, b] = await Promise.all([connect(ada), connect(bob)]);
  const message = await write(ada, room, "by HTTP");
  assert.deepEqual(await heard(b, "message_received"), [{ message }]);
  assert.deepEqual(await heard(a, "message_sent"), [{ message }]);
});

test("events emitted in the tick of the connect, or before it, arrive", async () => {
  const { ada, bob, room } = await pair();
  const b = await connect(bob);
  const a = dial({ auth: { token: ada.token } });
  const early = a.emitWithAck("send_message", { conversationId: room, content: "before the connect" });
  const inTick = new Promise((resolve) =>
    a.on("connect", () => {
      resolve(Promise.all([1, 2, 3].map((n) => done(a, "send_message", { conversationId: room, content: `${n}` }))));
    }),
  );
  assert.equal((await early).ok, true);
  assert.equal((await inTick).length, 3);
  const contents = (await heard(b, "message_received")).map(({ message }) => message.content);
  assert.deepEqual(contents.toSorted(), ["1", "2", "3", "before the connect"]);
});

test("the client's retries and a clientMessageId store one message and announce it once", async () => {
  const { ada, bob, room } = await pair();
  const b = await connect(bob);
  const a = await connect(ada, { retries: 20, ackTimeout: 500 });
  const lost = [];
  const onack = a.onack.bind(a);
  // The first two acks are lost on the way.
  a.onack = (packet) => (lost.length < 2 ? lost.push(packet.data[0]) : onack(packet));
  const payload = { conversationId: room, content: "once", clientMessageId: "key-1" };
  const ack = await new Promise((resolve, reject) =>
    a.emit("send_message", payload, (error, ack) => (error ? reject(error) : resolve(ack))),
  );
  const again = await ask(await connect(ada), "send_message", payload);
  assert.equal(ack.ok, true);
  assert.deepEqual(lost, [ack, ack], "each retry is answered with the first message");
  assert.deepEqual(again, ack);
  assert.deepEqual(await history(ada, room), [ack.data.message]);
  assert.deepEqual(await heard(b, "message_received"), [{ message: ack.data.message }]);
});

test("edits and deletions reach the other side and the sender's other devices", async () => {
  const { ada, bob, room } = await pair();
  const [a, tablet, b] = await Promise.all([connect(ada), connect(ada), connect(bob)]);
  const { message } = await done(a, "send_message", { conversationId: room, content: "frist" });
  const edited = (await done(a, "edit_message", { messageId: message.id, content: "first" })).message;
  assert.equal(edited.content, "first");
  assert.ok(edited.editedAt);
  const deleted = (await done(a, "delete_message", { messageId: message.id })).message;
  assert.equal(deleted.content, "");
  assert.ok(deleted.deletedAt);
  for (const socket of [b, tablet]) {
    assert.deepEqual(await heard(socket, "message_updated"), [{ message: edited }]);
    assert.deepEqual(await heard(socket, "message_deleted"), [{ message: deleted }]);
  }
  const refused = await ask(b, "edit_message", { messageId: message.id, content: "mine now" });
  assert.equal(refused.ok, false);
});

test("typing reaches those who have joined the room, reading everybody in the conversation", async () => {
  const { ada, bob, room } = await pair();
  const [a, b, phone, tablet] = await Promise.all([connect(ada), connect(bob), connect(bob), connect(ada)]);
  await done(tablet, "join_room", room);
  const joined = await done(a, "join_room", room);
  assert.deepEqual(joined.members.toSorted(), [ada.id, bob.id].toSorted());
  await done(b, "join_room", { conversationId: room });
  for (const [event, isTyping] of [["typing", true], ["typing_stop", false], ["typing_start", true]]) {
    const coming = next(b, "typing");
    await done(a, event, { conversationId: room, ...(event === "typing" && { isTyping }) });
    assert.deepEqual(await coming, { conversationId: room, userId: ada.id, isTyping });
  }
  assert.deepEqual(await heard(phone, "typing"), [], "has not joined");
  assert.deepEqual(await heard(a, "typing"), [], "types itself");
  assert.deepEqual(await heard(tablet, "typing"), [], "is in the same hands");
  await done(b, "leave_room", { conversationId: room });
  await done(a, "typing", { conversationId: room, isTyping: false });
  assert.equal((await heard(b, "typing")).length, 3, "has left");

  const { message } = await done(a, "send_message", { conversationId: room, content: "read me" });
  const coming = next(a, "message_read");
  const read = await done(b, "mark_as_read", { conversationId: room, messageId: message.id });
  assert.equal(read.upToSeq, message.seq);
  const { readAt, ...told } = await coming;
  assert.deepEqual(told, { conversationId: room, userId: bob.id, upToSeq: message.seq });
  assert.ok(Date.parse(readAt));
});

test("a reconnect with lastSeq replays what was missed, oldest first, and nothing else", async () => {
  const { ada, bob, room } = await pair();
  const seen = await write(ada, room, "seen");
  const auth = { token: bob.token };
  const b = await connect(bob, { auth });
  b.disconnect();
  const missed = [];
  for (const content of ["one", "two", "three"]) missed.push(await write(ada, room, content));
  const own = await write(bob, room, "from my other device");
  auth.lastSeq = { [room]: seen.seq };
  b.connect();
  await next(b, "connect");
  assert.deepEqual(await heard(b, "message_received"), missed.map((message) => ({ message })));
  assert.deepEqual(await heard(b, "message_sent"), [{ message: own }]);
});

test("a long absence is replayed in parts without a hole", async () => {
  const { ada, bob, room } = await pair();
  for (let n = 0; n < 52; n += 1) await Promise.all(Array.from({ length: 10 }, () => write(ada, room, "🎉".repeat(1000))));
  const seqs = (told) => told.map(({ message }) => message.seq);
  const run = (from, count) => Array.from({ length: count }, (_, n) => from + n);
  const [{ seq: first }] = (await data("GET", `/api/messages/${room}?limit=100`, { token: bob.token })).messages.slice(-1);
  assert.ok(first >= 520);

  const socket = dial({ auth: { token: bob.token, lastSeq: { [room]: 0 } } });
  const told = [];
  socket.on("message_received", (event) => told.push(event));
  const { lastSeq } = await next(socket, "replay_incomplete");
  assert.equal(told.length, 500);
  assert.deepEqual(lastSeq, { [room]: seqs(told).at(-1) });
  const { replayed, more } = await done(socket, "replay", { lastSeq });
  assert.deepEqual([replayed, more], [20, {}]);
  if (first === 520) assert.deepEqual(seqs(told), run(1, 520));
  assert.deepEqual(seqs(told), seqs(told).toSorted((a, b) => a - b));
  assert.equal(new Set(seqs(told)).size, 520);
});

test("a lastSeq that cannot be read keeps nobody away", async () => {
  const { ada, bob, room } = await pair();
  const missed = await write(ada, room, "missed");
  for (const odd of [null, "all", 7, { [room]: null }, { [room]: -1 }, { "no id": 1 }]) {
    (await connect(bob, { auth: { token: bob.token, lastSeq: odd } })).disconnect();
  }
  const many = Object.fromEntries(Array.from({ length: 900 }, (_, n) => [`c${n}`, 1]));
  const lastSeq = { ...many, odd: null, [room]: 0 };
  const b = await connect(bob, { auth: { token: bob.token, lastSeq } });
  assert.deepEqual(await heard(b, "message_received"), [{ message: missed }]);
});

test("a cut line reconnects by itself, with the function that gives the newest lastSeq", async () => {
  const { ada, bob, room } = await pair();
  const lastSeq = {};
  const auth = (tell) => tell({ token: bob.token, lastSeq });
  const b = await connect(bob, { auth, reconnectionDelay: 1500, randomizationFactor: 0 });
  b.on("message_received", ({ message }) => (lastSeq[room] = message.seq));
  await Promise.all([next(b, "message_received"), write(ada, room, "before the cut")]);
  b.io.engine.transport.ws.terminate();
  assert.equal((await next(b, "disconnect"))[0], "transport close");
  const missed = await write(ada, room, "during the cut");
  assert.deepEqual(await next(b, "message_received"), { message: missed });
  assert.equal((await heard(b, "message_received")).length, 2);
});
