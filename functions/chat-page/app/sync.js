// Keeps the state in step with the server: handles its events, and catches up after every connect.

import { createSocket } from "./socket.js";

/** Milliseconds after which a member without a further event no longer counts as typing. */
const TYPING_ENDS = 10_000;

/** Milliseconds until a step of catching up that failed is tried again. */
const RETRY = 2_000;

/**
 * @param {object} parts
 * @param {import("./session.js").Session} parts.session
 * @param {ReturnType<typeof import("./api.js").createApi>} parts.api
 * @param {{state: import("./state.js").State, dispatch: (event: any) => void}} parts.store
 * @param {string} parts.socketUrl
 * @param {(id: string) => Promise<void>} parts.loadNewest reads the newest page of a conversation
 * @param {(message: import("./timeline.js").Message) => void} parts.onStored a message is stored
 * @param {() => void} parts.onOnline
 */
export function createSync({ session, api, store, socketUrl, loadNewest, onStored, onOnline }) {
  const { dispatch } = store;
  const typingEnds = new Map();
  let joined = /** @type {string | null} */ (null);

  const handlers = {
    message_received: ({ message }) => arrive(message),
    message_sent: ({ message }) => arrive(message),
    message_updated: ({ message }) => dispatch({ type: "messageChanged", message }),
    message_deleted: ({ message }) => dispatch({ type: "messageChanged", message }),
    message_read: (data) => dispatch({ type: "read", ...data }),
    typing: (data) => handleTyping(data),
    user_online: ({ userId }) => dispatch({ type: "userOnline", userId }),
    user_offline: (data) => dispatch({ type: "userOffline", ...data }),
    user_updated: ({ user }) => dispatch({ type: "userChanged", user }),
    conversation_created: ({ conversation }) => fetchConversation(conversation.id),
    conversation_updated: ({ conversation }) => fetchConversation(conversation.id),
    member_joined: ({ conversationId }) => fetchConversation(conversationId),
    member_left: ({ conversationId }) => fetchConversation(conversationId),
    session_ended: ({ reason }) => session.end(reason),
  };

  const socket = createSocket({
    url: socketUrl,
    token: session.token,
    renew: session.refresh,
    onEvent: (name, data) => handlers[name]?.(data),
    onStatus: (online) => (online ? resume() : dispatch({ type: "disconnected" })),
    onEnd: () => session.end("ended"),
  });

  function arrive(message) {
    onStored(message);
    dispatch({ type: "messageArrived", message });
    if (!store.state.conversations[message.conversationId]) fetchConversation(message.conversationId);
  }

  function handleTyping({ conversationId, userId, isTyping }) {
    const key = `${conversationId} ${userId}`;
    clearTimeout(typingEnds.get(key));
    dispatch({ type: "typing", conversationId, userId, isTyping });
    const end = () => dispatch({ type: "typing", conversationId, userId, isTyping: false });
    if (isTyping) typingEnds.set(key, setTimeout(end, TYPING_ENDS));
  }

  /** Nothing that happened while there was no connection is missing afterwards. */
  function resume() {
    joined = null;
    dispatch({ type: "connected" });
    dispatch({ type: "timelinesDropped" });
    onOnline();
    repeat(() => listConversations());
    repeat(async () => dispatch({ type: "presenceListed", ...(await socket.emit("online_users", {})) }));
    if (store.state.open) openRoom(store.state.open);
  }

  /** Repeats what failed for a passing reason, as long as the connection lives: after the next one, all begins anew. */
  async function repeat(work) {
    try {
      await work();
    } catch (error) {
      if (error.retryable && store.state.online) setTimeout(() => repeat(work), RETRY);
    }
  }

  /** Joins a conversation and brings its messages up to date. */
  function openRoom(id) {
    repeat(() => catchUp(id));
  }

  /** New messages come by replay, edits and deletions with the newest page. */
  async function catchUp(id) {
    if (store.state.open !== id) return;
    const { lastSeq } = await join(id);
    if (store.state.timelines[id]?.live) await replay(id, lastSeq);
    const timeline = store.state.timelines[id];
    if (timeline?.live || !timeline?.loaded) await loadNewest(id);
  }

  /**
   * Asks for the messages after the last safe one, in parts. The acknowledgement follows the last message of its part:
   * only then is everything up to `lastSeq` there. A live message may overtake a replay, so it proves nothing; this is
   * why the replay is asked for with an acknowledgement instead of with `lastSeq` in CONNECT.
   */
  async function replay(id, lastSeq) {
    let from = { [id]: store.state.timelines[id].safeSeq };
    while (Object.keys(from).length > 0) from = (await socket.emit("replay", { lastSeq: from })).more;
    dispatch({ type: "replayed", id, seq: lastSeq });
  }

  /** Only those who have joined hear who types. The server forgets it when the connection ends. */
  async function join(id) {
    if (joined && joined !== id) socket.emit("leave_room", { conversationId: joined }).catch(() => {});
    joined = id;
    return socket.emit("join_room", { conversationId: id });
  }

  async function listConversations(cursor = "") {
    const after = cursor && `&cursor=${encodeURIComponent(cursor)}`;
    const { conversations, nextCursor } = await api.get(`/api/conversations?limit=50${after}`);
    dispatch({ type: "conversationsListed", conversations, more: nextCursor });
  }

  function fetchConversation(id) {
    repeat(async () => {
      try {
        const { conversation } = await api.get(`/api/conversations/${id}`);
        dispatch({ type: "conversationChanged", conversation });
      } catch (error) {
        if (error.code !== "NOT_FOUND") throw error;
        // The user is not in the conversation that the address names.
        if (store.state.open === id) location.hash = "";
      }
    });
  }

  return { socket, openRoom, listConversations, fetchConversation };
}
