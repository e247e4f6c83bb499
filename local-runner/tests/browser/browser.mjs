// What the tests of all pages share: the browser, a page that records what went wrong, axe-core, and screenshots.
//
// To run them by hand: `npm ci` here, install chromium, start a runner, and
// `ULAK_URL=http://127.0.0.1:3000 node --test`. `ULAK_CHROMIUM` names another browser than /usr/bin/chromium.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

/** Milliseconds within which a change of one page is seen on another. */
export const SOON = 1_000;

export const url = process.env.ULAK_URL ?? "http://127.0.0.1:3000";
const screenshots = new URL("../../../target/screenshots/", import.meta.url);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Starts the browser. */
export const launch = () =>
  chromium.launch({
    executablePath: process.env.ULAK_CHROMIUM ?? "/usr/bin/chromium",
    // Chromium's sandbox does not start as root, as which the gate runs in containers.
    args: ["--no-sandbox"],
  });

/**
 * A page in a browser context of its own. `problems()` is everything that must not happen: errors of scripts, lines that
 * the browser logs as errors (without failed requests, which a test may want), breaches of the Content-Security-Policy,
 * and requests to other hosts.
 */
export async function open(browser, path, options = {}) {
  const context = await browser.newContext({ baseURL: url, locale: "en-US", ...options });
  const { host: ownHost } = new URL(options.baseURL ?? url);
  const page = await context.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(`script: ${error.message}`));
  page.on("console", (line) => {
    const isFailedRequest = /^Failed to load resource|WebSocket connection to/.test(line.text());
    if (line.type() === "error" && !isFailedRequest) problems.push(`console: ${line.text()}`);
  });
  page.on("request", (request) => {
    const { protocol, host } = new URL(request.url());
    if (protocol !== "data:" && host !== ownHost) problems.push(`other host: ${request.url()}`);
  });
  page.on("websocket", (socket) => {
    if (new URL(socket.url()).host !== ownHost) problems.push(`other host: ${socket.url()}`);
  });
  page.on("dialog", (dialog) => problems.push(`dialog: ${dialog.message()}`));
  await page.exposeFunction("reportBreach", (text) => problems.push(`policy: ${text}`));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (breach) => {
      window.reportBreach(`${breach.violatedDirective} ${breach.blockedURI}`);
    });
  });
  await page.goto(path);
  return { page, context, problems: () => problems };
}

/** Fails with every finding of axe-core. `part` names what is shown. */
export async function assertAccessible(page, part) {
  // Not a script element, which the policy of the page would refuse.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run());
  const findings = violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
  assert.deepEqual(findings, [], part);
}

/** Fails if the page is wider than its window. */
export async function assertFits(page) {
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(content <= window, `${content} px of content in ${window} px`);
}

/** Writes target/screenshots/{name}.png for people to look at. */
export async function screenshot(page, name) {
  mkdirSync(screenshots, { recursive: true });
  await page.screenshot({ path: new URL(`${name}.png`, screenshots).pathname, animations: "disabled" });
}
