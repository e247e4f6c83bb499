//! A search index in memory that fails on demand, and a document store whose messages it lacks.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use adapter_embedded::Embedded;
use async_trait::async_trait;
use shared::conversation::Conversation;
use shared::error::StoreError;
use shared::id::{ConversationId, Entropy, MessageId, UserId};
use shared::indexing::INDEXING_QUEUE;
use shared::lambda::queue::Delivery;
use shared::lambda::schedule::ScheduledRun;
use shared::message::{Content, Draft, MessageKind};
use shared::ports::{
    Conversations as _, IndexBacklog as _, Messages as _, SearchDocument, SearchIndexWriter, StoreResult,
};

use crate::fixture::NOW;

/// What the index does with a batch of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexState {
    Up,
    /// Every call fails as if the index were unreachable.
    Down,
    /// Refuses every batch with a message that contains `poison`.
    RefusingPoison,
}

/// An index in memory. It is up at first.
pub struct MemoryIndex {
    state: Mutex<IndexState>,
    contents: Mutex<BTreeMap<MessageId, String>>,
}

impl Default for MemoryIndex {
    fn default() -> Self {
        Self { state: Mutex::new(IndexState::Up), contents: Mutex::default() }
    }
}

impl MemoryIndex {
    pub fn set(&self, state: IndexState) {
        *self.state.lock().unwrap() = state;
    }

    /// The indexed contents in the order of their ids.
    pub fn contents(&self) -> Vec<String> {
        self.contents.lock().unwrap().values().cloned().collect()
    }
}

#[async_trait]
impl SearchIndexWriter for MemoryIndex {
    async fn prepare(&self) -> StoreResult<()> {
        match *self.state.lock().unwrap() {
            IndexState::Down => Err(StoreError::down("index", "it is down")),
            IndexState::Up | IndexState::RefusingPoison => Ok(()),
        }
    }

    async fn index(&self, messages: &[SearchDocument]) -> StoreResult<()> {
        self.prepare().await?;
        let refuses = *self.state.lock().unwrap() == IndexState::RefusingPoison;
        if refuses && messages.iter().any(|row| row.message.content.contains("poison")) {
            return Err(StoreError::Corrupt("index", "a message was refused".into()));
        }
        let rows = messages.iter().map(|row| (row.message.id.clone(), row.message.content.clone()));
        self.contents.lock().unwrap().extend(rows);
        Ok(())
    }
}

/// A document store with one conversation, and an index that is separate from it.
pub struct IndexFixture {
    pub store: Embedded,
    pub index: MemoryIndex,
    conversation: Conversation,
    entropy: Entropy,
}

impl IndexFixture {
    pub async fn new() -> Self {
        let users = [UserId::trusted("ada"), UserId::trusted("bob")];
        let new = Conversation::direct(ConversationId::trusted("c"), &users[0], &users[1], NOW);
        let store = Embedded::temporary().unwrap();
        let (conversation, _) = store.ensure_direct(&new).await.unwrap();
        Self { store, index: MemoryIndex::default(), conversation, entropy: Entropy::seeded(3) }
    }

    /// Stores a message, which then waits for the index.
    pub async fn append(&self, content: &str) -> MessageId {
        let draft = Draft {
            id: MessageId::fresh(NOW, &self.entropy),
            conversation_id: self.conversation.id.clone(),
            sender_id: UserId::trusted("ada"),
            content: Content::parse(content).unwrap(),
            kind: MessageKind::Text,
            client_message_id: None,
            auto_message_id: None,
            created_at: NOW,
        };
        self.store.append(&draft).await.unwrap();
        draft.id
    }

    /// A run of a schedule so many minutes after [`NOW`].
    pub fn run(&self, minutes: u64) -> ScheduledRun {
        let now = NOW + Duration::from_secs(60 * minutes);
        ScheduledRun { id: "a-run".to_owned(), now, entropy: self.entropy.clone(), budget: None }
    }

    /// The number of messages in the backlog, so many minutes after [`NOW`].
    pub async fn backlog(&self, minutes: u64) -> usize {
        self.store.waiting(NOW + Duration::from_secs(60 * minutes), 10_000).await.unwrap().len()
    }

    /// The jobs in the queue with the tags that settle them.
    pub async fn receive(&self) -> (Vec<u64>, Vec<Delivery>) {
        let received = self.store.receive(INDEXING_QUEUE, 100).await.unwrap();
        let tags = received.iter().map(|delivery| delivery.tag).collect();
        let deliveries = received.into_iter().map(|delivery| Delivery {
            queue: INDEXING_QUEUE.to_owned(),
            message_id: Some(delivery.message.id),
            body: delivery.message.body,
            attempt: delivery.message.attempt,
            redelivered: delivery.redelivered,
        });
        (tags, deliveries.collect())
    }

    /// The number of ready jobs in the queue, its `.retry` and its `.dead` queue.
    pub async fn depths(&self) -> [u64; 3] {
        let depths = self.store.depths().await.unwrap();
        let of =
            |name: String| depths.iter().find(|depth| depth.queue == name).map_or(0, |depth| depth.ready);
        ["", ".retry", ".dead"].map(|suffix| of(format!("{INDEXING_QUEUE}{suffix}")))
    }
}
