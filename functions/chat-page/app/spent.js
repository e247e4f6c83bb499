// Which refresh token was spent last, and for what: the one fact that tabs must agree on at once. `localStorage` shows
// a write of another tab a moment late, even to the next holder of a lock; IndexedDB does not.

const KEY = "spent";

function open() {
  return finished(indexedDB.open("ulak", 1), (request) => request.result.createObjectStore("session"));
}

/** The result of a request; `upgrade` makes the store of a new database. */
function finished(request, upgrade) {
  return new Promise((resolve, reject) => {
    request.onupgradeneeded = () => upgrade(request);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * The tokens that a refresh token was exchanged for, if it is the last one that was spent.
 * @param {string} refreshToken
 */
export async function successorOf(refreshToken) {
  const database = await open();
  const spent = await finished(database.transaction("session").objectStore("session").get(KEY));
  database.close();
  return spent?.refreshToken === refreshToken ? spent.tokens : null;
}

/**
 * Records an exchange. It is stored when this returns.
 * @param {string} refreshToken
 * @param {import("./session.js").Tokens} tokens
 */
export async function recordSpent(refreshToken, tokens) {
  const database = await open();
  const store = database.transaction("session", "readwrite").objectStore("session");
  await finished(store.put({ refreshToken, tokens }, KEY));
  database.close();
}
