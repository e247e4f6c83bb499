//! Sending a message: from HTTP, from a socket, and from the consumer of automatic messages.

use super::direct::{DirectRequest, ensure_direct};
use super::ports::ChatPorts;
use crate::conversation::Members;
use crate::error::Error;
use crate::id::{ConnectionId, Entropy, MessageId, UserId};
use crate::message::{Appended, Draft, Message, MessageKind, SendRequest, Target};
use crate::ports::StoreResult;
use crate::realtime::event::ServerEvent;
use crate::realtime::fanout::Fanout;
use crate::time::Time;

/// The outcome of a send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The message as it was first stored.
    pub message: Message,
    /// Whether this call stored it; `false` for a repeat of its `clientMessageId`.
    pub created: bool,
}

/// The sender, with the values of the request.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'a> {
    pub user_id: &'a UserId,
    /// The connection the request came through; it gets the ack instead of the event.
    pub via: Option<&'a ConnectionId>,
    pub now: Time,
    pub entropy: &'a Entropy,
}

/// Stores the message once and announces it once to every device it concerns.
///
/// # Errors
/// `NotFound` when the sender is no member of the conversation; `Invalid` for an impossible receiver;
/// `Conflict` when the `clientMessageId` was used for another message; `Unavailable`.
pub async fn send(chat: &ChatPorts<'_>, sender: Sender<'_>, request: SendRequest) -> Result<Sent, Error> {
    let members = members_of_target(chat, sender, &request.target).await?;
    let draft = Draft {
        id: MessageId::fresh(sender.now, sender.entropy),
        conversation_id: members.conversation_id.clone(),
        sender_id: sender.user_id.clone(),
        content: request.content,
        kind: MessageKind::Text,
        client_message_id: request.client_message_id,
        auto_message_id: None,
        created_at: sender.now,
    };
    match chat.messages.append(&draft).await? {
        Appended::Created(message) => {
            // The message is stored, so a failed announcement does not fail the send.
            if let Err(error) = announce(&chat.fanout, &members, &message, sender.via, sender.now).await {
                tracing::warn!(%error, message = %message.id, "stored message not announced");
            }
            Ok(Sent { message, created: true })
        }
        Appended::Duplicate(first) if is_same(&first, &draft) => Ok(Sent { message: first, created: false }),
        Appended::Duplicate(_) => {
            Err(Error::Conflict("this clientMessageId was used for another message".to_owned()))
        }
    }
}

/// Pushes `message_received` to the other members' devices and `message_sent` to the sender's, except to the
/// connection `via`. A connection that is gone is no failure.
///
/// # Errors
/// `Unavailable` when the members' connections cannot be read; nothing was pushed then.
pub async fn announce(
    fanout: &Fanout<'_>,
    members: &Members,
    message: &Message,
    via: Option<&ConnectionId>,
    now: Time,
) -> StoreResult<()> {
    let receivers = fanout.connections.of_users(&members.user_ids).await?;
    let (own, others): (Vec<_>, Vec<_>) = receivers.into_iter().partition(|r| r.user_id == message.sender_id);
    fanout.to(&others, via, &ServerEvent::MessageReceived { message }, now).await;
    fanout.to(&own, via, &ServerEvent::MessageSent { message }, now).await;
    Ok(())
}

/// An edited or deleted message still answers a repeat of its own key, so that a late repeat is no conflict.
fn is_same(first: &Message, draft: &Draft) -> bool {
    let changed = first.edited_at.is_some() || first.deleted_at.is_some();
    first.conversation_id == draft.conversation_id && (changed || first.content == draft.content.as_str())
}

async fn members_of_target(
    chat: &ChatPorts<'_>,
    sender: Sender<'_>,
    target: &Target,
) -> Result<Members, Error> {
    match target {
        Target::Conversation(id) => chat.members.get(id, sender.user_id).await,
        Target::Receiver(receiver) => {
            let request = DirectRequest {
                caller: sender.user_id,
                other: receiver,
                field: "receiverId",
                now: sender.now,
                entropy: sender.entropy,
            };
            let (conversation, _) = ensure_direct(chat.users, chat.members.conversations, request).await?;
            Ok(Members::from(&conversation))
        }
    }
}
