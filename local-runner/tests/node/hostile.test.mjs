// Whatever a client sends, it hears what was wrong; nobody else notices, and the server lives.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { WebSocket } from "ws";
import { ask, call, connect, dial, done, hangUp, next, pair, pause, person, url } from "./ulak.mjs";

afterEach(hangUp);

const EVENTS = [
  "join_room", "leave_room", "send_message", "typing", "typing_start", "typing_stop", "message_read",
  "mark_as_read", "edit_message", "delete_message", "replay", "no_such_event", "__proto__", "constructor", "",
];

const deep = (levels) => Array.from({ length: levels }).reduce((inner) => ({ a: inner }), 1);

const PAYLOADS = [
  [], [null], [undefined], [0], [-1.5e300], [true], [""], ["x".repeat(5_000)], [[]], [[[]]], [{}],
  [{ conversationId: null, messageId: null, content: null }],
  [{ conversationId: {}, receiverId: [], messageId: 7, content: { $gt: "" }, isTyping: "yes" }],
  [{ conversationId: "../../etc", messageId: "\u0000", content: "\ud83d" }],
  [{ conversationId: { $ne: null }, messageId: { $ne: null }, content: "x" }],
  [{ lastSeq: { a: -1 } }], [{ lastSeq: "all" }], [{ __proto__: null, constructor: 1 }],
  [deep(20)], [deep(200)], [1, 2, 3, () => {}].slice(0, 3),
];

test("no payload, garbage and wrong types are an ack with an error on every event", async () => {
  const socket = await connect(await person());
  const drops = [];
  socket.on("disconnect", (reason) => drops.push(reason));
  for (const event of EVENTS) {
    for (const payload of PAYLOADS) {
      const ack = await ask(socket, event, ...payload);
      const what = `${event} ${JSON.stringify(payload).slice(0, 80)}`;
      assert.equal(ack.ok, false, what);
      assert.match(ack.error.code, /^(VALIDATION_FAILED|NOT_FOUND)$/, what);
      assert.equal(ack.error.retryable, false, what);
      assert.equal(typeof ack.error.message, "string", what);
    }
  }
  assert.deepEqual(drops, []);
});

test("without an ack the failure comes as the event error, and the socket stays", async () => {
  const socket = await connect(await person());
  for (const event of EVENTS) {
    const coming = next(socket, "error");
    socket.emit(event);
    assert.match((await coming).code, /^VALIDATION_FAILED$/, event);
  }
  await done(socket, "online_users");
});

test("a success without an ack is silent", async () => {
  const { ada, room } = await pair();
  const socket = await connect(ada);
  const before = socket.heard.length;
  socket.emit("join_room", room);
  await done(socket, "online_users");
  assert.deepEqual(socket.heard.slice(before).filter(([event]) => !event.startsWith("user_")), []);
});

test("a megabyte closes that socket alone, with 1009, and the client comes back", async () => {
  const [socket, other] = [await connect(await person(), { reconnectionDelay: 10 }), await connect(await person())];
  const ended = next(socket, "disconnect");
  socket.emit("send_message", { content: "x".repeat(1_000_000) });
  const [reason, details] = await ended;
  assert.equal(reason, "transport close");
  assert.equal(details.context.code, 1009);
  await next(socket, "connect");
  await done(socket, "online_users");
  await done(other, "online_users");
});

test("thirty kilobytes still fit into a frame and are only too long a message", async () => {
  const { ada, room } = await pair();
  const socket = await connect(ada);
  const ack = await ask(socket, "send_message", { conversationId: room, content: "x".repeat(30_000) });
  assert.equal(ack.error.code, "VALIDATION_FAILED");
});

test("an attachment is refused: as text by the ack, as a binary frame by 1003", async () => {
  const { ada, room } = await pair();
  const payload = () => ({ conversationId: room, content: Buffer.from([1, 2, 3]) });
  const text = await connect(ada, { forceBase64: true });
  const ack = await ask(text, "send_message", payload());
  assert.equal(ack.ok, false);
  assert.equal(ack.error.code, "VALIDATION_FAILED");
  await done(text, "online_users");

  const binary = await connect(ada, { reconnectionDelay: 10 });
  const ended = next(binary, "disconnect");
  binary.emit("send_message", payload());
  const [, details] = await ended;
  assert.equal(details.context.code, 1003);
  await next(binary, "connect");
  await done(binary, "online_users");
});

test("an unknown namespace is refused by its name, and the main one goes on", async () => {
  const ada = await person();
  const socket = dial({ auth: { token: ada.token } }, "/random");
  const error = await next(socket, "connect_error");
  assert.equal(error.message, "Invalid namespace");
});

test("frames that are no Socket.IO end their socket only", async () => {
  const other = await connect(await person());
  for (const frame of ["", "garbage", "{}", "4", "49", "42", '42["online_users"]', "2", "0{}", "44{}", "451", '42["x"']) {
    const ws = new WebSocket(`${url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`);
    await new Promise((resolve) => ws.once("message", resolve));
    const closed = new Promise((resolve) => ws.once("close", resolve));
    ws.send(frame);
    assert.equal(await closed, 1000, JSON.stringify(frame));
  }
  await done(other, "online_users");
  await pause(10);
  assert.equal((await call("GET", "/api/health")).status, 200);
});
