// What a person does on the chat page, by the names that the page gives to its parts.

import { open } from "./browser.mjs";

const PASSWORD = "correct horse battery";

let number = 0;

/** A new user in a window of their own, logged in. Options are those of a browser context. */
export async function register(browser, name, options) {
  const { context, page, problems } = await open(browser, "/", options);
  const username = `${name}${++number}-${Date.now() % 1_000_000}`;
  await page.getByRole("button", { name: "New here? Create an account" }).click();
  await page.getByLabel("Username").fill(username);
  await page.getByLabel("E-mail").fill(`${username}@example.com`);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Create account", exact: true }).click();
  await page.getByRole("heading", { name: "Ulak" }).waitFor();
  await page.getByRole("navigation", { name: "Conversations" }).waitFor();
  return person({ context, page, problems, username });
}

function person({ context, page, problems, username }) {
  const messages = page.getByRole("region", { name: "Messages", exact: true });
  const composer = page.getByRole("textbox", { name: /^Message to/ });
  return {
    context,
    page,
    problems,
    username,
    messages,
    composer,
    password: PASSWORD,
    /** The bubble of a message. */
    message: (text) => messages.getByRole("listitem").filter({ hasText: text }),
    /** The row of a conversation in the list. */
    row: (title) => page.getByRole("navigation", { name: "Conversations" }).getByRole("link", { name: title }),
    async logIn() {
      await page.getByLabel("Username or e-mail").fill(username);
      await page.getByLabel("Password").fill(PASSWORD);
      await page.getByRole("button", { name: "Log in", exact: true }).click();
    },
    async startConversation(...names) {
      await page.getByRole("button", { name: "New conversation" }).click();
      for (const name of names) {
        await page.getByRole("searchbox", { name: "Search people" }).fill(name);
        await page.getByRole("checkbox", { name }).check();
      }
      if (names.length > 1) await page.getByLabel("Name of the group").fill("Tea & coffee");
      await page.getByRole("button", { name: names.length > 1 ? "Create group" : "Start chatting" }).click();
      await composer.waitFor();
    },
    async send(text) {
      await composer.fill(text);
      await composer.press("Enter");
    },
    async search(text) {
      await page.getByRole("searchbox", { name: "Search messages" }).fill(text);
    },
  };
}
