// Starts the page: the language, the session, and the view that fits it.

import { createApi } from "./api.js";
import { createChat } from "./chat.js";
import { createSession } from "./session.js";
import { initial, reduce } from "./state.js";
import { createStore } from "./store.js";
import { has, loadLanguage, t } from "./text.js";
import { loginView } from "./views/login.js";
import { shellView } from "./views/shell.js";

const root = /** @type {HTMLElement} */ (document.getElementById("app"));

const [socketUrl] = await Promise.all([findSocket(), loadLanguage(navigator.languages)]);
let chat = /** @type {import("./chat.js").Chat | null} */ (null);
const session = createSession({ change: show });
addEventListener("hashchange", openConversation);
show(null);

/** The URL of the WebSocket API: configured where it has a host of its own, such as on AWS. */
async function findSocket() {
  const { socketUrl } = await (await fetch("/app/config.json")).json();
  return socketUrl ?? `${location.origin.replace(/^http/, "ws")}/socket.io/`;
}

/**
 * Shows the chat of the logged-in user, or the login.
 * @param {string | null} ended why the last session ended
 */
function show(ended) {
  chat?.close();
  chat = null;
  for (const dialog of document.querySelectorAll("dialog")) dialog.close();
  const current = session.current();
  if (!current) {
    const notice = ended ? t(has(`ended.${ended}`) ? `ended.${ended}` : "ended.ended") : "";
    root.replaceChildren(loginView(session, notice).element);
    document.title = "Ulak";
    return;
  }
  const store = createStore(reduce, initial(current.user));
  chat = createChat({ session, api: createApi(session), store, socketUrl });
  const shell = shellView(chat, store);
  root.replaceChildren(shell.element);
  store.subscribe(shell.render);
  openConversation();
}

/** The address names the open conversation, so that the browser's back button works. */
function openConversation() {
  const id = location.hash.match(/^#\/c\/([\w-]+)$/)?.[1];
  chat?.open(id ?? null);
}
