// What was written and is not stored by the server yet. It survives reloads and is shared by the tabs of a user: each
// entry has a key of its own, so that two tabs never overwrite each other's.

/**
 * @typedef {object} Entry
 * @property {string} clientMessageId makes a repeated send harmless
 * @property {string} conversationId
 * @property {string} content
 * @property {number} writtenAt milliseconds since 1970, with fractions
 * @property {string | null} error why the server refused it for good; null while it waits
 */

const PREFIX = "ulak.outbox.";

/**
 * @param {string} userId
 * @param {Storage} [storage]
 */
export function createOutbox(userId, storage = localStorage) {
  const prefix = `${PREFIX}${userId}.`;
  const key = (entry) => prefix + entry.clientMessageId;

  return {
    /** All entries, in the order in which they were written. @returns {Entry[]} */
    list() {
      const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? "");
      const entries = keys.filter((name) => name.startsWith(prefix)).map((name) => storage.getItem(name));
      // Another tab may have removed an entry in the meantime.
      return inOrder(entries.filter((entry) => entry !== null).map((entry) => JSON.parse(entry)));
    },
    /** @param {Entry} entry */
    put: (entry) => storage.setItem(key(entry), JSON.stringify(entry)),
    /** @param {{clientMessageId: string}} entry */
    remove: (entry) => storage.removeItem(key(entry)),
    /** Whether a change of this storage key concerns the outbox. @param {string | null} name */
    owns: (name) => name?.startsWith(prefix) ?? false,
  };
}

/** @param {Entry[]} entries */
export function inOrder(entries) {
  return entries.sort((a, b) => a.writtenAt - b.writtenAt);
}

/**
 * Sends the entries one after the other, so that they are stored in the order in which they were written.
 * @param {ReturnType<typeof createOutbox>} outbox
 * @param {(entry: Entry) => Promise<void>} send
 * @param {() => void} changed called after every change of the outbox
 * @returns {Promise<boolean>} false when it should be tried again later
 */
export async function flush(outbox, send, changed) {
  let entry;
  while ((entry = outbox.list().find(({ error }) => !error))) {
    try {
      await send(entry);
      outbox.remove(entry);
    } catch (error) {
      if (error.retryable) return false;
      outbox.put({ ...entry, error: error.message });
    }
    changed();
  }
  return true;
}

/** A new entry. @returns {Entry} */
export function entry(conversationId, content) {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const clientMessageId = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const writtenAt = performance.timeOrigin + performance.now();
  return { clientMessageId, conversationId, content, writtenAt, error: null };
}
