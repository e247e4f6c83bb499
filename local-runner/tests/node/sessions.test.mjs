// Who may connect, how a refusal is told, and how the end of a session ends its sockets.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { PASSWORD, call, connect, data, dial, done, forged, hangUp, logIn, next, pause, person } from "./ulak.mjs";

afterEach(hangUp);

async function refusal(options) {
  const socket = dial(options);
  let attempts = 0;
  socket.io.on("reconnect_attempt", () => (attempts += 1));
  const error = await next(socket, "connect_error");
  await pause(50);
  assert.equal(socket.connected, false);
  assert.equal(socket.active, false, "a refusal is final");
  assert.equal(attempts, 0);
  assert.equal(typeof error.message, "string");
  assert.equal(error.data.retryable, false);
  return error.data.code;
}

test("a wrong, an expired and a revoked token are told as connect_error with a code", async () => {
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

test("after a refusal the same client connects with a good token", async () => {
  const ada = await person();
  const socket = dial({ auth: { token: "garbage" } });
  await next(socket, "connect_error");
  socket.auth = { token: ada.token };
  socket.connect();
  await next(socket, "connect");
  await done(socket, "online_users");
});

test("a token in the query or in the Authorization header serves", async () => {
  const ada = await person();
  const token = ada.token;
  const table = [{ query: { token } }, { extraHeaders: { authorization: `Bearer ${token}` } }];
  for (const options of table) {
    const socket = dial(options);
    await next(socket, "connect");
    assert.ok((await done(socket, "online_users")).userIds.includes(ada.id));
    socket.disconnect();
  }
});

test("a wrong token in the query or the header is told as one in auth is", async () => {
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

test("a wrong token in the query does not spoil a good one in auth", async () => {
  const ada = await person();
  const socket = dial({ query: { token: "garbage" }, auth: { token: ada.token } });
  await next(socket, "connect");
});

// Each ends the session of `here` from `there`, another session of the same user.
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
    await data("POST", "/api/auth/refresh", { body });
    assert.equal((await call("POST", "/api/auth/refresh", { body })).status, 401);
  },
};

for (const [what, end] of Object.entries(endings)) {
  test(`${what} tells the session's sockets, ends them, and they stay ended`, async () => {
    const there = await person();
    const here = await logIn(there);
    const sockets = await Promise.all([connect(here), connect(here)]);
    const bystander = await connect(await person());
    const attempts = [];
    const ends = sockets.map(async (socket) => {
      socket.io.on("reconnect_attempt", () => attempts.push(socket.id));
      const [reason] = await next(socket, "disconnect");
      assert.equal(reason, "io server disconnect");
      // Others may come and go until the very end.
      const [event, told] = socket.heard.findLast(([event]) => !event.startsWith("user_"));
      assert.equal(event, "session_ended");
      assert.equal(typeof told.reason, "string");
    });
    await Promise.all([end({ here, there }), ...ends]);
    await pause(1_600);
    assert.deepEqual(attempts, [], "the client must not come back");
    for (const socket of sockets) assert.equal(socket.active, false);
    assert.equal(await refusal({ auth: { token: here.token } }), "TOKEN_REVOKED");
    assert.equal(bystander.connected, true);
  });
}
