//! Every port's contract, each on a new store.

use std::sync::Arc;

use adapter_embedded::Embedded;
use async_trait::async_trait;
use shared::contract::{self, Broker, Chats, Lines, QueueView, Search, Waiting, hold};
use shared::ports::{Outbox, OutboxMessage, Probe, StoreResult};

const ADAPTER: &str = "embedded";

fn embedded() -> Arc<Embedded> {
    Arc::new(Embedded::temporary().unwrap())
}

fn chats(store: &Arc<Embedded>) -> Chats {
    Chats { conversations: store.clone(), messages: store.clone() }
}

fn lines() -> Lines {
    let store = embedded();
    Lines {
        connections: store.clone(),
        rooms: store.clone(),
        heartbeats: store.clone(),
        presence: store.clone(),
        last_seen: store,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_satisfy_the_contract() {
    hold("users", ADAPTER, contract::users(), embedded()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_satisfy_the_contract() {
    hold("sessions", ADAPTER, contract::sessions(), embedded()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rate_limits_satisfy_the_contract() {
    hold("rate_limits", ADAPTER, contract::rate_limits(), embedded()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn conversations_satisfy_the_contract() {
    hold("conversations", ADAPTER, contract::conversations(), chats(&embedded())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_satisfy_the_contract() {
    hold("messages", ADAPTER, contract::messages(), chats(&embedded())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn search_satisfies_the_contract() {
    let index = embedded();
    let subject = Search { chats: Some(chats(&index)), index, indexing: None };
    hold("search", ADAPTER, contract::search(), subject).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn index_backlog_satisfies_the_contract() {
    let store = embedded();
    let subject = Waiting { chats: chats(&store), index_backlog: store };
    hold("index_backlog", ADAPTER, contract::index_backlog(), subject).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn auto_messages_satisfy_the_contract() {
    hold("auto_messages", ADAPTER, contract::auto_messages(), embedded()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_satisfy_the_contract() {
    hold("connections", ADAPTER, contract::connections(), lines()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_satisfy_the_contract() {
    hold("rooms", ADAPTER, contract::rooms(), lines()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn heartbeats_satisfy_the_contract() {
    hold("heartbeats", ADAPTER, contract::heartbeats(), lines()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn presence_satisfies_the_contract() {
    hold("presence", ADAPTER, contract::presence(), lines()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn last_seen_satisfies_the_contract() {
    hold("last_seen", ADAPTER, contract::last_seen(), lines()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn member_cache_satisfies_the_contract() {
    hold("cache", ADAPTER, contract::cache(), embedded()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn outbox_satisfies_the_contract() {
    let store = embedded();
    let view = Arc::new(View(store.clone()));
    hold("outbox", ADAPTER, contract::outbox(), Broker { outbox: store as Arc<dyn Outbox>, view }).await;
}

#[tokio::test]
async fn probe_succeeds_when_the_store_is_healthy() {
    embedded().check().await.unwrap();
}

/// The consumer's side of the queue.
struct View(Arc<Embedded>);

#[async_trait]
impl QueueView for View {
    async fn declare(&self, _queue: &str) -> StoreResult<()> {
        Ok(())
    }

    async fn depth(&self, queue: &str) -> StoreResult<u64> {
        let depths = self.0.depths().await?;
        Ok(depths.into_iter().find(|depth| depth.queue == queue).map_or(0, |depth| depth.ready))
    }

    async fn drain(&self, queue: &str) -> StoreResult<Vec<OutboxMessage>> {
        let deliveries = self.0.receive(queue, 1_000).await?;
        let tags: Vec<u64> = deliveries.iter().map(|delivery| delivery.tag).collect();
        self.0.ack(&tags).await?;
        Ok(deliveries.into_iter().map(|delivery| delivery.message).collect())
    }
}
