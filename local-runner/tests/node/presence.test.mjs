// Presence: only a user's first connect and last disconnect are announced.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import {
  closeSockets, connect, data, isOnline, next, openSocket, pause, person, received, requestData,
} from "./ulak.mjs";

afterEach(closeSockets);

const isAbout = (user) => (event) => event.userId === user.id;

test("a user with two connections stays online until both are closed", async () => {
  const [ada, bob] = [await person(), await person()];
  const watcher = await connect(bob);
  const online = next(watcher, "user_online", isAbout(ada));
  const first = await connect(ada);
  assert.deepEqual(await online, { userId: ada.id });
  const second = await connect(ada);
  first.disconnect();
  await received(watcher, "user_offline");
  assert.equal(await isOnline(bob, ada), true);
  const { count, userIds } = await requestData(watcher, "online_users");
  assert.ok(userIds.includes(ada.id) && userIds.includes(bob.id) && count === userIds.length);
  assert.ok((await data("GET", "/api/user/online", { token: bob.token })).userIds.includes(ada.id));

  const offline = next(watcher, "user_offline", isAbout(ada));
  second.disconnect();
  const { lastSeenAt } = await offline;
  assert.equal(await isOnline(bob, ada), false);
  const shown = await data("GET", `/api/user/online/${ada.id}`, { token: bob.token });
  assert.equal(shown.lastSeenAt, lastSeenAt, "REST and the event have different times");
  assert.equal((await received(watcher, "user_online")).filter(isAbout(ada)).length, 1);
  assert.equal((await received(watcher, "user_offline")).filter(isAbout(ada)).length, 1);
  assert.equal((await received(second, "user_online")).filter(isAbout(ada)).length, 0, "a socket receives no event about its own user");
});

test("a logout is announced as the last disconnect", async () => {
  const [ada, bob] = [await person(), await person()];
  const watcher = await connect(bob);
  await connect(ada);
  const offline = next(watcher, "user_offline", isAbout(ada));
  await data("POST", "/api/auth/logout", { token: ada.token });
  const { lastSeenAt } = await offline;
  const shown = await data("GET", `/api/user/online/${ada.id}`, { token: bob.token });
  assert.deepEqual([shown.online, shown.lastSeenAt], [false, lastSeenAt]);
  assert.equal((await received(watcher, "user_offline")).filter(isAbout(ada)).length, 1);
});

test("a cut connection is announced as the last disconnect, with the time that REST returns", async () => {
  const [ada, bob] = [await person(), await person()];
  const watcher = await connect(bob);
  const socket = await connect(ada, { reconnection: false });
  const offline = next(watcher, "user_offline", isAbout(ada));
  socket.io.engine.transport.ws.terminate();
  const { lastSeenAt } = await offline;
  const shown = await data("GET", `/api/user/online/${ada.id}`, { token: bob.token });
  assert.deepEqual([shown.online, shown.lastSeenAt], [false, lastSeenAt]);
});

test("a logout during a connect leaves no open socket", async () => {
  const bob = await person();
  const fast = await Promise.all(
    Array.from({ length: 20 }, async (_, turn) => {
      const user = await person();
      const socket = openSocket({ auth: { token: user.token } });
      await pause(turn);
      await data("POST", "/api/auth/logout", { token: user.token });
      return { user, socket };
    }),
  );
  await until(() => fast.every(({ socket }) => !socket.connected && !socket.active));
  const { userIds } = await data("GET", "/api/user/online", { token: bob.token });
  assert.ok(fast.every(({ user }) => !userIds.includes(user.id)));
});

test("fifty fast connects and disconnects leave no user online", async () => {
  const bob = await person();
  const watcher = await connect(bob);
  const people = await Promise.all(Array.from({ length: 5 }, person));
  const fast = Array.from({ length: 50 }, async (_, turn) => {
    const { token } = people[turn % people.length];
    const socket = openSocket({ auth: { token }, reconnection: false });
    // At once, after the open packet, during CONNECT, right after CONNECT.
    const moments = [() => pause(0), () => next(socket.io, "open"), () => pause(turn / 5), () => next(socket, "connect")];
    await moments[turn % moments.length]();
    socket.disconnect();
  });
  await Promise.all(fast);
  await until(async () => {
    const { userIds } = await data("GET", "/api/user/online", { token: bob.token });
    return people.every(({ id }) => !userIds.includes(id));
  });
  const announced = (event, { id }) => watcher.received.filter(([name, { userId }]) => name === event && userId === id).length;
  await until(() => people.every((user) => announced("user_online", user) === announced("user_offline", user)));
});

async function until(condition) {
  for (let tries = 0; tries < 100; tries += 1) {
    if (await condition()) return;
    await pause(50);
  }
  assert.fail("the condition was not met in time");
}
