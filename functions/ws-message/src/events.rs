//! What each client event does: one rule of `shared` each, and the ack's data.

use serde_json::{Value, json};
use shared::connection::Identity;
use shared::error::Error;
use shared::id::{ConnectionId, ConversationId, MessageId};
use shared::lambda::websocket::SocketEvent;
use shared::message::change::{delete, edit};
use shared::message::read::{mark_read, membership, visible};
use shared::message::send::{Outgoing, Sender, send};
use shared::realtime::client_event::{ClientEvent, LastSeq};
use shared::realtime::event::ServerEvent;

use crate::{Ports, replay};

/// One event of one speaker.
#[derive(Clone, Copy)]
pub(crate) struct Speech<'a> {
    /// Through which connection.
    pub(crate) connection: &'a ConnectionId,
    /// Who.
    pub(crate) identity: &'a Identity,
    /// The invocation's event.
    pub(crate) event: &'a SocketEvent,
}

/// Reads and does it; what comes back is the ack's data.
pub(crate) async fn run(
    ports: Ports<'_>,
    speech: Speech<'_>,
    name: &str,
    payload: Value,
) -> Result<Value, Error> {
    let (gate, user) = (ports.gate, speech.identity.user_id.as_str());
    gate.take("events", user, gate.rates.events_by_user, speech.event.now).await?;
    match ClientEvent::parse(name, payload)? {
        ClientEvent::Join(room) => join(ports, speech, &room).await,
        ClientEvent::Leave(room) => leave(ports, speech, &room).await,
        ClientEvent::Send(outgoing) => say(ports, speech, outgoing).await,
        ClientEvent::Typing { conversation, is_typing } => {
            typing(ports, speech, &conversation, is_typing).await
        }
        ClientEvent::Read { conversation, message } => read(ports, speech, &conversation, &message).await,
        ClientEvent::Edit { message, content } => {
            let (user, via, now) = (&speech.identity.user_id, Some(speech.connection), speech.event.now);
            let message = edit(&ports.chat, user, via, &message, &content, now).await?;
            Ok(json!({ "message": message }))
        }
        ClientEvent::Delete(message) => {
            let (user, via, now) = (&speech.identity.user_id, Some(speech.connection), speech.event.now);
            let message = delete(&ports.chat, user, via, &message, now).await?;
            Ok(json!({ "message": message }))
        }
        ClientEvent::OnlineUsers => {
            let user_ids = ports.presence.online().await?;
            Ok(json!({ "count": user_ids.len(), "userIds": user_ids }))
        }
        ClientEvent::Replay(seen) => again(ports, speech, &seen).await,
    }
}

async fn join(ports: Ports<'_>, speech: Speech<'_>, room: &ConversationId) -> Result<Value, Error> {
    let listed = membership(ports.chat.conversations, room, &speech.identity.user_id).await?;
    ports.chat.fanout.rooms.join(room, speech.connection).await?;
    let conversation = listed.conversation;
    Ok(json!({
        "conversationId": room,
        "members": conversation.member_ids(),
        "lastSeq": conversation.last_seq,
    }))
}

async fn leave(ports: Ports<'_>, speech: Speech<'_>, room: &ConversationId) -> Result<Value, Error> {
    ports.chat.circles().of(room, &speech.identity.user_id).await?;
    ports.chat.fanout.rooms.leave(room, speech.connection).await?;
    Ok(json!({ "conversationId": room }))
}

async fn say(ports: Ports<'_>, speech: Speech<'_>, outgoing: Outgoing) -> Result<Value, Error> {
    let (gate, user_id) = (ports.gate, &speech.identity.user_id);
    gate.take("send", user_id.as_str(), gate.rates.send_by_user, speech.event.now).await?;
    let sender = Sender {
        user_id,
        via: Some(speech.connection),
        now: speech.event.now,
        entropy: &speech.event.entropy,
    };
    Ok(json!({ "message": send(&ports.chat, sender, outgoing).await?.message }))
}

async fn typing(
    ports: Ports<'_>,
    speech: Speech<'_>,
    conversation: &ConversationId,
    is_typing: bool,
) -> Result<Value, Error> {
    let user_id = &speech.identity.user_id;
    ports.chat.circles().of(conversation, user_id).await?;
    let event = ServerEvent::Typing { conversation_id: conversation, user_id, is_typing };
    ports.chat.fanout.to_room(conversation, user_id, &event, speech.event.now).await;
    Ok(json!({ "conversationId": conversation, "isTyping": is_typing }))
}

async fn read(
    ports: Ports<'_>,
    speech: Speech<'_>,
    conversation: &ConversationId,
    message: &MessageId,
) -> Result<Value, Error> {
    let user = &speech.identity.user_id;
    let (message, listed) = visible(&ports.chat, user, message).await?;
    if message.conversation_id != *conversation {
        return Err(Error::NotFound("the message"));
    }
    let via = Some(speech.connection);
    let done = mark_read(&ports.chat, user, via, &listed, message.seq, speech.event.now).await?;
    Ok(json!(done))
}

async fn again(ports: Ports<'_>, speech: Speech<'_>, seen: &LastSeq) -> Result<Value, Error> {
    let connection = ports.chat.fanout.connections.get(speech.connection).await?;
    let connection = connection.ok_or(Error::NotFound("the connection"))?;
    let done = replay::replay(ports, &connection, &speech.identity.user_id, seen).await?;
    Ok(json!({ "replayed": done.replayed, "more": done.more }))
}
