// The rules of timelines, without a browser.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  around,
  complete,
  empty,
  merge,
  withChange,
  withMessage,
  withNewer,
  withNewest,
  withOlder,
} from "../../app/timeline.js";

const time = (minute) => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();
const message = (seq, more = {}) => ({
  id: `m${seq}`,
  seq,
  content: `text ${seq}`,
  createdAt: time(0),
  editedAt: null,
  deletedAt: null,
  ...more,
});
const range = (from, to) => Array.from({ length: to - from + 1 }, (_, index) => message(from + index));
const page = (messages, nextCursor = null) => ({ messages, nextCursor });
const seqs = ({ messages }) => messages.map(({ seq }) => seq);

test("messages are ordered by seq and each id is there once, however they arrive", () => {
  const merged = merge([message(2), message(5)], [message(1), message(5), message(3)]);
  assert.deepEqual(
    merged.map(({ seq }) => seq),
    [1, 2, 3, 5],
  );
});

test("the latest version of a message wins, in whichever order the versions arrive", () => {
  const [first, edited, deleted] = [
    message(1),
    message(1, { editedAt: time(1) }),
    message(1, { editedAt: time(1), deletedAt: time(2) }),
  ];
  for (const order of [
    [first, edited, deleted],
    [deleted, edited, first],
    [edited, deleted, first],
  ]) {
    assert.deepEqual(
      order.reduce((known, one) => merge(known, [one]), []),
      [deleted],
    );
  }
});

test("live messages that arrive before the first page are not lost", () => {
  const timeline = withNewest(withMessage(empty(), message(4)), page(range(1, 3)));
  assert.deepEqual(seqs(timeline), [1, 2, 3, 4]);
  assert.equal(timeline.live, true);
});

test("older pages are put in front until the history begins", () => {
  const newest = withNewest(empty(), page(range(5, 6), "m5"));
  assert.equal(newest.hasOlder, true);
  const all = withOlder(newest, page(range(1, 4)));
  assert.deepEqual([seqs(all), all.hasOlder], [[1, 2, 3, 4, 5, 6], false]);
});

test("the newest page, read again, changes neither the older pages nor their end", () => {
  const before = withOlder(withNewest(empty(), page(range(5, 6), "m5")), page(range(1, 4)));
  const again = withNewest(before, page([message(5), message(6, { editedAt: time(1) })], "m5"));
  assert.deepEqual([seqs(again), again.hasOlder, again.messages[5].editedAt], [[1, 2, 3, 4, 5, 6], false, time(1)]);
});

test("an older part of the history gets no live messages until it reaches them", () => {
  let timeline = around(
    withNewest(empty(), page(range(90, 99), "m90")),
    page(range(40, 49), "m40"),
    message(50),
    range(51, 60),
    false,
  );
  timeline = withMessage(timeline, message(100));
  assert.deepEqual([seqs(timeline).at(-1), timeline.live, timeline.hasOlder], [60, false, true]);
  timeline = withNewer(timeline, range(61, 98), false);
  timeline = withNewer(timeline, [message(99)], true);
  assert.deepEqual([seqs(timeline), timeline.live], [range(40, 100).map(({ seq }) => seq), true]);
});

test("the newest page that comes while an older part is shown does not replace it", () => {
  const older = around(empty(), page(range(1, 4)), message(5), range(6, 7), false);
  assert.deepEqual(seqs(withNewest(older, page(range(50, 60), "m50"))), [1, 2, 3, 4, 5, 6, 7]);
});

test("a change of a message that is not there adds nothing", () => {
  const timeline = withNewest(empty(), page(range(5, 6), "m5"));
  assert.deepEqual(seqs(withChange(timeline, message(2, { editedAt: time(1) }))), [5, 6]);
  assert.equal(withChange(timeline, message(6, { editedAt: time(1) })).messages[1].editedAt, time(1));
});

test("the next replay begins before a gap, because the missing message may still be on its way", () => {
  let timeline = withNewest(empty(), page(range(1, 3)));
  assert.equal(timeline.safeSeq, 3);
  timeline = withMessage(timeline, message(5));
  assert.equal(timeline.safeSeq, 3);
  assert.equal(withMessage(timeline, message(4)).safeSeq, 5);
  assert.equal(complete(timeline, 4).safeSeq, 5, "a replay showed that 4 was never used");
});

/** Repeatable random numbers from 0 to 1. */
function random(seed) {
  return () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed / 2 ** 31;
  };
}

test("nothing is lost when live messages overtake replays that are cut, in any order", () => {
  for (let seed = 1; seed <= 500; seed++) {
    const next = random(seed);
    const stored = range(1, 120).filter(({ seq }) => seq === 1 || next() > 0.1);
    let timeline = withNewest(empty(), page([stored[0]]));
    let newest = 1;
    while (newest < stored.length) {
      // Away: some messages are missed. Back: the replay of what is missing, cut at some point, and live messages that
      // overtake it or each other.
      newest = Math.min(stored.length, newest + Math.floor(next() * 20));
      const missed = stored.slice(0, newest).filter(({ seq }) => seq > timeline.safeSeq);
      const isCut = next() < 0.5;
      const replayed = missed.slice(0, isCut ? Math.floor(next() * missed.length) : undefined);
      const live = stored.slice(newest, newest + 4).sort(() => next() - 0.5);
      const isLiveCut = next() < 0.5;
      const heard = [...replayed, ...live.slice(0, isLiveCut ? 2 : undefined)].sort(() => next() - 0.5);
      for (const one of heard) timeline = withMessage(timeline, one);
      if (!isCut) timeline = complete(timeline, stored[newest - 1].seq);
      newest = Math.min(stored.length, newest + 4);
    }
    for (const one of stored.filter(({ seq }) => seq > timeline.safeSeq)) timeline = withMessage(timeline, one);
    assert.deepEqual(
      seqs(timeline),
      stored.map(({ seq }) => seq),
      `seed ${seed}`,
    );
  }
});
