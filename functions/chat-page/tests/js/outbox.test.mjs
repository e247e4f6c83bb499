// The rules of the outbox, without a browser.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createOutbox, entry, flush } from "../../app/outbox.js";

/** What the outbox uses of `localStorage`. */
function storage() {
  const values = new Map();
  return {
    get length() {
      return values.size;
    },
    key: (index) => [...values.keys()][index] ?? null,
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => values.set(key, value),
    removeItem: (key) => values.delete(key),
  };
}

const refused = (retryable) => Object.assign(new Error("refused"), { retryable });
const contents = (outbox) => outbox.list().map(({ content }) => content);

test("entries are listed in the order in which they were written, and per user", () => {
  const shared = storage();
  const [ada, bob] = [createOutbox("ada", shared), createOutbox("bob", shared)];
  for (const text of ["one", "two", "three"]) ada.put(entry("c", text));
  bob.put(entry("c", "other"));
  assert.deepEqual([contents(ada), contents(bob)], [["one", "two", "three"], ["other"]]);
  assert.equal(new Set(ada.list().map(({ clientMessageId }) => clientMessageId)).size, 3);
});

test("what was sent leaves the outbox, in order", async () => {
  const outbox = createOutbox("ada", storage());
  for (const text of ["one", "two"]) outbox.put(entry("c", text));
  const sent = [];
  assert.equal(
    await flush(
      outbox,
      async ({ content }) => void sent.push(content),
      () => {},
    ),
    true,
  );
  assert.deepEqual([sent, contents(outbox)], [["one", "two"], []]);
});

test("a passing failure keeps the entry and those after it, and the same id is sent again", async () => {
  const outbox = createOutbox("ada", storage());
  for (const text of ["one", "two"]) outbox.put(entry("c", text));
  const ids = [];
  let isDown = true;
  const send = async ({ clientMessageId }) => {
    ids.push(clientMessageId);
    if (isDown) throw refused(true);
  };
  assert.equal(await flush(outbox, send, () => {}), false);
  assert.deepEqual(contents(outbox), ["one", "two"]);
  isDown = false;
  await flush(outbox, send, () => {});
  assert.deepEqual([ids[0] === ids[1], ids.length, contents(outbox)], [true, 3, []]);
});

test("an entry that is refused for good is marked and does not hold up the others", async () => {
  const outbox = createOutbox("ada", storage());
  for (const text of ["bad", "good"]) outbox.put(entry("c", text));
  const send = async ({ content }) => {
    if (content === "bad") throw refused(false);
  };
  assert.equal(await flush(outbox, send, () => {}), true);
  assert.deepEqual(
    outbox.list().map(({ content, error }) => [content, error]),
    [["bad", "refused"]],
  );
});

test("what is written during a flush is sent by it", async () => {
  const outbox = createOutbox("ada", storage());
  outbox.put(entry("c", "one"));
  const sent = [];
  const send = async ({ content }) => {
    if (content === "one") outbox.put(entry("c", "two"));
    sent.push(content);
  };
  await flush(outbox, send, () => {});
  assert.deepEqual(sent, ["one", "two"]);
});
