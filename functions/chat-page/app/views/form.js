// Forms: labelled fields, and errors at the fields they are about.

import { el, setAttribute, setText } from "../dom.js";
import { has, t } from "../text.js";

/**
 * A text field with its label, a hint and room for an error.
 * @param {string} name as the server names it in errors
 * @param {string} label
 * @param {Record<string, any>} [properties] of the input; `hint` is shown below it
 */
export function field(name, label, { hint = "", ...properties } = {}) {
  const id = `field-${name}-${nextId++}`;
  const input = el("input", { id, name, ...properties, aria: { describedby: `${id}-note` } });
  const note = el("p", { id: `${id}-note`, className: "note" }, hint);
  const element = el("div", { className: "field" }, el("label", { htmlFor: id }, label), input, note);
  const showError = (message) => {
    element.classList.toggle("invalid", message !== "");
    setAttribute(input, "aria-invalid", message ? "true" : null);
    setText(note, message || hint);
  };
  return { name, element, input, showError };
}

let nextId = 0;

/** What a person is told about an error. */
export function explain(error) {
  const key = `error.${error.code}`;
  return has(key) ? t(key) : error.message;
}

/**
 * A form that shows the errors of its `submit`: at the fields that they name, everything else above the button.
 * @param {ReturnType<typeof field>[]} fields
 * @param {string} label of the button
 * @param {(values: Record<string, string>) => Promise<string | void>} submit may return a text to show
 */
export function form(fields, label, submit) {
  const button = el("button", { className: "primary" }, label);
  const status = el("p", { className: "form-status", role: "status" });
  const element = el("form", { noValidate: true }, ...fields.map((one) => one.element), status, button);
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    for (const one of fields) one.showError("");
    setText(status, "");
    try {
      setText(status, (await submit(Object.fromEntries(fields.map(({ name, input }) => [name, input.value])))) ?? "");
      status.classList.remove("error");
    } catch (error) {
      show(error);
    }
    button.disabled = false;
  });

  function show(error) {
    status.classList.add("error");
    const details = error.details ?? [];
    const named = fields.filter((one) => details.some((detail) => detail.field === one.name));
    for (const one of named) one.showError(details.find((detail) => detail.field === one.name).message);
    if (named.length === 0) setText(status, explain(error));
    named[0]?.input.focus();
  }

  return { element, button };
}
