// Where messages are written and edited.

import { el, icon, iconButton, setText } from "../dom.js";
import { t } from "../text.js";
import { explain } from "./form.js";

/** The most characters of a message; characters are Unicode code points, as the server counts. */
const LONGEST = 4_000;

/** After so many milliseconds without a key stroke the user has stopped typing. */
const TYPING_PAUSE = 3_000;

/** @param {import("../chat.js").Chat} chat */
export function composerView(chat) {
  const drafts = new Map();
  const input = el("textarea", { rows: 1, autocomplete: "off", aria: { describedby: "composer-note" } });
  const note = el("p", { id: "composer-note", className: "composer-note", role: "status" });
  const cancel = iconButton("close", t("cancel"), () => chat.startEditing(null));
  const bar = el("p", { className: "editing-bar" }, el("span", {}, t("editing")), cancel);
  const sendButton = el("button", { className: "send", title: t("send"), aria: { label: t("send") } }, icon("send"));
  const element = el(
    "form",
    { className: "composer" },
    bar,
    el("div", { className: "composer-line" }, input, sendButton),
    note,
  );
  let state = /** @type {import("../state.js").State | null} */ (null);
  let shown = "";
  let pause = 0;

  element.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  input.addEventListener("input", () => {
    changed();
    if (state?.editing) return;
    chat.type();
    clearTimeout(pause);
    pause = setTimeout(chat.stopTyping, TYPING_PAUSE);
  });
  input.addEventListener("keydown", (event) => {
    // While an input method composes, Enter ends the composition.
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      submit();
    }
    if (event.key === "Escape" && state?.editing) chat.startEditing(null);
    if (event.key === "ArrowUp" && input.value === "") {
      // Otherwise the key would move the cursor to the start of the message.
      event.preventDefault();
      editLast();
    }
  });

  function submit() {
    const text = input.value.trim();
    if (!text || excess(text) > 0) return;
    if (state?.editing) {
      report(chat.edit(state.editing, text).then(() => chat.startEditing(null)));
    } else {
      input.value = "";
      chat.send(text);
    }
    changed();
  }

  function editLast() {
    const mine = state?.timelines[state.open].messages.filter((one) => one.senderId === state?.me.id && !one.deletedAt);
    if (mine?.length) chat.startEditing(mine.at(-1)?.id);
  }

  function excess(text) {
    return [...text].length - LONGEST;
  }

  function changed() {
    const text = input.value.trim();
    const over = excess(text);
    setText(note, over > 0 ? t("tooLong", { count: over }) : "");
    sendButton.disabled = !text || over > 0;
    input.style.height = "auto";
    input.style.height = `${input.scrollHeight}px`;
  }

  /** Shows the error of an edit or a deletion; nothing is kept for later. */
  function report(done) {
    setText(note, "");
    done.catch((error) => setText(note, explain(error)));
  }

  return {
    element,
    report,
    focus: () => input.focus(),
    /** @param {import("../state.js").State} next @param {string} title of the conversation */
    render(next, title) {
      state = next;
      input.placeholder = t("message");
      input.setAttribute("aria-label", t("messageTo", { name: title }));
      bar.hidden = !next.editing;
      const now = next.editing ?? next.open ?? "";
      if (now === shown) return;
      drafts.set(shown, input.value);
      shown = now;
      const edited = next.timelines[next.open ?? ""]?.messages.find((one) => one.id === next.editing);
      input.value = edited?.content ?? drafts.get(now) ?? "";
      changed();
      if (edited) input.focus();
    },
  };
}
