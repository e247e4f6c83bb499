// Helpers of all scenarios: users, HTTP calls, and sockets that record events. ULAK_URL is the URL of a running Ulak.

import { createHmac, randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { io } from "socket.io-client";

export { pause };

export const url = process.env.ULAK_URL ?? "http://localhost:3000";

/** The time limit of every wait, in milliseconds. */
const TIME_LIMIT = 20_000;

/** The time within which every pending event arrives, in milliseconds. */
const SETTLE_TIME = 400;

/** Sends an HTTP request. Returns the envelope and its status. */
export async function call(method, path, { token, body } = {}) {
  const headers = {};
  if (token) headers.authorization = `Bearer ${token}`;
  if (body) headers["content-type"] = "application/json";
  const answer = await fetch(url + path, { method, headers, body: body && JSON.stringify(body) });
  return { status: answer.status, ...(await answer.json()) };
}

/** Sends an HTTP request that must succeed. Returns its data. */
export async function data(method, path, options) {
  const answer = await call(method, path, options);
  if (!answer.success) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
  return answer.data;
}

export const PASSWORD = "correct horse battery";

/** Registers a user: `{id, email, token, refresh}`. */
export async function person() {
  const username = `n${randomBytes(8).toString("hex")}`;
  const body = { username, email: `${username}@example.com`, password: PASSWORD };
  return personOf(await data("POST", "/api/auth/register", { body }), body.email);
}

/** Opens another session of the same user. */
export async function logIn({ email }) {
  return personOf(await data("POST", "/api/auth/login", { body: { email, password: PASSWORD } }), email);
}

function personOf({ user, accessToken, refreshToken }, email) {
  return { id: user.id, email, token: accessToken, refresh: refreshToken };
}

/** Two users and the id of their direct conversation. */
export async function pair() {
  const [ada, bob] = await Promise.all([person(), person()]);
  return { ada, bob, room: await conversation(ada, bob) };
}

export async function conversation(one, other) {
  const body = { participantId: other.id };
  return (await data("POST", "/api/conversations", { token: one.token, body })).conversation.id;
}

/** Sends a message over HTTP and returns it. */
export async function sendByHttp(sender, conversationId, content) {
  const body = { conversationId, content };
  return (await data("POST", "/api/messages/send", { token: sender.token, body })).message;
}

export async function isOnline(caller, user) {
  return (await data("GET", `/api/user/online/${user.id}`, { token: caller.token })).online;
}

const openSockets = new Set();

/** Opens a socket of the unmodified client, without waiting for the connect. */
export function openSocket(options = {}, namespace = "/") {
  const socket = io(url + namespace, { transports: ["websocket"], forceNew: true, ...options });
  openSockets.add(socket);
  return socket;
}

/** A connected socket. `received` collects all events, as `[event, data]`. */
export async function connect({ token }, options = {}) {
  const socket = openSocket({ auth: { token }, ...options });
  socket.received = [];
  socket.onAny((event, data) => socket.received.push([event, data]));
  await next(socket, "connect");
  return socket;
}

/** Closes every socket of the test, so that node can end. */
export function closeSockets() {
  for (const socket of openSockets) socket.disconnect();
  openSockets.clear();
}

/** The argument of the next `event` for which `matches` is true; an array if there are several arguments. */
export function next(socket, event, matches = () => true) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${event} within the time limit`)), TIME_LIMIT);
    const listen = (...args) => {
      if (!matches(...args)) return;
      clearTimeout(timer);
      socket.off(event, listen);
      resolve(args.length > 1 ? args : args[0]);
    };
    socket.on(event, listen);
  });
}

/** Sends an event and returns its ack, which is an envelope. */
export function request(socket, event, ...payload) {
  return socket.timeout(TIME_LIMIT).emitWithAck(event, ...payload);
}

/** Sends an event that must succeed. Returns the data of its ack. */
export async function requestData(socket, event, ...payload) {
  const ack = await request(socket, event, ...payload);
  if (!ack.ok) throw new Error(`${event}: ${JSON.stringify(ack)}`);
  return ack.data;
}

/** The data of all events with this name, after pending events had time to arrive. */
export async function received(socket, event) {
  await pause(SETTLE_TIME);
  return socket.received.filter(([name]) => name === event).map(([, data]) => data);
}

/** The token with other claims and a valid signature. */
export function forged(token, change) {
  const secret = process.env.ULAK_JWT_SECRET;
  const [head, body] = token.split(".");
  const claims = { ...JSON.parse(Buffer.from(body, "base64url")), ...change };
  const signed = `${head}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}
