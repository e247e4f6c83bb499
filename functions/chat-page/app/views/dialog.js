// Modal dialogs. The browser keeps the focus inside and gives it back; Escape closes them.

import { el, iconButton } from "../dom.js";
import { t } from "../text.js";

/**
 * Opens a dialog with a title; it is removed when it closes.
 * @param {string} title
 * @param {...Node} children
 * @returns {HTMLDialogElement}
 */
export function dialog(title, ...children) {
  const heading = el("h2", { id: "dialog-title" }, title);
  const close = iconButton("close", t("close"), () => element.close());
  const head = el("header", { className: "dialog-head" }, heading, close);
  const element = el("dialog", { aria: { labelledby: "dialog-title" } }, head, ...children);
  element.addEventListener("close", () => element.remove());
  // A click beside the box is one on the dialog itself.
  element.addEventListener("click", ({ target }) => target === element && element.close());
  document.body.append(element);
  element.showModal();
  return element;
}

/** Asks a question. @returns {Promise<boolean>} */
export function confirm(question, label) {
  return new Promise((resolve) => {
    const answer = (yes) => () => {
      resolve(yes);
      box.close();
    };
    const no = el("button", { type: "button", on: { click: answer(false) } }, t("cancel"));
    const yes = el("button", { type: "button", className: "danger", on: { click: answer(true) } }, label);
    const box = dialog(question, el("div", { className: "buttons" }, no, yes));
    box.addEventListener("close", () => resolve(false));
    no.focus();
  });
}
