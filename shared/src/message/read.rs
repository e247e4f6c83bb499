//! Reading: a page of history, and saying how far one has read.

use serde::Serialize;

use crate::conversation::{Circles, Listed};
use crate::error::Error;
use crate::id::{ConnectionId, ConversationId, MessageId, UserId};
use crate::message::send::Chat;
use crate::message::{Message, Span};
use crate::page::Limit;
use crate::ports::{Conversations, Messages};
use crate::realtime::event::ServerEvent;
use crate::time::Time;

/// A page of history as clients see it: oldest message first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct History {
    /// The messages.
    pub messages: Vec<Message>,
    /// The older page's `before`; null at the start of history.
    pub next_cursor: Option<MessageId>,
    /// The newer page's `after`; null when the page holds nothing and none was asked for.
    pub prev_cursor: Option<MessageId>,
}

/// Where a page lies: next to a message, or at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The newest page.
    Latest,
    /// Directly before a message.
    Before(MessageId),
    /// Directly after a message.
    After(MessageId),
}

/// A conversation that the caller takes part in, as it is now.
///
/// # Errors
/// `NotFound` for everybody else.
pub async fn membership(
    conversations: &dyn Conversations,
    id: &ConversationId,
    user: &UserId,
) -> Result<Listed, Error> {
    conversations.for_member(id, user).await?.ok_or(Error::NotFound("the conversation"))
}

/// One page of a conversation's history.
///
/// # Errors
/// `NotFound` when the caller is not a member, or the place is no message of this conversation.
pub async fn history(
    circles: Circles<'_>,
    messages: &dyn Messages,
    caller: &UserId,
    conversation: &ConversationId,
    place: &Place,
    limit: Limit,
) -> Result<History, Error> {
    circles.of(conversation, caller).await?;
    let span = span(messages, conversation, place).await?;
    let mut page = messages.page(conversation, span, limit.plus_one()).await?;
    let more = page.len() > limit.get() as usize;
    let forward = matches!(span, Span::After(_));
    if more && forward {
        page.pop();
    } else if more {
        page.remove(0);
    }
    // Going forward, something older always exists: the message that was asked from.
    let older = more || forward;
    let anchor = match place {
        Place::Latest => None,
        Place::Before(id) | Place::After(id) => Some(id.clone()),
    };
    let first = page.first().map(|m| m.id.clone());
    let next_cursor = if older { first.or_else(|| anchor.clone()) } else { None };
    let prev_cursor = page.last().map(|m| m.id.clone()).or(anchor);
    Ok(History { messages: page, next_cursor, prev_cursor })
}

async fn span(messages: &dyn Messages, conversation: &ConversationId, place: &Place) -> Result<Span, Error> {
    let (Place::Before(id) | Place::After(id)) = place else { return Ok(Span::Latest) };
    let found = messages.by_ids(std::slice::from_ref(id)).await?;
    let seq = found
        .iter()
        .find(|m| m.conversation_id == *conversation)
        .map(|m| m.seq)
        .ok_or(Error::NotFound("the message"))?;
    Ok(if matches!(place, Place::After(_)) { Span::After(seq) } else { Span::Before(seq) })
}

/// A message in a conversation that the caller takes part in.
///
/// # Errors
/// `NotFound` when there is none, or it is none of the caller's business.
pub async fn visible(chat: &Chat<'_>, caller: &UserId, id: &MessageId) -> Result<(Message, Listed), Error> {
    let message = stored(chat, id).await?;
    let listed = chat.conversations.for_member(&message.conversation_id, caller).await?;
    Ok((message, listed.ok_or(Error::NotFound("the message"))?))
}

/// A message, whoever asks.
pub(crate) async fn stored(chat: &Chat<'_>, id: &MessageId) -> Result<Message, Error> {
    let found = chat.messages.by_ids(std::slice::from_ref(id)).await?;
    found.into_iter().next().ok_or(Error::NotFound("the message"))
}

/// How far somebody has read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReadUpTo {
    /// Where.
    pub conversation_id: ConversationId,
    /// Everything up to this `seq` is read.
    pub up_to_seq: u64,
}

/// Marks everything up to `up_to` as read and tells the others and the reader's other devices, if that
/// moved anything.
///
/// # Errors
/// `NotFound` when the reader is not a member.
pub async fn mark_read(
    chat: &Chat<'_>,
    reader: &UserId,
    via: Option<&ConnectionId>,
    listed: &Listed,
    up_to: u64,
    now: Time,
) -> Result<ReadUpTo, Error> {
    let conversation = &listed.conversation;
    let before = conversation.members.iter().find(|m| m.user_id == *reader).map_or(0, |m| m.read_seq);
    let up_to_seq = chat
        .conversations
        .mark_read(&conversation.id, reader, up_to)
        .await?
        .ok_or(Error::NotFound("the conversation"))?;
    if up_to_seq > before {
        let event = ServerEvent::MessageRead {
            conversation_id: &conversation.id,
            user_id: reader,
            up_to_seq,
            read_at: now,
        };
        chat.fanout.to_users(&conversation.member_ids(), via, &event, now).await;
    }
    Ok(ReadUpTo { conversation_id: conversation.id.clone(), up_to_seq })
}
