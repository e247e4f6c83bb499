// Who is online: connections are counted, and only the first and the last are announced.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { connect, data, dial, done, hangUp, heard, isOnline, next, pause, person } from "./ulak.mjs";

afterEach(hangUp);

const about = (who) => (told) => told.userId === who.id;

test("two tabs: closing one keeps the user online; only the edges are announced", async () => {
  const [ada, bob] = [await person(), await person()];
  const watch = await connect(bob);
  const online = next(watch, "user_online", about(ada));
  const first = await connect(ada);
  assert.deepEqual(await online, { userId: ada.id });
  const second = await connect(ada);
  first.disconnect();
  await heard(watch, "user_offline");
  assert.equal(await isOnline(bob, ada), true);
  const { count, userIds } = await done(watch, "online_users");
  assert.ok(userIds.includes(ada.id) && userIds.includes(bob.id) && count === userIds.length);
  assert.ok((await data("GET", "/api/user/online", { token: bob.token })).userIds.includes(ada.id));

  const offline = next(watch, "user_offline", about(ada));
  second.disconnect();
  const { lastSeenAt } = await offline;
  assert.equal(await isOnline(bob, ada), false);
  const shown = await data("GET", `/api/user/online/${ada.id}`, { token: bob.token });
  assert.equal(shown.lastSeenAt, lastSeenAt, "REST and the event agree on when");
  assert.equal((await heard(watch, "user_online")).filter(about(ada)).length, 1);
  assert.equal((await heard(watch, "user_offline")).filter(about(ada)).length, 1);
  assert.equal((await heard(second, "user_online")).filter(about(ada)).length, 0, "nobody hears of oneself");
});

test("a logout is an edge as any other", async () => {
  const [ada, bob] = [await person(), await person()];
  const watch = await connect(bob);
  await connect(ada);
  const offline = next(watch, "user_offline", about(ada));
  await data("POST", "/api/auth/logout", { token: ada.token });
  const { lastSeenAt } = await offline;
  const shown = await data("GET", `/api/user/online/${ada.id}`, { token: bob.token });
  assert.deepEqual([shown.online, shown.lastSeenAt], [false, lastSeenAt]);
  assert.equal((await heard(watch, "user_offline")).filter(about(ada)).length, 1);
});

test("a cut line is an edge as any other, with the time that REST shows", async () => {
  const [ada, bob] = [await person(), await person()];
  const watch = await connect(bob);
  const socket = await connect(ada, { reconnection: false });
  const offline = next(watch, "user_offline", about(ada));
  socket.io.engine.transport.ws.terminate();
  const { lastSeenAt } = await offline;
  const shown = await data("GET", `/api/user/online/${ada.id}`, { token: bob.token });
  assert.deepEqual([shown.online, shown.lastSeenAt], [false, lastSeenAt]);
});

test("a logout that races a connect leaves no living socket", async () => {
  const bob = await person();
  const hasty = await Promise.all(
    Array.from({ length: 20 }, async (_, turn) => {
      const who = await person();
      const socket = dial({ auth: { token: who.token } });
      await pause(turn);
      await data("POST", "/api/auth/logout", { token: who.token });
      return { who, socket };
    }),
  );
  await until(() => hasty.every(({ socket }) => !socket.connected && !socket.active));
  const { userIds } = await data("GET", "/api/user/online", { token: bob.token });
  assert.ok(hasty.every(({ who }) => !userIds.includes(who.id)));
});

test("fifty fast connects and disconnects leave nobody online", async () => {
  const bob = await person();
  const watch = await connect(bob);
  const people = await Promise.all(Array.from({ length: 5 }, person));
  const hasty = Array.from({ length: 50 }, async (_, turn) => {
    const { token } = people[turn % people.length];
    const socket = dial({ auth: { token }, reconnection: false });
    // At once, in the open, in the middle of CONNECT, right after it.
    const moments = [() => pause(0), () => next(socket.io, "open"), () => pause(turn / 5), () => next(socket, "connect")];
    await moments[turn % moments.length]();
    socket.disconnect();
  });
  await Promise.all(hasty);
  await until(async () => {
    const { userIds } = await data("GET", "/api/user/online", { token: bob.token });
    return people.every(({ id }) => !userIds.includes(id));
  });
  const edges = (event, { id }) => watch.heard.filter(([name, { userId }]) => name === event && userId === id).length;
  await until(() => people.every((who) => edges("user_online", who) === edges("user_offline", who)));
});

async function until(holds) {
  for (let tries = 0; tries < 100; tries += 1) {
    if (await holds()) return;
    await pause(50);
  }
  assert.fail("it never came to be");
}
