//! A planned row between two connected users, and what the consumer makes of its job.

use adapter_embedded::Embedded;
use auto_message_consumer::Ports;
use shared::auto_message::{AutoMessage, SENDING_QUEUE};
use shared::chat::{ChatPorts, MemberLookup};
use shared::error::Error;
use shared::id::UserId;
use shared::lambda::queue::Delivery;
use shared::ports::AutoMessages;
use shared::realtime::fanout::Fanout;
use test_support::auto_messages::{NIGHT, connect, history_of, insert_users, plan_rows, time};
use test_support::events::batch;
use test_support::faulty_store::FaultyStore;
use test_support::fixture::PushRecorder;

/// Two users with an open connection each, and a row that is due at [`NIGHT`].
pub(crate) struct JobScenario {
    pub(crate) store: Embedded,
    pub(crate) pushes: PushRecorder,
    pub(crate) sender: UserId,
    pub(crate) receiver: UserId,
    pub(crate) row: AutoMessage,
}

/// What became of the row.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// How many events `message_received` the receiver's connection got.
    pub(crate) received: usize,
    /// How many messages the receiver's history contains.
    pub(crate) stored: usize,
    pub(crate) is_sent: bool,
}

impl Outcome {
    /// The message was stored once, announced once and marked as sent.
    pub(crate) const DELIVERED: Self = Self { received: 1, stored: 1, is_sent: true };
    pub(crate) const NOTHING: Self = Self { received: 0, stored: 0, is_sent: false };
}

impl JobScenario {
    pub(crate) async fn new() -> Self {
        let store = Embedded::temporary().unwrap();
        let users = insert_users(&store, 2).await;
        let row = plan_rows(&store, &users, 1, time(NIGHT)).await.remove(0);
        for user in &users {
            connect(&store, user, time(NIGHT)).await;
        }
        let [sender, receiver] = users.try_into().unwrap();
        Self { store, pushes: PushRecorder::default(), sender, receiver, row }
    }

    pub(crate) fn ports(&self) -> Ports<'_> {
        let chat = ChatPorts::over(&self.store, &self.store, &self.pushes);
        Ports { auto_messages: &self.store, outbox: &self.store, chat }
    }

    /// Runs the consumer.
    pub(crate) async fn consume(&self, deliveries: Vec<Delivery>) -> Result<(), Error> {
        auto_message_consumer::handle(self.ports(), batch(time(NIGHT), deliveries)).await
    }

    /// Runs the consumer over a store with failures.
    pub(crate) async fn consume_over(
        &self,
        store: &FaultyStore<'_>,
        deliveries: Vec<Delivery>,
    ) -> Result<(), Error> {
        let chat = ChatPorts {
            users: &self.store,
            members: MemberLookup::over(&self.store, &self.store),
            messages: store,
            fanout: Fanout { connections: store, rooms: &self.store, push: &self.pushes },
        };
        let ports = Ports { auto_messages: store, outbox: store, chat };
        auto_message_consumer::handle(ports, batch(time(NIGHT), deliveries)).await
    }

    pub(crate) async fn outcome(&self) -> Outcome {
        let row = AutoMessages::get(&self.store, &self.row.id).await.unwrap().unwrap();
        Outcome {
            received: self.pushes.messages(self.receiver.as_str(), "message_received").len(),
            stored: history_of(&self.store, &self.receiver).await.len(),
            is_sent: row.is_sent,
        }
    }

    /// The number of jobs in the retry queue.
    pub(crate) async fn retrying(&self) -> u64 {
        let depths = self.store.depths().await.unwrap();
        depths.iter().filter(|depth| depth.queue.ends_with(".retry")).map(|depth| depth.ready).sum()
    }

    /// The dead letters, as `(id, attempt, reason)`.
    pub(crate) async fn dead_letters(&self) -> Vec<(String, u32, String)> {
        let dead = self.store.dead_letters(SENDING_QUEUE, 100).await.unwrap();
        dead.into_iter().map(|d| (d.message.id, d.message.attempt, d.reason)).collect()
    }
}
