//! Replay after a reconnect: the messages that follow what the client has received, as events.

use std::time::Duration;

use shared::connection::Connection;
use shared::error::Error;
use shared::id::{ConnectionId, UserId};
use shared::message::{Message, SeqRange};
use shared::ports::{Push, PushError};
use shared::realtime::client_event::LastSeq;
use shared::realtime::event::ServerEvent;
use shared::reply_data::ReplayData;
use shared::time::Time;

use crate::{Frame, Ports};

/// What a page costs, compared with a frame.
const COST_PER_PAGE: u32 = 10;
/// How many messages are read from the store at once.
const PAGE: u32 = 100;
/// The most messages of one replay, so that it ends within the function's timeout.
const MAX_MESSAGES: u64 = 500;
/// Pauses between attempts while the client's send buffer is full; about 2 s together.
const PAUSES_MS: [u64; 6] = [20, 50, 100, 250, 500, 1_000];

/// Lowers each `seq` to before a message that a client of this user is known to miss. A client reports the highest
/// `seq` it has, and two messages that are pushed at the same time may arrive in either order: it may have the later
/// one and miss the earlier one.
pub(crate) async fn before_missed(
    frame: Frame<'_>,
    user: &UserId,
    mut last_seq: LastSeq,
) -> Result<LastSeq, Error> {
    if last_seq.is_empty() {
        return Ok(last_seq);
    }
    for (conversation, missed) in frame.ports.chat.fanout.connections.missed(user, frame.event.now).await? {
        if let Some(seq) = last_seq.get_mut(&conversation) {
            *seq = (*seq).min(missed.saturating_sub(1));
        }
    }
    Ok(last_seq)
}

/// Pushes the messages that follow each `seq`, oldest first and one at a time, so that the pushed part has no
/// hole. Conversations that the user is no member of are skipped. A replay ends early when the user's limit is used up:
/// each conversation costs one, and each page that is read ten.
pub(crate) async fn replay(
    ports: Ports<'_>,
    connection: &Connection,
    user: &UserId,
    last_seq: &LastSeq,
    now: Time,
) -> Result<ReplayData, Error> {
    let mut outcome = ReplayData { replayed: 0, more: LastSeq::new() };
    let mut has_room = true;
    for (conversation, seq) in last_seq {
        has_room = has_room && ports.spend(user, 1, now).await?;
        if !has_room {
            outcome.more.insert(conversation.clone(), *seq);
            continue;
        }
        match ports.chat.members.get(conversation, user).await {
            Ok(_) => {}
            Err(Error::NotFound(_)) => continue,
            Err(error) => return Err(error),
        }
        let mut seq = *seq;
        let mut left = true;
        while has_room && left {
            has_room = ports.spend(user, COST_PER_PAGE, now).await?;
            if !has_room {
                break;
            }
            let page = ports.chat.messages.page(conversation, SeqRange::After(seq), PAGE).await?;
            left = page.len() == PAGE as usize;
            for message in &page {
                has_room =
                    outcome.replayed < MAX_MESSAGES && push_message(ports, connection, user, message).await;
                if !has_room {
                    left = true;
                    break;
                }
                seq = message.seq;
                outcome.replayed += 1;
            }
        }
        if left {
            outcome.more.insert(conversation.clone(), seq);
        }
    }
    Ok(outcome)
}

impl Ports<'_> {
    /// Takes from the user's limit. `false` when too little is left.
    async fn spend(&self, user: &UserId, cost: u32, now: Time) -> Result<bool, Error> {
        self.gate.try_spend("events", user.as_str(), cost, self.gate.rates.events_by_user, now).await
    }
}

/// Whether the push was accepted.
async fn push_message(ports: Ports<'_>, connection: &Connection, user: &UserId, message: &Message) -> bool {
    let event = if message.sender_id == *user {
        ServerEvent::MessageSent { message }
    } else {
        ServerEvent::MessageReceived { message }
    };
    let frame = connection.dialect.event(event.name(), &event);
    push_with_pauses(ports.chat.fanout.push, &connection.id, &frame).await.is_ok()
}

async fn push_with_pauses(push: &dyn Push, id: &ConnectionId, frame: &str) -> Result<(), PushError> {
    for pause in PAUSES_MS {
        match push.send(id, frame).await {
            Err(PushError::Busy) => tokio::time::sleep(Duration::from_millis(pause)).await,
            answered => return answered,
        }
    }
    push.send(id, frame).await
}
