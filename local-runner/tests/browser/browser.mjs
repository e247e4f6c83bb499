// What the tests of all pages share: the browser, a page that records what went wrong, axe-core, and screenshots.
//
// To run them by hand: `npm ci` here, install chromium, start a runner, and
// `ULAK_URL=http://127.0.0.1:3000 node --test`. `ULAK_CHROMIUM` names another browser than /usr/bin/chromium.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

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
  const context = await browser.newContext({ baseURL: url, ...options });
  const page = await context.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(`script: ${error.message}`));
  page.on("console", (line) => {
    const isFailedRequest = line.text().startsWith("Failed to load resource");
    if (line.type() === "error" && !isFailedRequest) problems.push(`console: ${line.text()}`);
  });
  page.on("request", (request) => {
    const { protocol, host } = new URL(request.url());
    if (protocol !== "data:" && host !== new URL(url).host) problems.push(`other host: ${request.url()}`);
  });
  await page.exposeFunction("reportBreach", (text) => problems.push(`policy: ${text}`));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (breach) => {
      window.reportBreach(`${breach.violatedDirective} ${breach.blockedURI}`);
    });
  });
  await page.goto(path);
  return { page, context, problems: () => problems };
}

/** Fails with every finding of axe-core. */
export async function assertAccessible(page) {
  // Not a script element, which the policy of the page would refuse.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run());
  const findings = violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
  assert.deepEqual(findings, []);
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
