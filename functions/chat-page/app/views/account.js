// The user's own account: profile, sessions, logging out.

import { el, keyed, setText } from "../dom.js";
import { ago, t } from "../text.js";
import { dialog } from "./dialog.js";
import { explain, field, form } from "./form.js";

/** @param {import("../chat.js").Chat} chat @param {import("../state.js").State} state */
export function openAccount(chat, state) {
  const status = el("p", { className: "search-status", role: "status" });
  const list = el("ul", { className: "sessions" });
  const button = (label, className, click) => el("button", { type: "button", className, on: { click } }, label);
  const leave = el(
    "div",
    { className: "buttons" },
    button(t("logOutEverywhere"), "danger", () => logOut(true)),
    button(t("logOut"), "", () => logOut(false)),
  );
  const sessions = el("section", {}, el("h3", {}, t("sessions")), status, list);
  const profile = el("section", {}, el("h3", {}, t("profile")), profileForm(chat, state.me));
  const box = dialog(t("account"), profile, sessions, leave);
  showSessions();

  async function showSessions() {
    try {
      keyed(
        list,
        await chat.sessions(),
        ({ id }) => id,
        row,
        () => {},
      );
    } catch (error) {
      setText(status, explain(error));
    }
  }

  function row({ id, device, current, lastSeenAt }) {
    const name = deviceName(device);
    const used = current ? t("thisDevice") : t("lastUsed", { when: ago(lastSeenAt) });
    const end = button(t("endSession"), "link", () => endSession(id));
    end.setAttribute("aria-label", t("endSessionOf", { device: name }));
    const text = el("div", {}, el("p", { className: "row-title" }, name), el("p", { className: "row-text" }, used));
    return el("li", {}, text, !current && end);
  }

  async function endSession(id) {
    try {
      await chat.endSession(id);
    } catch (error) {
      return setText(status, explain(error));
    }
    showSessions();
  }

  function logOut(everywhere) {
    box.close();
    chat.logOut(everywhere);
  }
}

/** The form sends only what was changed. */
function profileForm(chat, me) {
  const displayName = field("displayName", t("displayName"), { value: me.displayName, autocomplete: "name" });
  const username = field("username", t("username"), { value: me.username, autocomplete: "username" });
  const email = field("email", t("email"), { value: me.email, type: "email", autocomplete: "email" });
  const password = field("password", t("newPassword"), { type: "password", autocomplete: "new-password" });
  const current = field("currentPassword", t("currentPassword"), {
    type: "password",
    autocomplete: "current-password",
    hint: t("currentPasswordHint"),
  });
  let saved = /** @type {Record<string, string>} */ (me);
  const fields = [displayName, username, email, password, current];
  return form(fields, t("save"), async (values) => {
    const changed = Object.entries(values).filter(([name, value]) => value !== (saved[name] ?? ""));
    await chat.saveProfile(Object.fromEntries(changed));
    saved = { ...values, password: "", currentPassword: "" };
    password.input.value = current.input.value = "";
    return t("saved");
  }).element;
}

/** A browser and a system, as far as the user agent tells them. */
function deviceName(agent) {
  const find = (names) => names.find((name) => agent.includes(name));
  const browser = find(["Edg", "OPR", "Firefox", "Chrome", "Safari"]);
  const system = find(["Android", "iPhone", "iPad", "Windows", "Mac OS", "Linux"]);
  const full = { Edg: "Edge", OPR: "Opera", "Mac OS": "macOS" };
  const known = [browser, system].filter(Boolean).map((name) => full[name] ?? name);
  return known.join(" · ") || agent || t("unknownDevice");
}
