//! Editing and deleting: the sender's own messages only, and everybody is told.

use crate::conversation::Circle;
use crate::error::Error;
use crate::id::{ConnectionId, MessageId, UserId};
use crate::message::read::stored;
use crate::message::send::Chat;
use crate::message::{Content, Message};
use crate::realtime::event::ServerEvent;
use crate::time::Time;

/// Replaces a message's content.
///
/// # Errors
/// `NotFound` for strangers and for deleted messages, `Forbidden` for the conversation's other members.
pub async fn edit(
    chat: &Chat<'_>,
    caller: &UserId,
    via: Option<&ConnectionId>,
    id: &MessageId,
    content: &Content,
    now: Time,
) -> Result<Message, Error> {
    let circle = own(chat, caller, id).await?;
    let message =
        chat.messages.edit(id, content.as_str(), now).await?.ok_or(Error::NotFound("the message"))?;
    let event = ServerEvent::MessageUpdated { message: &message };
    chat.fanout.to_users(&circle.members, via, &event, now).await;
    Ok(message)
}

/// Empties a message. Deleting it again changes nothing and tells nobody.
///
/// # Errors
/// `NotFound` for strangers, `Forbidden` for the conversation's other members.
pub async fn delete(
    chat: &Chat<'_>,
    caller: &UserId,
    via: Option<&ConnectionId>,
    id: &MessageId,
    now: Time,
) -> Result<Message, Error> {
    let circle = own(chat, caller, id).await?;
    let message = chat.messages.delete(id, now).await?.ok_or(Error::NotFound("the message"))?;
    if message.deleted_at == Some(now) {
        let event = ServerEvent::MessageDeleted { message: &message };
        chat.fanout.to_users(&circle.members, via, &event, now).await;
    }
    Ok(message)
}

/// Who reads a message that the caller wrote.
async fn own(chat: &Chat<'_>, caller: &UserId, id: &MessageId) -> Result<Circle, Error> {
    let message = stored(chat, id).await?;
    let circle = chat.circles().of(&message.conversation_id, caller).await.map_err(|error| match error {
        Error::NotFound(_) => Error::NotFound("the message"),
        other => other,
    })?;
    if message.sender_id == *caller {
        Ok(circle)
    } else {
        Err(Error::Forbidden("only the sender may change a message"))
    }
}
