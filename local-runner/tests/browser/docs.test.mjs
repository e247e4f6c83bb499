// The page at /api/docs: it describes every route, Authorize and "Try it" work, and it loads nothing from elsewhere.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assertAccessible, assertFits, launch, open, screenshot, url } from "./browser.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** Opens a route's details. */
async function route(page, id) {
  const details = page.locator(`details#${id}`);
  await details.locator("> summary").click();
  return details;
}

/** Sends the form of a route; the status and the body of the answer. */
async function send(details) {
  await details.getByRole("button", { name: /^Send/ }).click();
  const status = await details.locator("h4").textContent();
  const body = await details.locator("pre.answer").textContent();
  return [parseInt(status, 10), JSON.parse(body)];
}

async function register(page, name) {
  await page.getByLabel("Username or e-mail").fill(name);
  await page.getByLabel("Password").fill("correct horse battery");
  await page.getByRole("button", { name: "Register" }).click();
  await page.getByText(`Authorized as ${name}.`).waitFor();
}

test("the page shows every route and event of the documents", async () => {
  const { page, problems } = await open(browser, "/api/docs");
  const { paths } = await (await fetch(`${url}/api/openapi.json`)).json();
  const { operations } = await (await fetch(`${url}/api/asyncapi.json`)).json();
  const routes = Object.values(paths).flatMap(Object.values).length;
  await page.locator("#events").waitFor();
  assert.equal(await page.locator("main > section > details").count(), routes + Object.keys(operations).length);
  assert.deepEqual(problems(), []);
});

test("Authorize and Try it work with the running system", async () => {
  const { page, problems } = await open(browser, "/api/docs");
  const me = await route(page, "auth-me");
  assert.equal((await send(me))[0], 401);

  const name = `docs${Date.now()}`;
  await register(page, name);
  const [status, body] = await send(me);
  assert.deepEqual([status, body.data.user.username], [200, name]);

  // A parameter of the query, and a body.
  const list = await route(page, "user-list");
  await list.getByLabel("query search").fill(name);
  assert.deepEqual((await send(list))[1].data.users.map((user) => user.username), [name]);
  const create = await route(page, "conversation-create");
  await create.getByLabel("Body").fill(JSON.stringify({ participantId: body.data.user.id }));
  const [refused, why] = await send(create);
  assert.deepEqual([refused, why.error.details[0].field], [422, "participantId"], "the participant is the caller");
  // A parameter of the path.
  const presence = await route(page, "presence-user");
  await presence.getByLabel("path userId").fill(body.data.user.id);
  assert.equal((await send(presence))[1].data.online, false);

  // The token is kept over a reload of this tab, until it is forgotten.
  await page.reload();
  assert.equal((await send(await route(page, "auth-me")))[0], 200);
  await page.getByRole("button", { name: "Forget the token" }).click();
  assert.equal((await send(page.locator("details#auth-me")))[0], 401);
  assert.deepEqual(problems(), []);
});

test("a wrong password is reported, and a token can be pasted", async () => {
  const { page, problems } = await open(browser, "/api/docs");
  const credentials = { email: `no-such-user${Date.now()}`, password: "a wrong password" };
  await page.getByLabel("Username or e-mail").fill(credentials.email);
  await page.getByLabel("Password").fill(credentials.password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByText("e-mail, username or password is wrong").waitFor();

  const name = `paste${Date.now()}`;
  const form = { username: name, email: `${name}@example.com`, password: "correct horse battery" };
  const headers = { "content-type": "application/json" };
  const answered = await fetch(`${url}/api/auth/register`, { method: "POST", headers, body: JSON.stringify(form) });
  await page.getByLabel("Access token").fill((await answered.json()).data.accessToken);
  await page.getByRole("button", { name: "Authorize" }).click();
  assert.equal((await send(await route(page, "presence-count")))[0], 200);
  assert.deepEqual(problems(), []);
});

test("what a reply contains is shown as text", async () => {
  const { page, problems } = await open(browser, "/api/docs");
  await register(page, `text${Date.now()}`);
  const profile = await route(page, "user-profile");
  const name = "<img src=x onerror=alert(1)>";
  await profile.getByLabel("Body").fill(JSON.stringify({ displayName: name }));
  assert.equal((await send(profile))[1].data.user.displayName, name);
  assert.equal(await page.locator("img").count(), 0);
  assert.deepEqual(problems(), []);
});

for (const colorScheme of ["light", "dark"]) {
  for (const width of [360, 1280]) {
    test(`axe-core finds nothing, and the page fits: ${colorScheme}, ${width} px`, async () => {
      const viewport = { width, height: 800 };
      const { page, problems } = await open(browser, "/api/docs", { colorScheme, viewport });
      await page.locator("#events").waitFor();
      await screenshot(page, `docs-${colorScheme}-${width}`);
      for (const id of ["auth-login", "message-list", "conversation-create", "health"]) {
        const details = await route(page, id);
        for (const answer of await details.locator("details > summary").all()) await answer.click();
      }
      await page.getByText("typing_stop").click();
      await send(page.locator("details#health"));
      await assertAccessible(page);
      await assertFits(page);
      assert.deepEqual(problems(), []);
    });
  }
}

test("the page works by keyboard alone", async () => {
  const { page, problems } = await open(browser, "/api/docs");
  await page.locator("#events").waitFor();
  await page.locator("details#health > summary").focus();
  await page.keyboard.press("Enter");
  await page.locator("details#health").getByRole("button", { name: "Send GET" }).focus();
  await page.keyboard.press("Enter");
  await page.locator("details#health h4").waitFor();
  assert.match(await page.locator("details#health h4").textContent(), /^200 /);
  assert.deepEqual(problems(), []);
});
