// What the user can do in the chat: the one object that the views call.

import { createHistory } from "./history.js";
import { createSync } from "./sync.js";
import { createWriting } from "./writing.js";

/** @typedef {ReturnType<typeof createChat>} Chat */

/**
 * @param {object} parts
 * @param {import("./session.js").Session} parts.session
 * @param {ReturnType<typeof import("./api.js").createApi>} parts.api
 * @param {{state: import("./state.js").State, dispatch: (event: any) => void}} parts.store
 * @param {string} parts.socketUrl
 */
export function createChat({ session, api, store, socketUrl }) {
  const { dispatch } = store;
  const history = createHistory({ api, store });
  const writing = createWriting({ store, emit: (name, data) => sync.socket.emit(name, data) });
  const sync = createSync({
    session,
    api,
    store,
    socketUrl,
    loadNewest: history.loadNewest,
    onStored: writing.stored,
    onOnline: writing.sendAll,
  });

  function open(id) {
    if (store.state.open === id) return;
    writing.stopTyping();
    dispatch({ type: "conversationOpened", id });
    if (!id) return;
    if (!store.state.conversations[id]) sync.fetchConversation(id);
    if (store.state.online) sync.openRoom(id);
  }

  /** Leaves the older part of the history that is shown. */
  function openNewest() {
    const { open: id } = store.state;
    dispatch({ type: "conversationOpened", id: null });
    open(id);
  }

  async function create(userIds, name) {
    const body = userIds.length === 1 ? { participantId: userIds[0] } : { participantIds: userIds, name };
    const { conversation } = await api.post("/api/conversations", body);
    dispatch({ type: "conversationChanged", conversation });
    return conversation.id;
  }

  async function saveProfile(change) {
    const { user } = await api.put("/api/user/profile", change);
    session.update(user);
    dispatch({ type: "profileChanged", user });
  }

  function showVisibility() {
    dispatch({ type: "visibility", visible: document.visibilityState === "visible" });
  }

  const query = (text) => encodeURIComponent(text);
  document.addEventListener("visibilitychange", showVisibility);

  return {
    ...history,
    ...writing,
    open,
    openNewest,
    create,
    saveProfile,
    startEditing: (messageId) => dispatch({ type: "editing", messageId }),
    targetShown: () => dispatch({ type: "targetShown" }),
    moreConversations: () => sync.listConversations(store.state.moreConversations),
    searchUsers: async (text) => (await api.get(`/api/user/list?limit=20&search=${query(text)}`)).users,
    searchMessages: async (text) => (await api.get(`/api/messages/search?limit=30&q=${query(text)}`)).hits,
    sessions: async () => (await api.get("/api/auth/sessions")).sessions,
    endSession: (id) => api.delete(`/api/auth/sessions/${id}`),
    /** The session ends here even if the server cannot be told. */
    async logOut(everywhere) {
      // Otherwise the socket would report that the session was ended elsewhere.
      sync.socket.close();
      await api.post("/api/auth/logout", { everywhere }).catch(() => {});
      session.end("");
    },
    close() {
      document.removeEventListener("visibilitychange", showVisibility);
      writing.close();
      sync.socket.close();
    },
  };
}
