//! `message_sending_queue` — stores the message of each job exactly once and announces it to both users.

use std::collections::HashSet;

use futures::future::{BoxFuture, FutureExt as _};
use futures::stream::{self, StreamExt as _};
use shared::auto_message::SendingJob;
use shared::chat::{ChatPorts, DirectRequest, announce, ensure_direct};
use shared::conversation::Members;
use shared::error::Error;
use shared::id::{AutoMessageId, MessageId, UserId};
use shared::lambda::queue::{Batch, Delivery, Outcome, settle};
use shared::message::{Appended, Content, Draft, MessageKind};
use shared::ports::{AutoMessages, Outbox};

/// How many jobs of a batch run at once.
const AT_ONCE: usize = 16;

/// The ports of the consumer.
#[derive(Clone, Copy)]
pub struct Ports<'a> {
    pub auto_messages: &'a dyn AutoMessages,
    pub outbox: &'a dyn Outbox,
    pub chat: ChatPorts<'a>,
}

/// Handles a batch; failed jobs are retried or dead-lettered by [`settle`]. A redelivered batch repeats nothing
/// that was done before.
///
/// # Errors
/// `Unavailable`.
pub async fn handle(ports: Ports<'_>, batch: Batch) -> Result<(), Error> {
    let jobs: Vec<BoxFuture<'_, Outcome<'_>>> = distinct(&batch)
        .into_iter()
        .map(|(delivery, job)| run(ports, &batch, delivery, job).boxed())
        .collect();
    let outcomes: Vec<Outcome<'_>> = stream::iter(jobs).buffer_unordered(AT_ONCE).collect().await;
    settle(ports.outbox, outcomes).await
}

/// The deliveries with their jobs, without repeats: a job that was published twice may be in a batch twice, and
/// running both at once would announce its message twice.
fn distinct(batch: &Batch) -> Vec<(&Delivery, Option<SendingJob>)> {
    let mut seen = HashSet::new();
    let read = batch
        .deliveries
        .iter()
        .map(|delivery| (delivery, serde_json::from_slice::<SendingJob>(&delivery.body).ok()));
    read.filter(|(_, job)| job.as_ref().is_none_or(|job| seen.insert(job.auto_message_id.clone()))).collect()
}

async fn run<'b>(
    ports: Ports<'_>,
    batch: &Batch,
    delivery: &'b Delivery,
    job: Option<SendingJob>,
) -> Outcome<'b> {
    let result = match job {
        Some(job) => deliver(ports, batch, &job.auto_message_id).await,
        None => Err(Error::InvalidJson),
    };
    (delivery, result)
}

/// Stores the message under the AutoMessage's key, announces it, and marks the row as sent last: after a crash in
/// between, the next delivery announces it again. The content comes from the planned row, not from the job.
async fn deliver(ports: Ports<'_>, batch: &Batch, id: &AutoMessageId) -> Result<(), Error> {
    let planned = ports.auto_messages.get(id).await?.ok_or(Error::NotFound("the automatic message"))?;
    if planned.is_sent {
        return Ok(());
    }
    let chat = &ports.chat;
    require_active(chat, &planned.sender_id).await?;
    let direct = DirectRequest {
        caller: &planned.sender_id,
        other: &planned.receiver_id,
        field: "receiverId",
        now: batch.now,
        entropy: &batch.entropy,
    };
    let (conversation, _) = ensure_direct(chat.users, chat.members.conversations, direct).await?;
    let draft = Draft {
        id: MessageId::fresh(batch.now, &batch.entropy),
        conversation_id: conversation.id.clone(),
        sender_id: planned.sender_id.clone(),
        content: Content::parse(&planned.content).map_err(|error| Error::field("content", error))?,
        kind: MessageKind::Auto,
        client_message_id: None,
        auto_message_id: Some(planned.id.clone()),
        created_at: batch.now,
    };
    let (Appended::Created(message) | Appended::Duplicate(message)) = chat.messages.append(&draft).await?;
    announce(&chat.fanout, &Members::from(&conversation), &message, None, batch.now).await?;
    Ok(ports.auto_messages.mark_sent(&planned.id).await?)
}

/// Refuses a sender that was deactivated or deleted after the planning.
async fn require_active(chat: &ChatPorts<'_>, sender: &UserId) -> Result<(), Error> {
    let found = chat.users.by_ids(std::slice::from_ref(sender)).await?;
    match found.iter().any(|user| user.deactivated_at.is_none()) {
        true => Ok(()),
        false => Err(Error::field("senderId", "is not a user")),
    }
}
