// Logging in, and creating an account.

import { request } from "../api.js";
import { el } from "../dom.js";
import { t } from "../text.js";
import { field, form } from "./form.js";

/**
 * @param {import("../session.js").Session} session
 * @param {string} notice why the last session ended, or empty
 */
export function loginView(session, notice) {
  const element = el("main", { className: "login" });
  showLogin();

  function showLogin() {
    const name = field("login", t("usernameOrEmail"), { autocomplete: "username", autofocus: true });
    const password = passwordField("current-password");
    const enter = form([name, password], t("logIn"), ({ login, password }) =>
      begin("login", { [login.includes("@") ? "email" : "username"]: login, password }),
    );
    show(enter.element, t("toRegister"), showRegister, name.input);
  }

  function showRegister() {
    const username = field("username", t("username"), { autocomplete: "username", hint: t("usernameHint") });
    const email = field("email", t("email"), { type: "email", autocomplete: "email" });
    const password = passwordField("new-password", t("passwordHint"));
    const create = form([username, email, password], t("register"), (values) => begin("register", values));
    show(create.element, t("toLogIn"), showLogin, username.input);
  }

  function passwordField(autocomplete, hint) {
    return field("password", t("password"), { type: "password", autocomplete, hint });
  }

  async function begin(route, body) {
    session.begin(await request("POST", `/api/auth/${route}`, { body }));
  }

  function show(content, label, other, first) {
    const change = el("button", { type: "button", className: "link", on: { click: other } }, label);
    element.replaceChildren(
      el("img", { src: "/app/icon.svg", alt: "", width: 64, height: 64 }),
      el("h1", {}, "Ulak"),
      el("p", { className: "tagline" }, t("tagline")),
      el("p", { className: "notice", role: "alert", hidden: !notice }, notice),
      el("div", { className: "card" }, content, change),
    );
    first.focus();
  }

  return { element };
}
