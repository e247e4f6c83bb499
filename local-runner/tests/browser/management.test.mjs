// A web page of another origin that tries every management endpoint of a developer's runner, in a real browser: by
// fetch, by a form, and by a WebSocket. Nothing may happen, and the log has one line for each try.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { launch } from "./browser.mjs";
import { startServer } from "./server.mjs";

/** Method and path of every management endpoint. The functions and the connection need not exist. */
const ENDPOINTS = [
  ["POST", "/2015-03-31/functions/auto-message-planner/invocations"],
  ["POST", "/2021-11-15/functions/auto-message-planner/response-streaming-invocations"],
  ["POST", "/2014-11-13/functions/auto-message-planner/invoke-async/"],
  ["POST", "/live/@connections/abc="],
  ["GET", "/live/@connections/abc="],
  ["DELETE", "/live/@connections/abc="],
  ["GET", "/_runner/queues"],
  ["POST", "/_runner/queues"],
  ["POST", "/_runner/fired"],
  ["POST", "/_runner/backup"],
];

/** Types of bodies that a page may send to another origin without asking it before. */
const SIMPLE_TYPES = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"];

let browser, foreign, server, page;

before(async () => {
  browser = await launch();
  foreign = createServer((_, response) => response.setHeader("content-type", "text/html").end("<!doctype html><p>hi"));
  foreign.listen(0, "127.0.0.1");
  await once(foreign, "listening");
});

after(async () => {
  await browser?.close();
  foreign?.close();
});

// A runner for each test, since a runner limits how many of these lines it logs in a minute.
beforeEach(async () => {
  server = await startServer({ RUST_LOG: "info" });
  page = await browser.newPage();
  // Another name is another site, and another port is another origin.
  await page.goto(`http://localhost:${foreign.address().port}/`);
});

afterEach(async () => {
  await page.close();
  await server.stop();
});

/** Waits for as many refusals in the log, and fails if there are others. */
async function assertRefused(expected) {
  const isRefusal = (line) => line.includes("request refused") && line.includes("web page");
  const count = () => server.log().split("\n").filter(isRefusal).length;
  for (let tries = 0; tries < 50 && count() < expected; tries += 1) await pause(20);
  assert.equal(count(), expected, server.log());
  assert.doesNotMatch(server.log(), /planning active users/, "the planner ran");
}

test("fetch of a foreign page is refused with every method and every simple type of body", async () => {
  for (const [method, path] of ENDPOINTS) {
    const answer = await page.evaluate(
      async ([url, method]) => {
        // Without CORS headers a page cannot see the answer.
        const init = method === "POST" ? { method, body: "{}", mode: "no-cors" } : { method };
        const answer = await fetch(url, init).catch(() => null);
        return answer && answer.type;
      },
      [server.url + path, method],
    );
    assert.ok(answer === null || answer === "opaque", `${method} ${path}: ${answer}`);
  }
  await assertRefused(ENDPOINTS.length);
  for (const type of SIMPLE_TYPES) {
    await page.evaluate(
      ([url, type]) => fetch(url, { method: "POST", body: "{}", headers: { "content-type": type }, mode: "no-cors" }),
      [server.url + ENDPOINTS[0][1], type],
    );
  }
  await assertRefused(ENDPOINTS.length + SIMPLE_TYPES.length);
});

test("a form of a foreign page is refused", async () => {
  const posts = ENDPOINTS.filter(([method]) => method === "POST");
  for (const [, path] of posts) {
    const answered = page.waitForResponse((response) => response.url() === server.url + path);
    await page.evaluate((url) => {
      const form = Object.assign(document.createElement("form"), { method: "post", action: url, target: "answer" });
      form.enctype = "text/plain";
      const frame = Object.assign(document.createElement("iframe"), { name: "answer" });
      document.body.append(frame, form);
      form.submit();
    }, server.url + path);
    assert.equal((await answered).status(), 403);
    await page.evaluate(() => document.querySelectorAll("form, iframe").forEach((element) => element.remove()));
  }
  await assertRefused(posts.length);
});

test("a WebSocket of a foreign page opens no management endpoint", async () => {
  for (const [, path] of ENDPOINTS) {
    const isOpen = await page.evaluate(
      (url) =>
        new Promise((resolve) => {
          const socket = new WebSocket(url);
          socket.onopen = () => resolve(true);
          socket.onerror = () => resolve(false);
        }),
      server.url.replace("http:", "ws:") + path,
    );
    assert.equal(isOpen, false, path);
  }
});
