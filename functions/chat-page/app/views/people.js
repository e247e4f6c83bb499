// Starting a conversation: people are searched by name; one makes it direct, several make a group.

import { el, keyed, setText } from "../dom.js";
import { t } from "../text.js";
import { avatar } from "./avatar.js";
import { dialog } from "./dialog.js";
import { explain, field, form } from "./form.js";

/** Milliseconds without a key stroke after which the search begins. */
const PAUSE = 150;

/** @param {import("../chat.js").Chat} chat @param {import("../state.js").State} state */
export function openPeople(chat, state) {
  const chosen = new Map();
  let timer = 0;
  let latest = "";
  const search = field("search", t("searchPeople"), { type: "search", autofocus: true });
  const list = el("ul", { className: "people" });
  const status = el("p", { className: "search-status", role: "status" });
  const selection = el("p", { className: "selection" });
  const group = field("name", t("groupName"), { maxLength: 80 });
  const create = form([group], t("startChat"), start);
  const box = dialog(t("newConversation"), search.element, status, list, selection, create.element);
  search.input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(find, PAUSE);
  });
  find();
  choose();

  async function find() {
    const text = search.input.value.trim();
    latest = text;
    try {
      const users = (await chat.searchUsers(text)).filter((user) => user.id !== state.me.id);
      if (text !== latest) return;
      setText(status, users.length === 0 ? t("noPeople") : "");
      keyed(
        list,
        users,
        ({ id }) => id,
        row,
        () => {},
      );
    } catch (error) {
      setText(status, explain(error));
    }
  }

  function row(user) {
    const picture = avatar();
    picture.render(user.id, user.displayName, user.online);
    const change = () => {
      if (checkbox.checked) chosen.set(user.id, user);
      else chosen.delete(user.id);
      choose();
    };
    const checkbox = el("input", { type: "checkbox", checked: chosen.has(user.id), on: { change } });
    const name = el("span", { className: "row-title" }, user.displayName);
    const more = el("span", { className: "row-text" }, `@${user.username}${user.online ? ` · ${t("online")}` : ""}`);
    return el("li", {}, el("label", {}, checkbox, picture.element, name, more));
  }

  function choose() {
    const names = [...chosen.values()].map((user) => user.displayName);
    setText(selection, names.length > 0 ? t("selected", { names: names.join(", ") }) : "");
    group.element.hidden = chosen.size < 2;
    create.button.disabled = chosen.size === 0;
    setText(create.button, chosen.size < 2 ? t("startChat") : t("createGroup"));
  }

  /** @param {Record<string, string>} values */
  async function start({ name }) {
    const id = await chat.create([...chosen.keys()], name);
    box.close();
    location.hash = `#/c/${id}`;
  }
}
