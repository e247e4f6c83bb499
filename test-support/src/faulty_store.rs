//! The embedded store with failures: a call may fail a number of times, and other work may run before it.

mod accounts;

use std::collections::BTreeMap;
use std::sync::Mutex;

use adapter_embedded::Embedded;
use async_trait::async_trait;
use futures::future::BoxFuture;
use shared::auto_message::AutoMessage;
use shared::connection::{AttachOutcome, Connection, EndedConnection, Receiver};
use shared::error::StoreError;
use shared::id::{AutoMessageId, ConnectionId, ConversationId, MessageId, SessionId, UserId};
use shared::message::{Appended, Draft, Message, SeqRange};
use shared::ports::{Attachment, AutoMessages, Connections, Messages, Outbox, OutboxMessage, StoreResult};
use shared::time::Time;

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallFailure {
    /// The store does not answer and does nothing.
    Unreachable,
    /// The store returns unreadable data.
    Corrupt,
    /// The store does the work, but its answer is lost.
    ReplyLost,
}

/// The store with failures. Calls are named as the ports' methods; those of sessions are `open_session`, `end_session`,
/// `end_all` and `rotate`.
pub struct FaultyStore<'a> {
    store: &'a Embedded,
    failures: Mutex<BTreeMap<&'static str, (u32, CallFailure)>>,
    before: Mutex<BTreeMap<&'static str, BoxFuture<'a, ()>>>,
}

impl<'a> FaultyStore<'a> {
    pub fn new(store: &'a Embedded) -> Self {
        Self { store, failures: Mutex::default(), before: Mutex::default() }
    }

    /// Fails the next `times` calls with this name.
    #[must_use]
    pub fn failing(self, call: &'static str, times: u32, failure: CallFailure) -> Self {
        self.failures.lock().unwrap().insert(call, (times, failure));
        self
    }

    /// Runs other work before the next call with this name.
    #[must_use]
    pub fn before(self, call: &'static str, work: BoxFuture<'a, ()>) -> Self {
        self.before.lock().unwrap().insert(call, work);
        self
    }

    async fn call<T>(
        &self,
        name: &'static str,
        work: impl Future<Output = StoreResult<T>> + Send,
    ) -> StoreResult<T> {
        let before = self.before.lock().unwrap().remove(name);
        if let Some(before) = before {
            before.await;
        }
        match self.next_failure(name) {
            None => work.await,
            Some(CallFailure::Unreachable) => Err(StoreError::down("a test", "the cable was cut")),
            Some(CallFailure::Corrupt) => Err(StoreError::Corrupt("a test", "not readable".into())),
            Some(CallFailure::ReplyLost) => {
                work.await?;
                Err(StoreError::down("a test", "the answer was lost"))
            }
        }
    }

    fn next_failure(&self, name: &'static str) -> Option<CallFailure> {
        let mut failures = self.failures.lock().unwrap();
        let (left, failure) = failures.get_mut(name)?;
        *left = left.checked_sub(1)?;
        Some(*failure)
    }
}

#[async_trait]
impl AutoMessages for FaultyStore<'_> {
    async fn plan(&self, rows: &[AutoMessage]) -> StoreResult<u64> {
        self.call("plan", self.store.plan(rows)).await
    }

    async fn planned_users(&self, day: &str, users: &[UserId]) -> StoreResult<Vec<UserId>> {
        self.call("planned_users", self.store.planned_users(day, users)).await
    }

    async fn claim(&self, now: Time, lease_until: Time, limit: u32) -> StoreResult<Vec<AutoMessage>> {
        self.call("claim", self.store.claim(now, lease_until, limit)).await
    }

    async fn mark_queued(&self, ids: &[AutoMessageId]) -> StoreResult<()> {
        self.call("mark_queued", self.store.mark_queued(ids)).await
    }

    async fn get(&self, id: &AutoMessageId) -> StoreResult<Option<AutoMessage>> {
        self.call("get", AutoMessages::get(self.store, id)).await
    }

    async fn mark_sent(&self, id: &AutoMessageId) -> StoreResult<()> {
        self.call("mark_sent", self.store.mark_sent(id)).await
    }

    async fn backlog(&self, now: Time) -> StoreResult<u64> {
        self.call("backlog", self.store.backlog(now)).await
    }
}

#[async_trait]
impl Outbox for FaultyStore<'_> {
    async fn publish(&self, queue: &str, messages: &[OutboxMessage]) -> StoreResult<()> {
        self.call("publish", self.store.publish(queue, messages)).await
    }

    async fn retry_later(&self, queue: &str, message: &OutboxMessage) -> StoreResult<()> {
        self.call("retry_later", self.store.retry_later(queue, message)).await
    }

    async fn dead_letter(&self, queue: &str, message: &OutboxMessage, reason: &str) -> StoreResult<()> {
        self.call("dead_letter", self.store.dead_letter(queue, message, reason)).await
    }
}

#[async_trait]
impl Messages for FaultyStore<'_> {
    async fn append(&self, draft: &Draft) -> StoreResult<Appended> {
        self.call("append", self.store.append(draft)).await
    }

    async fn by_ids(&self, ids: &[MessageId]) -> StoreResult<Vec<Message>> {
        Messages::by_ids(self.store, ids).await
    }

    async fn page(
        &self,
        conversation: &ConversationId,
        span: SeqRange,
        limit: u32,
    ) -> StoreResult<Vec<Message>> {
        self.store.page(conversation, span, limit).await
    }

    async fn edit(&self, id: &MessageId, content: &str, at: Time) -> StoreResult<Option<Message>> {
        self.store.edit(id, content, at).await
    }

    async fn delete(&self, id: &MessageId, at: Time) -> StoreResult<Option<Message>> {
        self.store.delete(id, at).await
    }
}

#[async_trait]
impl Connections for FaultyStore<'_> {
    async fn open(&self, connection: &Connection, max_per_address: u32) -> StoreResult<bool> {
        Connections::open(self.store, connection, max_per_address).await
    }

    async fn get(&self, id: &ConnectionId) -> StoreResult<Option<Connection>> {
        Connections::get(self.store, id).await
    }

    async fn attach(&self, id: &ConnectionId, attachment: &Attachment<'_>) -> StoreResult<AttachOutcome> {
        self.store.attach(id, attachment).await
    }

    async fn end(&self, id: &ConnectionId, now: Time) -> StoreResult<Option<EndedConnection>> {
        Connections::end(self.store, id, now).await
    }

    async fn of_users(&self, users: &[UserId]) -> StoreResult<Vec<Receiver>> {
        self.call("of_users", self.store.of_users(users)).await
    }

    async fn of_session(&self, session: &SessionId) -> StoreResult<Vec<Receiver>> {
        self.call("of_session", self.store.of_session(session)).await
    }

    async fn sessions(&self, after: Option<&SessionId>, limit: u32) -> StoreResult<Vec<SessionId>> {
        self.store.sessions(after, limit).await
    }

    async fn note_missed(
        &self,
        user: &UserId,
        conversation: &ConversationId,
        seq: u64,
        now: Time,
    ) -> StoreResult<()> {
        self.store.note_missed(user, conversation, seq, now).await
    }

    async fn missed(&self, user: &UserId, now: Time) -> StoreResult<Vec<(ConversationId, u64)>> {
        self.store.missed(user, now).await
    }

    async fn all_attached(&self, after: Option<&ConnectionId>, limit: u32) -> StoreResult<Vec<Receiver>> {
        self.store.all_attached(after, limit).await
    }
}
