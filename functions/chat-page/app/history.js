// Reading the history of the open conversation: page by page in both directions, or from one message on.

/** Messages per page. */
const PAGE = 50;

/**
 * @param {object} parts
 * @param {ReturnType<typeof import("./api.js").createApi>} parts.api
 * @param {{state: import("./state.js").State, dispatch: (event: any) => void}} parts.store
 */
export function createHistory({ api, store }) {
  const { dispatch } = store;
  const loading = new Set();

  const page = (id, query = "") => api.get(`/api/messages/${id}?limit=${PAGE}${query}`);

  async function loadNewest(id) {
    dispatch({ type: "newestLoaded", id, page: await page(id) });
  }

  /** Runs `load` unless it runs already. The next scroll repeats what failed. */
  async function once(key, load) {
    if (loading.has(key)) return;
    loading.add(key);
    await load().catch(() => {});
    loading.delete(key);
  }

  function loadOlder() {
    const { open: id, timelines } = store.state;
    const { messages, hasOlder } = timelines[id];
    if (!hasOlder) return;
    once(`older ${id}`, async () => {
      dispatch({ type: "olderLoaded", id, page: await page(id, `&before=${messages[0].id}`) });
    });
  }

  function loadNewer() {
    const { open: id, timelines } = store.state;
    const { messages, live } = timelines[id];
    if (live || messages.length === 0) return;
    once(`newer ${id}`, async () => {
      const { messages: newer } = await page(id, `&after=${messages.at(-1).id}`);
      dispatch({ type: "newerLoaded", id, messages: newer, isLast: newer.length < PAGE });
    });
  }

  /** Shows a message of the open conversation, wherever it is in the history. */
  async function jumpTo(message) {
    const { id, conversationId } = message;
    if (store.state.timelines[conversationId].messages.some((known) => known.id === id)) {
      return dispatch({ type: "targeted", messageId: id });
    }
    const [before, { messages: after }] = await Promise.all([
      page(conversationId, `&before=${id}`),
      page(conversationId, `&after=${id}`),
    ]);
    dispatch({ type: "jumped", id: conversationId, before, message, after, isLast: after.length < PAGE });
  }

  return { loadNewest, loadOlder, loadNewer, jumpTo };
}
