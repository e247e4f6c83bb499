// What happens to the chat page while there is no connection, no server, or no valid token.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { launch, SOON } from "./browser.mjs";
import { register } from "./person.mjs";
import { startServer } from "./server.mjs";

/** Milliseconds within which a page is connected again: the longest delay of its socket, and a little more. */
const BACK = 8_000;

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

async function conversation(server) {
  const [ada, bob] = await Promise.all(["ada", "bob"].map((name) => register(browser, name, { baseURL: server.url })));
  await ada.startConversation(bob.username);
  await ada.send("first");
  await bob.row(ada.username).click();
  await bob.message("first").waitFor({ timeout: SOON });
  return { ada, bob };
}

async function withServer(environment, work) {
  const server = await startServer(environment);
  try {
    await work(server);
  } finally {
    await server.stop();
  }
}

const offline = (person) => person.page.getByRole("status").filter({ hasText: "No connection" });
const sent = (person, text) => person.message(text).getByRole("img", { name: /^(Sent|Read)$/ });

test("what was written and what was missed offline arrives once, in order, after the return", () =>
  withServer({}, async (server) => {
    const { ada, bob } = await conversation(server);
    await bob.context.setOffline(true);
    await offline(bob).waitFor({ timeout: SOON });
    for (const text of ["bob one", "bob two"]) await bob.send(text);
    await bob.message("bob two").getByRole("img", { name: "Waits for the connection" }).waitFor();
    for (const text of ["ada one", "ada two"]) await ada.send(text);
    await ada.send("ada thre");
    await ada.message("ada thre").getByRole("img", { name: "Sent" }).waitFor();
    await ada.composer.press("ArrowUp");
    await ada.composer.fill("ada three");
    await ada.composer.press("Enter");
    assert.equal(await ada.message("bob one").count(), 0);
    await bob.context.setOffline(false);
    for (const person of [ada, bob]) {
      await person.message("bob two").waitFor({ timeout: BACK });
      await person.message("ada three").waitFor({ timeout: BACK });
      await sent(bob, "bob two").waitFor({ timeout: BACK });
      const texts = await person.messages.locator(".text").allTextContents();
      assert.deepEqual(texts, ["first", "ada one", "ada two", "ada three", "bob one", "bob two"]);
    }
  }));

test("a server that is killed while a message is written and sent loses and doubles nothing", () =>
  withServer({}, async (server) => {
    const { ada, bob } = await conversation(server);
    for (const round of [1, 2, 3]) {
      await ada.composer.pressSequentially(`message ${round}, half`);
      // The kill may come before, during or after the send.
      const killed = pause(round * 3).then(server.kill);
      await ada.composer.pressSequentially(" and whole");
      await ada.composer.press("Enter");
      await killed;
      await offline(ada).waitFor({ timeout: SOON });
      await ada.send(`written without a server ${round}`);
      await server.start();
      for (const person of [ada, bob]) {
        await person.message(`written without a server ${round}`).waitFor({ timeout: BACK });
      }
      await sent(ada, `written without a server ${round}`).waitFor({ timeout: BACK });
    }
    const expected = [1, 2, 3].flatMap((round) => [
      `message ${round}, half and whole`,
      `written without a server ${round}`,
    ]);
    for (const person of [ada, bob]) {
      assert.deepEqual(await person.messages.locator(".text").allTextContents(), ["first", ...expected]);
      await person.page.reload();
      await person.message("server 3").waitFor({ timeout: BACK });
      assert.deepEqual(await person.messages.locator(".text").allTextContents(), ["first", ...expected]);
    }
  }));

test("a message that waits survives the reload of the page", () =>
  withServer({}, async (server) => {
    const { ada, bob } = await conversation(server);
    await server.kill();
    await offline(ada).waitFor({ timeout: SOON });
    await ada.send("from before the reload");
    await server.start();
    await ada.page.reload();
    await bob.message("from before the reload").waitFor({ timeout: BACK });
    assert.equal(await bob.message("from before the reload").count(), 1);
  }));

test("two tabs stay logged in far past the life of their tokens", () =>
  withServer({ ACCESS_TOKEN_SECONDS: "5" }, async (server) => {
    const { ada, bob } = await conversation(server);
    const tab = await ada.context.newPage();
    await tab.goto(ada.page.url());
    const inTab = tab.getByRole("region", { name: "Messages", exact: true });
    await inTab.getByText("first").waitFor();
    const refreshes = [];
    ada.context.on("response", (answer) => {
      if (answer.url().endsWith("/api/auth/refresh")) refreshes.push(answer.status());
    });
    await pause(16_000);
    assert.ok(refreshes.length >= 3, `${refreshes.length} refreshes`);
    assert.ok(refreshes.length <= 5, `${refreshes.length} refreshes: the tabs share each pair`);
    assert.deepEqual([...new Set(refreshes)], [200]);
    // Both connect anew, with the tokens of now.
    await server.kill();
    await server.start();
    await tab.getByRole("textbox", { name: /^Message to/ }).fill("still here");
    await tab.getByRole("textbox", { name: /^Message to/ }).press("Enter");
    for (const messages of [inTab, ada.messages, bob.messages]) {
      await messages.getByText("still here").waitFor({ timeout: BACK });
    }
    assert.equal(await bob.message("still here").count(), 1);
  }));
