//! Runs each client event: one rule of `shared` each; the result is the ack's data.

use serde::Serialize;
use serde_json::Value;
use shared::auth::Requester;
use shared::chat::{Sender, delete, edit, mark_read, send, visible_message};
use shared::connection::Identity;
use shared::error::Error;
use shared::id::{ConnectionId, ConversationId, MessageId};
use shared::lambda::websocket::SocketEvent;
use shared::message::SendRequest;
use shared::realtime::client_event::{ClientEvent, LastSeq};
use shared::realtime::event::ServerEvent;
use shared::reply_data::{JoinData, LeaveData, MessageData, OnlineUsersData, TypingData};

use crate::{Ports, replay};

/// The connection, the user and the invocation of a client event.
#[derive(Clone, Copy)]
pub(crate) struct EventContext<'a> {
    pub(crate) connection: &'a ConnectionId,
    pub(crate) identity: &'a Identity,
    pub(crate) event: &'a SocketEvent,
}

impl EventContext<'_> {
    fn requester(&self) -> Requester<'_> {
        self.event.requester().of_session(&self.identity.user_id, &self.identity.session_id)
    }
}

/// Parses and runs one event; returns the ack's data.
pub(crate) async fn run(
    ports: Ports<'_>,
    context: EventContext<'_>,
    name: &str,
    payload: Value,
) -> Result<Value, Error> {
    let (user, now) = (&context.identity.user_id, context.event.now);
    let via = Some(context.connection);
    match ClientEvent::parse(name, payload)? {
        ClientEvent::Join(room) => join(ports, context, &room).await,
        ClientEvent::Leave(room) => leave(ports, context, &room).await,
        ClientEvent::Send(request) => send_message(ports, context, request).await,
        ClientEvent::Typing { conversation, is_typing } => {
            typing(ports, context, &conversation, is_typing).await
        }
        ClientEvent::Read { conversation, message } => read(ports, context, &conversation, &message).await,
        ClientEvent::Edit { message, content } => {
            let message = edit(&ports.chat.for_changes(), user, via, &message, &content, now).await?;
            data(MessageData { message })
        }
        ClientEvent::Delete(message) => {
            let message = delete(&ports.chat.for_changes(), user, via, &message, now).await?;
            data(MessageData { message })
        }
        ClientEvent::OnlineUsers => {
            let user_ids = ports.presence.online().await?;
            data(OnlineUsersData { count: user_ids.len(), user_ids })
        }
        ClientEvent::Replay(last_seq) => replay_messages(ports, context, &last_seq).await,
    }
}

fn data(data: impl Serialize) -> Result<Value, Error> {
    serde_json::to_value(data).map_err(|error| Error::Internal(Box::new(error)))
}

async fn join(ports: Ports<'_>, context: EventContext<'_>, room: &ConversationId) -> Result<Value, Error> {
    let conversations = ports.chat.members.conversations;
    let found = conversations.for_member(room, &context.identity.user_id).await?;
    let conversation = found.ok_or(Error::NotFound("the conversation"))?.conversation;
    ports.chat.fanout.rooms.join(room, context.connection).await?;
    data(JoinData {
        members: conversation.member_ids(),
        conversation_id: conversation.id,
        last_seq: conversation.last_seq,
    })
}

async fn leave(ports: Ports<'_>, context: EventContext<'_>, room: &ConversationId) -> Result<Value, Error> {
    ports.chat.members.get(room, &context.identity.user_id).await?;
    ports.chat.fanout.rooms.leave(room, context.connection).await?;
    data(LeaveData { conversation_id: room.clone() })
}

async fn send_message(
    ports: Ports<'_>,
    context: EventContext<'_>,
    request: SendRequest,
) -> Result<Value, Error> {
    let (gate, user_id) = (ports.gate, &context.identity.user_id);
    gate.take("send", user_id.as_str(), gate.rates.send_by_user, context.requester()).await?;
    let sender = Sender {
        user_id,
        via: Some(context.connection),
        now: context.event.now,
        entropy: &context.event.entropy,
    };
    data(MessageData { message: send(&ports.chat, sender, request).await?.message })
}

async fn typing(
    ports: Ports<'_>,
    context: EventContext<'_>,
    conversation: &ConversationId,
    is_typing: bool,
) -> Result<Value, Error> {
    let user_id = &context.identity.user_id;
    ports.chat.members.get(conversation, user_id).await?;
    let event = ServerEvent::Typing { conversation_id: conversation, user_id, is_typing };
    ports.chat.fanout.to_room(conversation, user_id, &event, context.event.now).await;
    data(TypingData { conversation_id: conversation.clone(), is_typing })
}

async fn read(
    ports: Ports<'_>,
    context: EventContext<'_>,
    conversation: &ConversationId,
    message: &MessageId,
) -> Result<Value, Error> {
    let (user, reading) = (&context.identity.user_id, ports.chat.for_reading());
    let (message, found) = visible_message(&reading, user, message).await?;
    if message.conversation_id != *conversation {
        return Err(Error::NotFound("the message"));
    }
    let via = Some(context.connection);
    let marked = mark_read(&reading, user, via, &found, message.seq, context.event.now).await?;
    data(marked)
}

async fn replay_messages(
    ports: Ports<'_>,
    context: EventContext<'_>,
    last_seq: &LastSeq,
) -> Result<Value, Error> {
    let connection = ports.chat.fanout.connections.get(context.connection).await?;
    let connection = connection.ok_or(Error::NotFound("the connection"))?;
    let (user, now) = (&context.identity.user_id, context.event.now);
    let outcome = replay::replay(ports, &connection, user, last_seq, now).await?;
    data(outcome)
}
