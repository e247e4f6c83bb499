// Debian's chromium, driven by playwright-core.

import { mkdir } from "node:fs/promises";
import { chromium } from "playwright-core";

const EXECUTABLE = process.env.ULAK_CHROMIUM ?? "/usr/bin/chromium";
const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"];

/** Where people find the screenshots. */
const SCREENSHOTS = new URL("../../../target/screenshots/", import.meta.url).pathname;

/** Milliseconds within which a change of one page must be seen on another; the contract of the chat page. */
export const SOON = 1_000;

/** Starts the browser. */
export function launch() {
  return chromium.launch({ executablePath: EXECUTABLE, args: FLAGS });
}

/**
 * A person's browser window: a context of its own, as another machine would be. `problems` collects what no page may
 * do: load from another host, log an error, show a dialog.
 */
export async function openWindow(browser, url, options = {}) {
  const context = await browser.newContext({ baseURL: url, locale: "en-US", ...options });
  const problems = [];
  context.on("request", (request) => {
    if (new URL(request.url()).origin !== url) problems.push(`request to ${request.url()}`);
  });
  context.on("weberror", (error) => problems.push(`error: ${error.error()}`));
  context.on("dialog", (dialog) => problems.push(`dialog: ${dialog.message()}`));
  context.on("console", (message) => {
    const isPolicy = /Content.Security.Policy|TrustedHTML|Trusted Type/i.test(message.text());
    if (isPolicy) problems.push(`policy: ${message.text()}`);
  });
  const page = await context.newPage();
  page.on("websocket", (socket) => {
    if (new URL(socket.url()).host !== new URL(url).host) problems.push(`socket to ${socket.url()}`);
  });
  return { context, page, problems };
}

/** Writes `target/screenshots/<name>.png`. */
export async function screenshot(page, name) {
  await mkdir(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: `${SCREENSHOTS}${name}.png` });
}
