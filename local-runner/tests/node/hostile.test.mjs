// Hostile input gets an error or closes its own socket; other sockets and the server are not affected.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { WebSocket } from "ws";
import {
  call, closeSockets, connect, next, openSocket, pair, pause, person, request, requestData, url,
} from "./ulak.mjs";

afterEach(closeSockets);

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

test("missing and invalid payloads get an error ack for every event", async () => {
  const socket = await connect(await person());
  const drops = [];
  socket.on("disconnect", (reason) => drops.push(reason));
  for (const event of EVENTS) {
    for (const payload of PAYLOADS) {
      const ack = await request(socket, event, ...payload);
      const what = `${event} ${JSON.stringify(payload).slice(0, 80)}`;
      assert.equal(ack.ok, false, what);
      assert.match(ack.error.code, /^(VALIDATION_FAILED|NOT_FOUND)$/, what);
      assert.equal(ack.error.retryable, false, what);
      assert.equal(typeof ack.error.message, "string", what);
    }
  }
  assert.deepEqual(drops, []);
});

test("a failure without an ack is sent as the event error, and the socket stays open", async () => {
  const socket = await connect(await person());
  for (const event of EVENTS) {
    const coming = next(socket, "error");
    socket.emit(event);
    assert.match((await coming).code, /^VALIDATION_FAILED$/, event);
  }
  await requestData(socket, "online_users");
});

test("a success without an ack sends nothing back", async () => {
  const { ada, room } = await pair();
  const socket = await connect(ada);
  const before = socket.received.length;
  socket.emit("join_room", room);
  await requestData(socket, "online_users");
  assert.deepEqual(socket.received.slice(before).filter(([event]) => !event.startsWith("user_")), []);
});

test("a frame of one megabyte closes only its socket with 1009, and the client reconnects", async () => {
  const [socket, other] = [await connect(await person(), { reconnectionDelay: 10 }), await connect(await person())];
  const ended = next(socket, "disconnect");
  socket.emit("send_message", { content: "x".repeat(1_000_000) });
  const [reason, details] = await ended;
  assert.equal(reason, "transport close");
  assert.equal(details.context.code, 1009);
  await next(socket, "connect");
  await requestData(socket, "online_users");
  await requestData(other, "online_users");
});

test("a frame of 30 kB is accepted, and its content is too long for a message", async () => {
  const { ada, room } = await pair();
  const socket = await connect(ada);
  const ack = await request(socket, "send_message", { conversationId: room, content: "x".repeat(30_000) });
  assert.equal(ack.error.code, "VALIDATION_FAILED");
});

test("an attachment is refused with an error ack as text and with 1003 as a binary frame", async () => {
  const { ada, room } = await pair();
  const payload = () => ({ conversationId: room, content: Buffer.from([1, 2, 3]) });
  const text = await connect(ada, { forceBase64: true });
  const ack = await request(text, "send_message", payload());
  assert.equal(ack.ok, false);
  assert.equal(ack.error.code, "VALIDATION_FAILED");
  await requestData(text, "online_users");

  const binary = await connect(ada, { reconnectionDelay: 10 });
  const ended = next(binary, "disconnect");
  binary.emit("send_message", payload());
  const [, details] = await ended;
  assert.equal(details.context.code, 1003);
  await next(binary, "connect");
  await requestData(binary, "online_users");
});

test("an unknown namespace gets connect_error", async () => {
  const ada = await person();
  const socket = openSocket({ auth: { token: ada.token } }, "/random");
  const error = await next(socket, "connect_error");
  assert.equal(error.message, "Invalid namespace");
});

test("frames that are not Socket.IO close only their own socket", async () => {
  const other = await connect(await person());
  for (const frame of ["", "garbage", "{}", "4", "49", "42", '42["online_users"]', "2", "0{}", "44{}", "451", '42["x"']) {
    const ws = new WebSocket(`${url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`);
    await new Promise((resolve) => ws.once("message", resolve));
    const closed = new Promise((resolve) => ws.once("close", resolve));
    ws.send(frame);
    assert.equal(await closed, 1000, JSON.stringify(frame));
  }
  await requestData(other, "online_users");
  await pause(10);
  assert.equal((await call("GET", "/api/health")).status, 200);
});
