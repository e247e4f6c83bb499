// The texts of both languages, and highlights.

import assert from "node:assert/strict";
import { test } from "node:test";
import english from "../../app/en.js";
import { excerpt, parts } from "../../app/highlight.js";
import turkish from "../../app/tr.js";

test("both languages have the same texts with the same places for values", () => {
  assert.deepEqual(Object.keys(turkish), Object.keys(english));
  const places = (text) => (text.match(/\{\w+\}/g) ?? []).sort();
  for (const [key, text] of Object.entries(english)) assert.deepEqual(places(turkish[key]), places(text), key);
});

test("a highlight becomes text, whatever it contains", () => {
  assert.deepEqual(parts("&lt;img src=x onerror=alert(1)&gt; &amp;amp; <mark>word</mark>&#39;s"), [
    { text: "<img src=x onerror=alert(1)> &amp; ", marked: false },
    { text: "word", marked: true },
    { text: "'s", marked: false },
  ]);
});

test("an excerpt begins shortly before the first marked word and cuts no character", () => {
  const [lead, word] = excerpt(parts(`${"😀".repeat(100)}<mark>word</mark>`));
  assert.deepEqual([lead.text, word.text], [`…${"😀".repeat(40)}`, "word"]);
});
