//! After a reconnect: the messages that came after what the client has seen, as the events it missed.

use serde_json::{Value, json};
use shared::connection::Connection;
use shared::error::Error;
use shared::id::UserId;
use shared::message::Span;
use shared::realtime::client_event::LastSeq;
use shared::realtime::event::ServerEvent;

use crate::Ports;
use crate::answer::tell;

/// How many messages of one conversation are replayed; who missed more reads the history.
const MOST: u32 = 100;

/// Pushes what came after each place, oldest first. Conversations of others are passed over in silence.
pub(crate) async fn replay(
    ports: Ports<'_>,
    connection: &Connection,
    user: &UserId,
    seen: &LastSeq,
) -> Result<Value, Error> {
    let mut missed: u64 = 0;
    for (conversation, seq) in seen {
        match ports.chat.circles().of(conversation, user).await {
            Ok(_) => {}
            Err(Error::NotFound(_)) => continue,
            Err(error) => return Err(error),
        }
        for message in ports.chat.messages.page(conversation, Span::After(*seq), MOST).await? {
            let message = &message;
            let event = if message.sender_id == *user {
                ServerEvent::MessageSent { message }
            } else {
                ServerEvent::MessageReceived { message }
            };
            tell(ports, &connection.id, &connection.dialect.event(event.name(), &event)).await;
            missed += 1;
        }
    }
    Ok(json!({ "replayed": missed }))
}
