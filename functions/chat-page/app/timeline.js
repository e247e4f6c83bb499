// The messages of one conversation that the page has, and how pages of history, live messages and replays join them.
// Pure functions: a timeline in, a timeline out.

/**
 * @typedef {object} Message
 * @property {string} id
 * @property {string} conversationId
 * @property {number} seq the order in the conversation; it may have gaps
 * @property {string} senderId
 * @property {string} content
 * @property {string} kind `text` or `auto`
 * @property {string | null} clientMessageId
 * @property {string} createdAt
 * @property {string | null} editedAt
 * @property {string | null} deletedAt
 *
 * @typedef {object} Timeline
 * @property {Message[]} messages a part of the history without holes, oldest first
 * @property {boolean} loaded whether the first page is there
 * @property {boolean} hasOlder whether the history goes on before `messages`
 * @property {boolean} live whether `messages` reaches the newest message
 * @property {Message[]} ahead live messages, kept until `messages` reaches them
 * @property {number} safeSeq no message up to this `seq` is missing
 */

/** @returns {Timeline} */
export function empty() {
  return { messages: [], loaded: false, hasOlder: false, live: false, ahead: [], safeSeq: 0 };
}

/**
 * Both lists as one: ordered by `seq`, each id once, in its latest version.
 * @param {Message[]} messages
 * @param {Message[]} more
 */
export function merge(messages, more) {
  const byId = new Map(messages.map((message) => [message.id, message]));
  for (const message of more) {
    const known = byId.get(message.id);
    if (!known || revision(message) >= revision(known)) byId.set(message.id, message);
  }
  return [...byId.values()].sort((a, b) => a.seq - b.seq);
}

/** Grows with every change of a message. RFC 3339 in UTC sorts as text. */
function revision({ createdAt, editedAt, deletedAt }) {
  return deletedAt ?? editedAt ?? createdAt;
}

/**
 * The newest page: the first one of all, or read again after a reconnect because of edits.
 * @param {Timeline} timeline
 * @param {{messages: Message[], nextCursor: string | null}} page
 */
export function withNewest(timeline, { messages, nextCursor }) {
  // The user has gone to an older part of the history in the meantime.
  if (timeline.loaded && !timeline.live) return { ...timeline, ahead: merge(timeline.ahead, messages) };
  const hasOlder = timeline.live ? timeline.hasOlder : nextCursor !== null;
  const known = timeline.live ? timeline.messages : timeline.ahead;
  const all = merge(known, messages);
  return complete({ ...timeline, messages: all, loaded: true, hasOlder, live: true, ahead: [] }, lastSeq(messages));
}

/**
 * The page before the oldest message.
 * @param {Timeline} timeline
 * @param {{messages: Message[], nextCursor: string | null}} page
 */
export function withOlder(timeline, { messages, nextCursor }) {
  return { ...timeline, messages: merge(timeline.messages, messages), hasOlder: nextCursor !== null };
}

/**
 * The page after the newest message of a timeline that is not live.
 * @param {Timeline} timeline
 * @param {Message[]} messages
 * @param {boolean} isLast whether nothing followed the page when it was read
 */
export function withNewer(timeline, messages, isLast) {
  if (timeline.live) return timeline;
  const all = merge(timeline.messages, messages);
  if (!isLast) return { ...timeline, messages: all };
  return complete({ ...timeline, messages: merge(all, timeline.ahead), live: true, ahead: [] }, lastSeq(all));
}

/**
 * A part of the history around one message, such as a search hit.
 * @param {Timeline} timeline
 * @param {{messages: Message[], nextCursor: string | null}} before
 * @param {Message} message
 * @param {Message[]} after
 * @param {boolean} isLast whether nothing followed `after` when it was read
 */
export function around(timeline, before, message, after, isLast) {
  const known = timeline.live ? timeline.messages : [];
  const ahead = merge(timeline.ahead, known);
  const start = { ...empty(), loaded: true, hasOlder: before.nextCursor !== null, ahead };
  return withNewer({ ...start, messages: merge(before.messages, [message]) }, after, isLast);
}

/**
 * A message that was sent or received now, or replayed.
 * @param {Timeline} timeline
 * @param {Message} message
 */
export function withMessage(timeline, message) {
  if (!timeline.live) return { ...timeline, ahead: merge(timeline.ahead, [message]) };
  return complete({ ...timeline, messages: merge(timeline.messages, [message]) }, timeline.safeSeq);
}

/**
 * A message that was edited or deleted. One that is not there is not added: it would leave a hole.
 * @param {Timeline} timeline
 * @param {Message} message
 */
export function withChange(timeline, message) {
  const replace = (messages) =>
    messages.some((known) => known.id === message.id) ? merge(messages, [message]) : messages;
  return { ...timeline, messages: replace(timeline.messages), ahead: replace(timeline.ahead) };
}

/**
 * Every message up to `seq` is there, because a replay has ended.
 * @param {Timeline} timeline
 * @param {number} seq
 */
export function complete(timeline, seq) {
  // Messages of several senders may arrive in another order than their `seq`. What follows a gap therefore does not
  // count: the next replay begins before the gap, and what is sent twice is dropped by its id.
  let safeSeq = Math.max(timeline.safeSeq, seq);
  for (const message of timeline.messages) if (message.seq === safeSeq + 1) safeSeq++;
  return { ...timeline, safeSeq };
}

/** @param {Message[]} messages */
export function lastSeq(messages) {
  return messages.at(-1)?.seq ?? 0;
}
