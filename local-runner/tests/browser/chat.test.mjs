// Two people chat: what one does, the other sees within a second.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, SOON, url } from "./browser.mjs";
import { register } from "./person.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** Two people in a conversation, each looking at it. */
async function pair() {
  const [ada, bob] = await Promise.all([register(browser, "ada"), register(browser, "bob")]);
  await ada.startConversation(bob.username);
  await ada.send("first");
  await bob.row(ada.username).click();
  await bob.message("first").waitFor({ timeout: SOON });
  return { ada, bob };
}

async function leave(...people) {
  for (const { context, problems } of people) {
    assert.deepEqual(problems(), []);
    await context.close();
  }
}

test("each sees the other online, typing, and the message, which is then marked as read", async () => {
  const { ada, bob } = await pair();
  const status = (person) => person.page.getByRole("status").filter({ hasText: /Online|typing/ });
  for (const person of [ada, bob]) await status(person).filter({ hasText: "Online" }).waitFor({ timeout: SOON });
  await ada.message("first").getByRole("img", { name: "Read" }).waitFor({ timeout: SOON });
  await bob.composer.pressSequentially("ty");
  await status(ada)
    .filter({ hasText: `${bob.username} is typing` })
    .waitFor({ timeout: SOON });
  await bob.send("typed");
  await ada.message("typed").waitFor({ timeout: SOON });
  await status(ada).filter({ hasText: "Online" }).waitFor({ timeout: SOON });
  await bob.page.close();
  await ada.page
    .getByRole("status")
    .filter({ hasText: "Last seen" })
    .waitFor({ timeout: 5 * SOON });
  await leave(ada, bob);
});

test("unread messages are counted in the list and in the title until they are read", async () => {
  const { ada, bob } = await pair();
  await bob.page.goto("/#");
  await ada.send("second");
  await ada.send("third");
  await bob.row(ada.username).getByRole("img", { name: "2 unread messages" }).waitFor({ timeout: SOON });
  assert.equal(await bob.page.title(), "(2) Ulak");
  await bob.row(ada.username).click();
  await bob.messages.getByText("New messages").locator("visible=true").waitFor({ timeout: SOON });
  await ada.message("third").getByRole("img", { name: "Read" }).waitFor({ timeout: SOON });
  assert.equal(await bob.page.title(), "Ulak");
  await leave(ada, bob);
});

test("an edit and a deletion reach the other", async () => {
  const { ada, bob } = await pair();
  await ada.send("tpyo");
  await ada.message("tpyo").hover();
  await ada.message("tpyo").getByRole("button", { name: "Edit" }).click();
  await ada.send("typo");
  await bob.message("typo").getByText("edited").waitFor({ timeout: SOON });
  await ada.message("typo").getByRole("button", { name: "Delete" }).click();
  await ada.page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await bob.message("This message was deleted.").waitFor({ timeout: SOON });
  assert.equal(await bob.message("typo").count(), 0);
  await leave(ada, bob);
});

test("a group of three hears every member, and names the sender", async () => {
  const { ada, bob } = await pair();
  const eve = await register(browser, "eve");
  await ada.startConversation(bob.username, eve.username);
  await ada.send("tea?");
  for (const person of [bob, eve]) {
    await person.row("Tea & coffee").click();
    await person.message("tea?").getByText(ada.username).waitFor({ timeout: SOON });
  }
  await ada.message("tea?").getByRole("img", { name: "Read", exact: true }).waitFor({ timeout: SOON });
  await leave(ada, bob, eve);
});

test("search marks the words and leads to the message, also far back in the history", async () => {
  const { ada, bob } = await pair();
  await ada.send("the needle in the haystack");
  await ada
    .message("needle")
    .getByRole("img", { name: /Sent|Read/ })
    .waitFor();
  await fill(ada, 130);
  await bob.page.reload();
  await bob.message("hay 130").waitFor();
  assert.equal(await bob.message("needle").count(), 0, "it is not on the newest page");
  await bob.search("needl");
  const hit = bob.page.getByRole("region", { name: "Search messages" }).getByRole("button");
  assert.equal(await hit.locator("mark").textContent(), "needle");
  await hit.click();
  await bob.message("needle").waitFor({ timeout: SOON });
  assert.equal(await isVisible(bob.message("needle")), true);
  await bob.page.getByRole("button", { name: "To the newest message" }).click();
  await bob.message("hay 130").waitFor({ timeout: SOON });
  await leave(ada, bob);
});

test("the history scrolls back without jumps", async () => {
  const { ada, bob } = await pair();
  await fill(ada, 130);
  await bob.page.reload();
  await bob.message("hay 130").waitFor();
  const list = bob.messages;
  let rows = await bob.messages.getByRole("listitem").count();
  const top = () => list.evaluate((box) => ({ rows: box.querySelectorAll("li").length, at: box.scrollTop }));
  for (let step = 0; step < 400 && !(await bob.message("first").count()); step++) {
    // One wheel step at a time; the message under the pointer moves by exactly this step, also while pages arrive.
    const moved = await list.evaluate(async (box) => {
      const edge = box.getBoundingClientRect().top;
      const row = [...box.querySelectorAll("li")].find((one) => one.getBoundingClientRect().top >= edge);
      const before = row.getBoundingClientRect().top;
      const wanted = Math.min(120, box.scrollTop);
      box.scrollTop -= wanted;
      await new Promise((resolve) => setTimeout(resolve, 30));
      return { wanted, actual: row.getBoundingClientRect().top - before };
    });
    assert.ok(Math.abs(moved.actual - moved.wanted) <= 2, `${JSON.stringify(moved)} ${JSON.stringify(await top())}`);
  }
  assert.ok((await top()).rows > rows, "older pages were loaded");
  assert.equal(await bob.message("first").count(), 1);
  await leave(ada, bob);
});

test("markup is text everywhere", async () => {
  const hostile = "<img src=x onerror=alert(1)>";
  const { ada, bob } = await pair();
  await bob.page.getByRole("button", { name: "Your account" }).click();
  await bob.page.getByLabel("Display name").fill(hostile);
  await bob.page.getByRole("button", { name: "Save" }).click();
  await bob.page.getByRole("status").filter({ hasText: "Saved." }).waitFor({ timeout: SOON });
  await bob.page.keyboard.press("Escape");
  await ada.page.reload();
  await bob.send(`${hostile} needlework`);
  await ada.message(hostile).waitFor({ timeout: 2 * SOON });
  await ada.row(hostile).waitFor();
  await ada.page.getByRole("heading", { name: hostile }).waitFor();
  await ada.search("needlework");
  await ada.page.getByRole("region", { name: "Search messages" }).getByText(hostile).first().waitFor({ timeout: SOON });
  await ada.page.getByRole("button", { name: "New conversation" }).click();
  await ada.page.getByRole("searchbox", { name: "Search people" }).fill(bob.username);
  await ada.page.getByRole("checkbox", { name: hostile }).check();
  await ada.page.getByText(`Selected: ${hostile}`).waitFor();
  assert.equal(await ada.page.locator("img:not([alt=''])").count(), 0);
  await leave(ada, bob);
});

test("a session that is ended on another device says so, and the next login works", async () => {
  const { ada, bob } = await pair();
  const phone = await browser.newContext({ baseURL: url, locale: "en-US" });
  const page = await phone.newPage();
  await page.goto("/");
  await page.getByLabel("Username or e-mail").fill(ada.username);
  await page.getByLabel("Password").fill(ada.password);
  await page.getByRole("button", { name: "Log in", exact: true }).click();
  await page.getByRole("button", { name: "Your account" }).click();
  await page.getByText("This device").waitFor({ timeout: SOON });
  await page.getByRole("button", { name: /^End the session/ }).click();
  await ada.page.getByRole("alert").filter({ hasText: "ended" }).waitFor({ timeout: SOON });
  await ada.logIn();
  await ada.message("first").waitFor({ timeout: 2 * SOON });
  await page.getByRole("button", { name: "Log out", exact: true }).click();
  await page.getByRole("button", { name: "Log in", exact: true }).waitFor({ timeout: SOON });
  await phone.close();
  await leave(ada, bob);
});

/** Sends many messages with the page's own session: `hay 1`, `hay 2` … in any order, and `hay <count>` last. */
async function fill(person, count) {
  await person.page.evaluate(async (count) => {
    const { accessToken } = JSON.parse(localStorage.getItem("ulak.session"));
    const conversationId = location.hash.split("/").pop();
    const headers = { authorization: `Bearer ${accessToken}`, "content-type": "application/json" };
    const send = async (number) => {
      const body = JSON.stringify({ conversationId, content: `hay ${number}` });
      const answer = await fetch("/api/messages/send", { method: "POST", headers, body });
      if (!answer.ok) throw new Error(await answer.text());
    };
    await Promise.all(Array.from({ length: count - 1 }, (_, index) => send(index + 1)));
    await send(count);
  }, count);
}

function isVisible(locator) {
  return locator.evaluate((element) => {
    const { top, bottom } = element.getBoundingClientRect();
    const box = element.closest("section").getBoundingClientRect();
    return top >= box.top && bottom <= box.bottom;
  });
}
