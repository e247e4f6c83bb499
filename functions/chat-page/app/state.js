// What the page knows, and how each event changes it. Pure: no event is handled anywhere else.

import * as timelines from "./timeline.js";

/**
 * @typedef {import("./timeline.js").Message} Message
 * @typedef {{id: string, username: string, displayName: string, lastSeenAt: string, readUpToSeq?: number}} User
 *
 * @typedef {object} Conversation
 * @property {string} id
 * @property {"direct" | "group"} type
 * @property {string | null} name
 * @property {User[]} participants
 * @property {Message | null} lastMessage
 * @property {number} unreadCount
 * @property {string} updatedAt
 *
 * @typedef {object} State
 * @property {User} me
 * @property {boolean | null} online whether the socket is connected; null until the first attempt has ended
 * @property {boolean} visible whether the page is visible to the user
 * @property {boolean} listed whether the first page of conversations is there
 * @property {Record<string, Conversation>} conversations
 * @property {string | null} moreConversations the cursor of the next page
 * @property {Set<string>} present ids of the users who are online
 * @property {Record<string, string>} lastSeen by user id, newer than in the profile
 * @property {Record<string, import("./timeline.js").Timeline>} timelines by conversation id
 * @property {Record<string, string[]>} typing ids of the users who type, by conversation id
 * @property {import("./outbox.js").Entry[]} outbox
 * @property {string | null} open the id of the conversation that is shown
 * @property {number} newFrom the `seq` after which the messages of the open conversation are new
 * @property {string | null} target the id of the message to show
 * @property {string | null} editing the id of the message that is edited
 */

/** @param {User} me @returns {State} */
export function initial(me) {
  return {
    me,
    online: null,
    visible: true,
    listed: false,
    conversations: {},
    moreConversations: null,
    present: new Set(),
    lastSeen: {},
    timelines: {},
    typing: {},
    outbox: [],
    open: null,
    newFrom: 0,
    target: null,
    editing: null,
  };
}

/**
 * The events: a name, and how it changes the state.
 * @type {Record<string, (state: State, event: Record<string, any>) => State>}
 */
const events = {
  connected: (state) => ({ ...state, online: true }),
  // Who types is only known while connected.
  disconnected: (state) => ({ ...state, online: false, typing: {} }),
  visibility: (state, { visible }) => ({ ...state, visible }),
  profileChanged: (state, { user }) => ({ ...state, me: { ...state.me, ...user } }),

  conversationsListed: (state, { conversations, more }) => ({
    ...state,
    conversations: conversations.reduce(withConversation, state.conversations),
    moreConversations: more,
    listed: true,
  }),
  conversationChanged: (state, { conversation }) => ({
    ...state,
    conversations: withConversation(state.conversations, conversation),
  }),
  conversationOpened: (state, { id }) => {
    const before = state.timelines[state.open];
    // A timeline with a gap to the present would only cost: the next visit begins at the newest message.
    const kept = before && !before.live ? without(state.timelines, state.open) : state.timelines;
    const shown = { ...state, open: id, target: null, editing: null, timelines: kept };
    if (!id) return shown;
    const timeline = kept[id] ?? timelines.empty();
    return { ...shown, timelines: { ...kept, [id]: timeline }, newFrom: readUpTo(state, id) };
  },

  newestLoaded: (state, { id, page }) => withTimeline(state, id, (timeline) => timelines.withNewest(timeline, page)),
  olderLoaded: (state, { id, page }) => withTimeline(state, id, (timeline) => timelines.withOlder(timeline, page)),
  newerLoaded: (state, { id, messages, isLast }) =>
    withTimeline(state, id, (timeline) => timelines.withNewer(timeline, messages, isLast)),
  jumped: (state, { id, before, message, after, isLast }) => ({
    ...withTimeline(state, id, (timeline) => timelines.around(timeline, before, message, after, isLast)),
    target: message.id,
  }),
  targeted: (state, { messageId }) => ({ ...state, target: messageId }),
  targetShown: (state) => ({ ...state, target: null }),
  replayed: (state, { id, seq }) => withTimeline(state, id, (timeline) => timelines.complete(timeline, seq)),
  // Timelines that are not shown are loaded again when they are opened.
  timelinesDropped: (state) => ({ ...state, timelines: only(state.timelines, state.open) }),

  messageArrived: (state, { message }) => {
    const known = state.conversations[message.conversationId];
    const arrived = withTimeline(state, message.conversationId, (timeline) => timelines.withMessage(timeline, message));
    const rest = { ...arrived, typing: withTyping(state.typing, message.conversationId, message.senderId, false) };
    const isNew = known && message.seq > (known.lastMessage?.seq ?? 0);
    if (!isNew) return rest;
    const unreadCount = message.senderId === state.me.id ? known.unreadCount : known.unreadCount + 1;
    const conversation = { ...known, lastMessage: message, updatedAt: message.createdAt, unreadCount };
    return { ...rest, conversations: { ...state.conversations, [known.id]: conversation } };
  },
  messageChanged: (state, { message }) => {
    const changed = withTimeline(state, message.conversationId, (timeline) => timelines.withChange(timeline, message));
    const known = state.conversations[message.conversationId];
    const editing = message.deletedAt && state.editing === message.id ? null : state.editing;
    if (known?.lastMessage?.id !== message.id) return { ...changed, editing };
    const conversations = { ...state.conversations, [known.id]: { ...known, lastMessage: message } };
    return { ...changed, editing, conversations };
  },
  read: (state, { conversationId, userId, upToSeq }) => {
    const known = state.conversations[conversationId];
    if (!known) return state;
    const participants = known.participants.map((user) =>
      user.id === userId ? { ...user, readUpToSeq: Math.max(user.readUpToSeq ?? 0, upToSeq) } : user,
    );
    const isAll = userId === state.me.id && upToSeq >= (known.lastMessage?.seq ?? 0);
    const conversation = { ...known, participants, unreadCount: isAll ? 0 : known.unreadCount };
    return { ...state, conversations: { ...state.conversations, [conversationId]: conversation } };
  },

  presenceListed: (state, { userIds }) => ({ ...state, present: new Set(userIds) }),
  userOnline: (state, { userId }) => ({ ...state, present: new Set([...state.present, userId]) }),
  userOffline: (state, { userId, lastSeenAt }) => ({
    ...state,
    present: new Set([...state.present].filter((id) => id !== userId)),
    lastSeen: { ...state.lastSeen, [userId]: lastSeenAt },
  }),
  userChanged: (state, { user }) => ({
    ...state,
    conversations: mapValues(state.conversations, (conversation) => ({
      ...conversation,
      participants: conversation.participants.map((known) => (known.id === user.id ? { ...known, ...user } : known)),
    })),
  }),
  typing: (state, { conversationId, userId, isTyping }) => ({
    ...state,
    typing: withTyping(state.typing, conversationId, userId, isTyping),
  }),

  outboxChanged: (state, { entries }) => ({ ...state, outbox: entries }),
  editing: (state, { messageId }) => ({ ...state, editing: messageId }),
};

/**
 * @param {State} state
 * @param {{type: string} & Record<string, any>} event
 * @returns {State}
 */
export function reduce(state, event) {
  return events[event.type](state, event);
}

/** A list that was read before the newest message arrived does not bring the older state back. */
function withConversation(all, conversation) {
  const known = all[conversation.id];
  const isOlder = (known?.lastMessage?.seq ?? 0) > (conversation.lastMessage?.seq ?? 0);
  const { lastMessage, unreadCount, updatedAt } = known ?? conversation;
  const joined = { ...conversation, participants: conversation.participants.map((user) => withRead(user, known)) };
  return { ...all, [conversation.id]: isOlder ? { ...joined, lastMessage, unreadCount, updatedAt } : joined };
}

/** How far a member has read only grows. */
function withRead(user, known) {
  const before = known?.participants.find(({ id }) => id === user.id)?.readUpToSeq ?? 0;
  return { ...user, readUpToSeq: Math.max(user.readUpToSeq ?? 0, before) };
}

function withTimeline(state, id, change) {
  const timeline = state.timelines[id];
  return timeline ? { ...state, timelines: { ...state.timelines, [id]: change(timeline) } } : state;
}

function withTyping(typing, conversationId, userId, isTyping) {
  const others = (typing[conversationId] ?? []).filter((id) => id !== userId);
  return { ...typing, [conversationId]: isTyping ? [...others, userId] : others };
}

function without(record, key) {
  const { [key]: _, ...rest } = record;
  return rest;
}

function only(record, key) {
  return key in record ? { [key]: record[key] } : {};
}

function mapValues(record, change) {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}

/** How far the user has read a conversation. */
export function readUpTo(state, conversationId) {
  const members = state.conversations[conversationId]?.participants ?? [];
  return members.find(({ id }) => id === state.me.id)?.readUpToSeq ?? 0;
}

/** The conversations in the order of the list: newest activity first. */
export function inOrder(state) {
  return Object.values(state.conversations).sort((a, b) => (a.updatedAt < b.updatedAt ? 1 : -1));
}

/** The unread messages of a conversation; what is open is being read. */
export function unreadIn(state, { id, unreadCount }) {
  return state.open === id && state.visible ? 0 : unreadCount;
}

/** The other members of a conversation. */
export function others(state, conversation) {
  return conversation.participants.filter(({ id }) => id !== state.me.id);
}

/** How many others have read a message. */
export function readers(state, conversation, message) {
  return others(state, conversation).filter(({ readUpToSeq = 0 }) => readUpToSeq >= message.seq).length;
}
