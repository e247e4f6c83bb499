// What every scenario needs: people, HTTP calls, sockets that wait for events. One running Ulak is at ULAK_URL.

import { createHmac, randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { io } from "socket.io-client";

export { pause };

export const url = process.env.ULAK_URL ?? "http://localhost:3000";

/** Long enough for a busy machine; nothing takes so long unless it is broken. */
const PATIENCE = 20_000;

/** How long silence is listened to before it counts as silence. */
const SILENCE = 400;

/** One HTTP request; the whole envelope with its status. */
export async function call(method, path, { token, body } = {}) {
  const headers = {};
  if (token) headers.authorization = `Bearer ${token}`;
  if (body) headers["content-type"] = "application/json";
  const answer = await fetch(url + path, { method, headers, body: body && JSON.stringify(body) });
  return { status: answer.status, ...(await answer.json()) };
}

/** The same, of which only a success is expected. */
export async function data(method, path, options) {
  const answer = await call(method, path, options);
  if (!answer.success) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
  return answer.data;
}

export const PASSWORD = "correct horse battery";

/** A new user: `{id, email, token, refresh}`. */
export async function person() {
  const username = `n${randomBytes(8).toString("hex")}`;
  const body = { username, email: `${username}@example.com`, password: PASSWORD };
  return of(await data("POST", "/api/auth/register", { body }), body.email);
}

/** Another session of the same user. */
export async function logIn({ email }) {
  return of(await data("POST", "/api/auth/login", { body: { email, password: PASSWORD } }), email);
}

function of({ user, accessToken, refreshToken }, email) {
  return { id: user.id, email, token: accessToken, refresh: refreshToken };
}

/** Two people and the id of the conversation between them. */
export async function pair() {
  const [ada, bob] = await Promise.all([person(), person()]);
  return { ada, bob, room: await conversation(ada, bob) };
}

export async function conversation(one, other) {
  const body = { participantId: other.id };
  return (await data("POST", "/api/conversations", { token: one.token, body })).conversation.id;
}

/** A message over HTTP. */
export async function write(who, conversationId, content) {
  const body = { conversationId, content };
  return (await data("POST", "/api/messages/send", { token: who.token, body })).message;
}

export async function isOnline(who, whom) {
  return (await data("GET", `/api/user/online/${whom.id}`, { token: who.token })).online;
}

const open = new Set();

/** A socket of the unmodified client, whatever becomes of it. */
export function dial(options = {}, namespace = "/") {
  const socket = io(url + namespace, { transports: ["websocket"], forceNew: true, ...options });
  open.add(socket);
  return socket;
}

/** A connected socket. `heard` collects everything that it is told, as `[event, data]`. */
export async function connect({ token }, options = {}) {
  const socket = dial({ auth: { token }, ...options });
  socket.heard = [];
  socket.onAny((event, told) => socket.heard.push([event, told]));
  await next(socket, "connect");
  return socket;
}

/** Hangs up every socket of the test, so that node can end. */
export function hangUp() {
  for (const socket of open) socket.disconnect();
  open.clear();
}

/** The arguments of the next `event` that `fits`; a single one is given bare. */
export function next(socket, event, fits = () => true) {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`${event} did not come`)), PATIENCE);
    const listen = (...told) => {
      if (!fits(...told)) return;
      clearTimeout(late);
      socket.off(event, listen);
      resolve(told.length > 1 ? told : told[0]);
    };
    socket.on(event, listen);
  });
}

/** An event with its ack: the envelope. */
export function ask(socket, event, ...payload) {
  return socket.timeout(PATIENCE).emitWithAck(event, ...payload);
}

/** An event that must succeed: the ack's data. */
export async function done(socket, event, ...payload) {
  const ack = await ask(socket, event, ...payload);
  if (!ack.ok) throw new Error(`${event}: ${JSON.stringify(ack)}`);
  return ack.data;
}

/** The events of one name that a socket has heard, after what is under way had time to come. */
export async function heard(socket, event) {
  await pause(SILENCE);
  return socket.heard.filter(([name]) => name === event).map(([, told]) => told);
}

/** The same token with other claims, signed as Ulak signs. */
export function forged(token, change) {
  const secret = process.env.ULAK_JWT_SECRET;
  const [head, body] = token.split(".");
  const claims = { ...JSON.parse(Buffer.from(body, "base64url")), ...change };
  const signed = `${head}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}
