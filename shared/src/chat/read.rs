//! Marking messages as read.

use serde::Serialize;

use super::ports::ReadPorts;
use crate::conversation::MemberConversation;
use crate::error::Error;
use crate::id::{ConnectionId, ConversationId, MessageId, UserId};
use crate::message::Message;
use crate::ports::Messages;
use crate::realtime::event::ServerEvent;
use crate::time::Time;

/// A message in a conversation that `caller` is a member of.
///
/// # Errors
/// `NotFound` when there is no such message or the caller is no member; `Unavailable`.
pub async fn visible_message(
    ports: &ReadPorts<'_>,
    caller: &UserId,
    id: &MessageId,
) -> Result<(Message, MemberConversation), Error> {
    let message = message_by_id(ports.messages, id).await?;
    let found = ports.conversations.for_member(&message.conversation_id, caller).await?;
    Ok((message, found.ok_or(Error::NotFound("the message"))?))
}

/// Reads a message without checking that the caller may see it.
pub(super) async fn message_by_id(messages: &dyn Messages, id: &MessageId) -> Result<Message, Error> {
    let found = messages.by_ids(std::slice::from_ref(id)).await?;
    found.into_iter().next().ok_or(Error::NotFound("the message"))
}

/// How far a member has read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ReadUpTo {
    pub conversation_id: ConversationId,
    /// Every message up to this `seq` is read.
    pub up_to_seq: u64,
}

/// Marks everything up to `up_to` as read. If that moved the mark, the other members and the reader's other
/// devices receive `message_read`; the connection `via` gets the answer instead.
///
/// # Errors
/// `NotFound` when the reader is no member; `Unavailable`.
pub async fn mark_read(
    ports: &ReadPorts<'_>,
    reader: &UserId,
    via: Option<&ConnectionId>,
    conversation: &MemberConversation,
    up_to: u64,
    now: Time,
) -> Result<ReadUpTo, Error> {
    let conversation = &conversation.conversation;
    let before = conversation.members.iter().find(|m| m.user_id == *reader).map_or(0, |m| m.read_seq);
    let marked = ports.conversations.mark_read(&conversation.id, reader, up_to).await?;
    let up_to_seq = marked.ok_or(Error::NotFound("the conversation"))?;
    if up_to_seq > before {
        let event = ServerEvent::MessageRead {
            conversation_id: &conversation.id,
            user_id: reader,
            up_to_seq,
            read_at: now,
        };
        ports.fanout.to_users(&conversation.member_ids(), via, &event, now).await;
    }
    Ok(ReadUpTo { conversation_id: conversation.id.clone(), up_to_seq })
}
