//! After a reconnect: the messages that came after what the client has seen, as the events it missed.

use std::time::Duration;

use shared::connection::Connection;
use shared::error::Error;
use shared::id::UserId;
use shared::message::{Message, Span};
use shared::ports::{Push, PushError};
use shared::realtime::client_event::LastSeq;
use shared::realtime::event::ServerEvent;

use crate::{Id, Ports};

/// How many messages are read at once.
const PAGE: u32 = 100;
/// How many one replay pushes, within the function's timeout; it then says where the next one goes on.
const MOST: u64 = 500;
/// Pauses while the client reads more slowly than it is told. Together about 2 s.
const PAUSES_MS: [u64; 6] = [20, 50, 100, 250, 500, 1_000];

/// What a replay came to.
#[derive(Debug, Default)]
pub(crate) struct Replayed {
    /// Messages that were pushed.
    pub(crate) replayed: u64,
    /// Where more wait: the `lastSeq` for the next replay. Empty when the client has heard everything.
    pub(crate) more: LastSeq,
}

/// Pushes what came after each place, oldest first and one after the other: what was pushed has no hole.
/// Conversations of others are passed over in silence.
pub(crate) async fn replay(
    ports: Ports<'_>,
    connection: &Connection,
    user: &UserId,
    seen: &LastSeq,
) -> Result<Replayed, Error> {
    let mut done = Replayed::default();
    let mut takes_more = true;
    for (conversation, seq) in seen {
        match ports.chat.circles().of(conversation, user).await {
            Ok(_) => {}
            Err(Error::NotFound(_)) => continue,
            Err(error) => return Err(error),
        }
        let mut seq = *seq;
        let mut left = true;
        while takes_more && left {
            let page = ports.chat.messages.page(conversation, Span::After(seq), PAGE).await?;
            left = page.len() == PAGE as usize;
            for message in &page {
                takes_more = done.replayed < MOST && arrives(ports, connection, user, message).await;
                if !takes_more {
                    left = true;
                    break;
                }
                seq = message.seq;
                done.replayed += 1;
            }
        }
        if left {
            done.more.insert(conversation.clone(), seq);
        }
    }
    Ok(done)
}

/// Whether the message was taken.
async fn arrives(ports: Ports<'_>, connection: &Connection, user: &UserId, message: &Message) -> bool {
    let event = if message.sender_id == *user {
        ServerEvent::MessageSent { message }
    } else {
        ServerEvent::MessageReceived { message }
    };
    let frame = connection.dialect.event(event.name(), &event);
    push_patiently(ports.chat.fanout.push, &connection.id, &frame).await.is_ok()
}

async fn push_patiently(push: &dyn Push, id: &Id, frame: &str) -> Result<(), PushError> {
    for pause in PAUSES_MS {
        match push.send(id, frame).await {
            Err(PushError::Busy) => tokio::time::sleep(Duration::from_millis(pause)).await,
            answered => return answered,
        }
    }
    push.send(id, frame).await
}
