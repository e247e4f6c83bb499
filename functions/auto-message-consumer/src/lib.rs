//! `message_sending_queue` — turns each job into a Message, once, and announces it to the receiver.

use std::collections::HashSet;

use futures::future::{BoxFuture, FutureExt as _};
use futures::stream::{self, StreamExt as _};
use shared::auto_message::Job;
use shared::conversation::Circle;
use shared::error::Error;
use shared::id::{AutoMessageId, MessageId, UserId};
use shared::lambda::queue::{Batch, Delivery, Outcome, settle};
use shared::message::send::{Chat, Pair, announce, direct};
use shared::message::{Appended, Content, Draft, MessageKind};
use shared::ports::{AutoMessages, Outbox};

/// How many jobs of a batch are under way at once.
const AT_ONCE: usize = 16;

/// What the consumer may touch.
#[derive(Clone, Copy)]
pub struct Ports<'a> {
    /// The plan.
    pub auto_messages: &'a dyn AutoMessages,
    /// Where failed jobs wait or rest.
    pub outbox: &'a dyn Outbox,
    /// Where messages are written and announced.
    pub chat: Chat<'a>,
}

/// Works on a batch, as [`settle`] says. When it comes again whole, what was done by then is recognised.
///
/// # Errors
/// `Unavailable`.
pub async fn handle(ports: Ports<'_>, batch: Batch) -> Result<(), Error> {
    let jobs: Vec<BoxFuture<'_, Outcome<'_>>> = once_each(&batch)
        .into_iter()
        .map(|(delivery, job)| work(ports, &batch, delivery, job).boxed())
        .collect();
    let outcomes: Vec<Outcome<'_>> = stream::iter(jobs).buffer_unordered(AT_ONCE).collect().await;
    settle(ports.outbox, outcomes).await
}

/// The deliveries with their jobs, each job once: one that was published twice may stand in a batch twice, and
/// working on both at once would announce it twice.
fn once_each(batch: &Batch) -> Vec<(&Delivery, Option<Job>)> {
    let mut seen = HashSet::new();
    let read = batch
        .deliveries
        .iter()
        .map(|delivery| (delivery, serde_json::from_slice::<Job>(&delivery.body).ok()));
    read.filter(|(_, job)| job.as_ref().is_none_or(|job| seen.insert(job.auto_message_id.clone()))).collect()
}

async fn work<'b>(ports: Ports<'_>, batch: &Batch, delivery: &'b Delivery, job: Option<Job>) -> Outcome<'b> {
    let result = match job {
        Some(job) => deliver(ports, batch, &job.auto_message_id).await,
        None => Err(Error::InvalidJson),
    };
    (delivery, result)
}

/// Writes the message under the AutoMessage's key and announces it. That it is marked as sent comes last:
/// a crash before lets the next delivery announce it, a repeat after finds it done. What is written is what
/// was planned, whatever the job says.
async fn deliver(ports: Ports<'_>, batch: &Batch, id: &AutoMessageId) -> Result<(), Error> {
    let planned = ports.auto_messages.get(id).await?.ok_or(Error::NotFound("the automatic message"))?;
    if planned.is_sent {
        return Ok(());
    }
    let chat = &ports.chat;
    still_there(chat, &planned.sender_id).await?;
    let pair = Pair { a: &planned.sender_id, b: &planned.receiver_id, field: "receiverId" };
    let (conversation, _) = direct(chat.users, chat.conversations, pair, batch.now, &batch.entropy).await?;
    let draft = Draft {
        id: MessageId::fresh(batch.now, &batch.entropy),
        conversation_id: conversation.id.clone(),
        sender_id: planned.sender_id,
        content: Content::parse(&planned.content).map_err(|wrong| Error::field("content", wrong))?,
        kind: MessageKind::Auto,
        client_message_id: None,
        auto_message_id: Some(planned.id.clone()),
        created_at: batch.now,
    };
    let (Appended::Fresh(message) | Appended::Repeat(message)) = chat.messages.append(&draft).await?;
    announce(chat, &Circle::from(&conversation), &message, None, batch.now).await?;
    Ok(ports.auto_messages.sent(&planned.id).await?)
}

/// Nobody speaks in the name of somebody who has left since the planning.
async fn still_there(chat: &Chat<'_>, sender: &UserId) -> Result<(), Error> {
    let found = chat.users.by_ids(std::slice::from_ref(sender)).await?;
    match found.iter().any(|user| user.deactivated_at.is_none()) {
        true => Ok(()),
        false => Err(Error::field("senderId", "is not a user")),
    }
}
