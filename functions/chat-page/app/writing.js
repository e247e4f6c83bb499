// Writing: messages go through the outbox; edits, deletions, typing and read marks go to the server at once.

import { createOutbox, entry, flush } from "./outbox.js";

/** While the user types, the others hear of it this often, in milliseconds. */
const TYPING_REPEATS = 4_000;

/** Milliseconds until messages are sent again that the server could not take. */
const RESEND = 2_000;

/**
 * @param {object} parts
 * @param {(name: string, data: object) => Promise<any>} parts.emit
 * @param {{state: import("./state.js").State, dispatch: (event: any) => void}} parts.store
 */
export function createWriting({ emit, store }) {
  const { dispatch } = store;
  const outbox = createOutbox(store.state.me.id);
  let sending = false;
  let again = false;
  let typedAt = 0;
  let reading = "";

  function show() {
    dispatch({ type: "outboxChanged", entries: outbox.list() });
  }

  /** Sends what waits. While this runs, a further call only makes it look again. */
  async function sendAll() {
    again = true;
    if (sending) return;
    sending = true;
    while (again && store.state.online) {
      again = false;
      const done = await inOneTab(() => flush(outbox, sendEntry, show));
      if (!done) setTimeout(sendAll, RESEND);
    }
    sending = false;
  }

  async function sendEntry({ conversationId, content, clientMessageId }) {
    const { message } = await emit("send_message", { conversationId, content, clientMessageId });
    dispatch({ type: "messageArrived", message });
  }

  function put(changed) {
    outbox.put(changed);
    show();
    sendAll();
  }

  function discard(unsent) {
    outbox.remove(unsent);
    show();
  }

  /** A message that is stored waits no longer, whichever tab has sent it. */
  function stored({ clientMessageId }) {
    if (store.state.outbox.some((unsent) => unsent.clientMessageId === clientMessageId)) discard({ clientMessageId });
  }

  async function change(name, data) {
    const { message } = await emit(name, data);
    dispatch({ type: "messageChanged", message });
  }

  function type() {
    if (Date.now() - typedAt < TYPING_REPEATS) return;
    typedAt = Date.now();
    tellTyping(true);
  }

  function stopTyping() {
    if (typedAt) tellTyping(false);
    typedAt = 0;
  }

  function tellTyping(isTyping) {
    // It is worth nothing later, so a failure is not repeated.
    emit("typing", { conversationId: store.state.open, isTyping }).catch(() => {});
  }

  /** Marks everything that is shown as read. */
  async function markRead() {
    const { open: id, timelines, conversations, me } = store.state;
    const newest = timelines[id]?.live && timelines[id].messages.at(-1);
    const mine = conversations[id]?.participants.find((user) => user.id === me.id);
    if (!newest || newest.id === reading || newest.seq <= (mine?.readUpToSeq ?? 0)) return;
    reading = newest.id;
    try {
      const read = await emit("message_read", { conversationId: id, messageId: newest.id });
      dispatch({ type: "read", userId: me.id, ...read });
    } catch {
      // The next message, scroll or connect marks it.
    }
    reading = "";
  }

  function handleStorage({ key }) {
    if (!outbox.owns(key)) return;
    show();
    sendAll();
  }

  addEventListener("storage", handleStorage);
  show();

  return {
    stored,
    sendAll,
    markRead,
    type,
    stopTyping,
    send(content) {
      stopTyping();
      put(entry(store.state.open, content));
    },
    retry: (failed) => put({ ...failed, error: null }),
    discard,
    edit: (messageId, content) => change("edit_message", { messageId, content }),
    remove: (messageId) => change("delete_message", { messageId }),
    close: () => removeEventListener("storage", handleStorage),
  };
}

/** Runs `work` while no other tab does. Without locks, `clientMessageId` alone prevents doubles. */
function inOneTab(work) {
  return navigator.locks ? navigator.locks.request("ulak.outbox", work) : work();
}
