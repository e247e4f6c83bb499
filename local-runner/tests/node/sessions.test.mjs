// Authentication of sockets, the errors of refused connects, and sockets whose session ends.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import {
  PASSWORD, call, closeSockets, connect, data, forged, logIn, next, openSocket, pause, person, requestData,
} from "./ulak.mjs";

afterEach(closeSockets);

async function refusal(options) {
  const socket = openSocket(options);
  let attempts = 0;
  socket.io.on("reconnect_attempt", () => (attempts += 1));
  const error = await next(socket, "connect_error");
  await pause(50);
  assert.equal(socket.connected, false);
  assert.equal(socket.active, false, "the client must not reconnect");
  assert.equal(attempts, 0);
  assert.equal(typeof error.message, "string");
  assert.equal(error.data.retryable, false);
  return error.data.code;
}

test("invalid, expired and revoked tokens get connect_error with a code", async () => {
  const ada = await person();
  const revoked = await person();
  await data("POST", "/api/auth/logout", { token: revoked.token });
  const past = Math.floor(Date.now() / 1000) - 3600;
  const table = [
    ["none", undefined, "UNAUTHENTICATED"],
    ["no object", { token: { $ne: 1 } }, "UNAUTHENTICATED"],
    ["garbage", { token: "garbage" }, "UNAUTHENTICATED"],
    ["another key's", { token: `${ada.token}x` }, "UNAUTHENTICATED"],
    ["expired", { token: forged(ada.token, { iat: past - 900, exp: past }) }, "TOKEN_EXPIRED"],
    ["logged out", { token: revoked.token }, "TOKEN_REVOKED"],
    ["of no session", { token: forged(ada.token, { sid: "01ARZ3NDEKTSV4RRFFQ69G5FAV" }) }, "TOKEN_REVOKED"],
    ["another's session", { token: forged(ada.token, { sub: revoked.id }) }, "TOKEN_REVOKED"],
  ];
  for (const [what, auth, code] of table) assert.equal(await refusal({ auth }), code, what);
});

test("a refused client can connect with a valid token", async () => {
  const ada = await person();
  const socket = openSocket({ auth: { token: "garbage" } });
  await next(socket, "connect_error");
  socket.auth = { token: ada.token };
  socket.connect();
  await next(socket, "connect");
  await requestData(socket, "online_users");
});

test("a token is accepted in the query and in the Authorization header", async () => {
  const ada = await person();
  const token = ada.token;
  const table = [{ query: { token } }, { extraHeaders: { authorization: `Bearer ${token}` } }];
  for (const options of table) {
    const socket = openSocket(options);
    await next(socket, "connect");
    assert.ok((await requestData(socket, "online_users")).userIds.includes(ada.id));
    socket.disconnect();
  }
});

test("an invalid token in the query or the header gets the same error as in auth", async () => {
  const ada = await person();
  const past = Math.floor(Date.now() / 1000) - 3600;
  const revoked = await person();
  await data("POST", "/api/auth/logout", { token: revoked.token });
  const table = [
    ["garbage", "UNAUTHENTICATED"],
    [forged(ada.token, { iat: past - 900, exp: past }), "TOKEN_EXPIRED"],
    [revoked.token, "TOKEN_REVOKED"],
  ];
  for (const [token, code] of table) {
    assert.equal(await refusal({ query: { token } }), code);
    assert.equal(await refusal({ extraHeaders: { authorization: `Bearer ${token}` } }), code);
  }
  assert.equal(await refusal({ extraHeaders: { authorization: `Basic ${ada.token}` } }), "UNAUTHENTICATED");
});

test("a valid token in auth is used although the query has an invalid one", async () => {
  const ada = await person();
  const socket = openSocket({ query: { token: "garbage" }, auth: { token: ada.token } });
  await next(socket, "connect");
});

// Ways to end the session of `here`; `there` is another session of the same user.
const endings = {
  "its own logout": ({ here }) => data("POST", "/api/auth/logout", { token: here.token }),
  "a logout everywhere": ({ there }) =>
    data("POST", "/api/auth/logout", { token: there.token, body: { everywhere: true } }),
  "its deletion": async ({ here, there }) => {
    const { sid } = JSON.parse(Buffer.from(here.token.split(".")[1], "base64url"));
    await data("DELETE", `/api/auth/sessions/${sid}`, { token: there.token });
  },
  "a new password": ({ there }) =>
    data("PUT", "/api/user/profile", {
      token: there.token,
      body: { password: "another horse battery", currentPassword: PASSWORD },
    }),
  "the reuse of a refresh token": async ({ here }) => {
    const body = { refreshToken: here.refresh };
    const { refreshToken } = await data("POST", "/api/auth/refresh", { body });
    // The token before the latest may be a repeated request; the one before that is not.
    await data("POST", "/api/auth/refresh", { body: { refreshToken } });
    assert.equal((await call("POST", "/api/auth/refresh", { body })).status, 401);
  },
};

for (const [what, end] of Object.entries(endings)) {
  test(`${what} sends session_ended to the session's sockets and closes them for good`, async () => {
    const there = await person();
    const here = await logIn(there);
    const sockets = await Promise.all([connect(here), connect(here)]);
    const bystander = await connect(await person());
    const attempts = [];
    const ends = sockets.map(async (socket) => {
      socket.io.on("reconnect_attempt", () => attempts.push(socket.id));
      const [reason] = await next(socket, "disconnect");
      assert.equal(reason, "io server disconnect");
      // Presence events of other users may arrive until the end.
      const [event, data] = socket.received.findLast(([event]) => !event.startsWith("user_"));
      assert.equal(event, "session_ended");
      assert.equal(typeof data.reason, "string");
    });
    await Promise.all([end({ here, there }), ...ends]);
    await pause(1_600);
    assert.deepEqual(attempts, [], "the client must not reconnect");
    for (const socket of sockets) assert.equal(socket.active, false);
    assert.equal(await refusal({ auth: { token: here.token } }), "TOKEN_REVOKED");
    assert.equal(bystander.connected, true);
  });
}
