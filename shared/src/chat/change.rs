//! Editing and deleting a message: allowed to its sender only, announced to every member.

use super::ports::ChangePorts;
use super::read::message_by_id;
use crate::conversation::Members;
use crate::error::Error;
use crate::id::{ConnectionId, MessageId, UserId};
use crate::message::{Content, Message};
use crate::realtime::event::ServerEvent;
use crate::time::Time;

/// Replaces a message's content. The connection `via` gets the answer instead of the event.
///
/// # Errors
/// `NotFound` for non-members and for deleted messages; `Forbidden` for members other than the sender;
/// `Unavailable`.
pub async fn edit(
    ports: &ChangePorts<'_>,
    caller: &UserId,
    via: Option<&ConnectionId>,
    id: &MessageId,
    content: &Content,
    now: Time,
) -> Result<Message, Error> {
    let members = members_of_own_message(ports, caller, id).await?;
    let edited = ports.messages.edit(id, content.as_str(), now).await?;
    let message = edited.ok_or(Error::NotFound("the message"))?;
    let event = ServerEvent::MessageUpdated { message: &message };
    ports.fanout.to_users(&members.user_ids, via, &event, now).await;
    Ok(message)
}

/// Empties a message. Deleting it again changes nothing and sends no event.
///
/// # Errors
/// `NotFound` for non-members; `Forbidden` for members other than the sender; `Unavailable`.
pub async fn delete(
    ports: &ChangePorts<'_>,
    caller: &UserId,
    via: Option<&ConnectionId>,
    id: &MessageId,
    now: Time,
) -> Result<Message, Error> {
    let members = members_of_own_message(ports, caller, id).await?;
    let message = ports.messages.delete(id, now).await?.ok_or(Error::NotFound("the message"))?;
    if message.deleted_at == Some(now) {
        let event = ServerEvent::MessageDeleted { message: &message };
        ports.fanout.to_users(&members.user_ids, via, &event, now).await;
    }
    Ok(message)
}

/// The members of the conversation of a message that `caller` sent.
async fn members_of_own_message(
    ports: &ChangePorts<'_>,
    caller: &UserId,
    id: &MessageId,
) -> Result<Members, Error> {
    let message = message_by_id(ports.messages, id).await?;
    let members = ports.members.get(&message.conversation_id, caller).await.map_err(|error| match error {
        Error::NotFound(_) => Error::NotFound("the message"),
        other => other,
    })?;
    if message.sender_id == *caller {
        Ok(members)
    } else {
        Err(Error::Forbidden("only the sender may change a message"))
    }
}
