//! The embedded store with faults: a call may fail so many times, and something may happen before it.

use std::collections::BTreeMap;
use std::sync::Mutex;

use adapter_embedded::Embedded;
use async_trait::async_trait;
use futures::future::BoxFuture;
use shared::auto_message::AutoMessage;
use shared::connection::{AttachOutcome, Connection, EndedConnection, Identity, Receiver};
use shared::error::StoreError;
use shared::id::{AutoMessageId, ConnectionId, ConversationId, MessageId, SessionId, UserId};
use shared::message::{Appended, Draft, Message, SeqRange};
use shared::ports::{AutoMessages, Connections, Messages, Outbox, OutboxMessage, StoreResult};
use shared::time::Time;

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The store does not answer, before it did anything.
    Down,
    /// It answers nonsense.
    Corrupt,
    /// It did what it was asked, and the answer is lost.
    AnswerLost,
}

type Meanwhile<'a> = BoxFuture<'a, ()>;

/// The store behind faults.
pub(super) struct Faulty<'a> {
    store: &'a Embedded,
    faults: Mutex<BTreeMap<&'static str, (u32, Fault)>>,
    meanwhile: Mutex<BTreeMap<&'static str, Meanwhile<'a>>>,
}

impl<'a> Faulty<'a> {
    pub(super) fn over(store: &'a Embedded) -> Self {
        Self { store, faults: Mutex::default(), meanwhile: Mutex::default() }
    }

    /// The next `times` calls of this name fail.
    pub(super) fn failing(self, call: &'static str, times: u32, fault: Fault) -> Self {
        self.faults.lock().unwrap().insert(call, (times, fault));
        self
    }

    /// Before the next call of this name, something else happens.
    pub(super) fn before(self, call: &'static str, what: Meanwhile<'a>) -> Self {
        self.meanwhile.lock().unwrap().insert(call, what);
        self
    }

    async fn faced<T>(
        &self,
        call: &'static str,
        work: impl Future<Output = StoreResult<T>> + Send,
    ) -> StoreResult<T> {
        let meanwhile = self.meanwhile.lock().unwrap().remove(call);
        if let Some(meanwhile) = meanwhile {
            meanwhile.await;
        }
        match self.next(call) {
            None => work.await,
            Some(Fault::Down) => Err(StoreError::down("a test", "the cable was cut")),
            Some(Fault::Corrupt) => Err(StoreError::Corrupt("a test", "gibberish".into())),
            Some(Fault::AnswerLost) => {
                work.await?;
                Err(StoreError::down("a test", "the answer was lost"))
            }
        }
    }

    fn next(&self, call: &'static str) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap();
        let (left, fault) = faults.get_mut(call)?;
        *left = left.checked_sub(1)?;
        Some(*fault)
    }
}

#[async_trait]
impl AutoMessages for Faulty<'_> {
    async fn plan(&self, rows: &[AutoMessage]) -> StoreResult<u64> {
        self.faced("plan", self.store.plan(rows)).await
    }

    async fn planned_users(&self, day: &str, users: &[UserId]) -> StoreResult<Vec<UserId>> {
        self.faced("planned", self.store.planned_users(day, users)).await
    }

    async fn claim(&self, now: Time, lease_until: Time, limit: u32) -> StoreResult<Vec<AutoMessage>> {
        self.faced("claim", self.store.claim(now, lease_until, limit)).await
    }

    async fn mark_queued(&self, ids: &[AutoMessageId]) -> StoreResult<()> {
        self.faced("queued", self.store.mark_queued(ids)).await
    }

    async fn get(&self, id: &AutoMessageId) -> StoreResult<Option<AutoMessage>> {
        self.faced("get", AutoMessages::get(self.store, id)).await
    }

    async fn mark_sent(&self, id: &AutoMessageId) -> StoreResult<()> {
        self.faced("sent", self.store.mark_sent(id)).await
    }

    async fn backlog(&self, now: Time) -> StoreResult<u64> {
        self.faced("backlog", self.store.backlog(now)).await
    }
}

#[async_trait]
impl Outbox for Faulty<'_> {
    async fn publish(&self, queue: &str, messages: &[OutboxMessage]) -> StoreResult<()> {
        self.faced("publish", self.store.publish(queue, messages)).await
    }

    async fn retry_later(&self, queue: &str, message: &OutboxMessage) -> StoreResult<()> {
        self.faced("retry_later", self.store.retry_later(queue, message)).await
    }

    async fn dead_letter(&self, queue: &str, message: &OutboxMessage, reason: &str) -> StoreResult<()> {
        self.faced("bury", self.store.dead_letter(queue, message, reason)).await
    }
}

#[async_trait]
impl Messages for Faulty<'_> {
    async fn append(&self, draft: &Draft) -> StoreResult<Appended> {
        self.faced("append", self.store.append(draft)).await
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
impl Connections for Faulty<'_> {
    async fn open(&self, connection: &Connection) -> StoreResult<()> {
        Connections::open(self.store, connection).await
    }

    async fn get(&self, id: &ConnectionId) -> StoreResult<Option<Connection>> {
        Connections::get(self.store, id).await
    }

    async fn attach(
        &self,
        id: &ConnectionId,
        identity: &Identity,
        lease_until: Time,
    ) -> StoreResult<AttachOutcome> {
        self.store.attach(id, identity, lease_until).await
    }

    async fn end(&self, id: &ConnectionId, now: Time) -> StoreResult<Option<EndedConnection>> {
        Connections::end(self.store, id, now).await
    }

    async fn of_users(&self, users: &[UserId]) -> StoreResult<Vec<Receiver>> {
        self.faced("of_users", self.store.of_users(users)).await
    }

    async fn of_session(&self, session: &SessionId) -> StoreResult<Vec<Receiver>> {
        self.store.of_session(session).await
    }

    async fn all_attached(&self, after: Option<&ConnectionId>, limit: u32) -> StoreResult<Vec<Receiver>> {
        self.store.all_attached(after, limit).await
    }
}
