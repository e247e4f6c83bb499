//! Every port's contract on a store of its own.

use std::sync::Arc;

use adapter_embedded::Embedded;
use async_trait::async_trait;
use shared::ports::{Outbox, OutboxMessage, Probe, StoreResult};
use test_support::contract::{
    self, BacklogPorts, DocumentPorts, PresencePorts, QueuePorts, QueueView, SearchPorts, verify,
};

const ADAPTER: &str = "embedded";

fn embedded() -> Arc<Embedded> {
    Arc::new(Embedded::temporary().unwrap())
}

fn document_ports(store: &Arc<Embedded>) -> DocumentPorts {
    DocumentPorts { conversations: store.clone(), messages: store.clone() }
}

fn presence_ports() -> PresencePorts {
    let store = embedded();
    PresencePorts {
        connections: store.clone(),
        rooms: store.clone(),
        heartbeats: store.clone(),
        presence: store.clone(),
        last_seen: store.clone(),
        changes: store,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_satisfy_the_contract() {
    verify("users", ADAPTER, contract::users(), embedded()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_satisfy_the_contract() {
    verify("sessions", ADAPTER, contract::sessions(), embedded()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rate_limits_satisfy_the_contract() {
    verify("rate_limits", ADAPTER, contract::rate_limits(), embedded()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn known_addresses_satisfy_the_contract() {
    verify("known_addresses", ADAPTER, contract::known_addresses(), embedded()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn conversations_satisfy_the_contract() {
    verify("conversations", ADAPTER, contract::conversations(), document_ports(&embedded())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_satisfy_the_contract() {
    verify("messages", ADAPTER, contract::messages(), document_ports(&embedded())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn search_satisfies_the_contract() {
    let index = embedded();
    let subject = SearchPorts { documents: Some(document_ports(&index)), index, writer: None };
    verify("search", ADAPTER, contract::search(), subject).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn index_backlog_satisfies_the_contract() {
    let store = embedded();
    let subject = BacklogPorts { documents: document_ports(&store), index_backlog: store };
    verify("index_backlog", ADAPTER, contract::index_backlog(), subject).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn auto_messages_satisfy_the_contract() {
    verify("auto_messages", ADAPTER, contract::auto_messages(), embedded()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_satisfy_the_contract() {
    verify("connections", ADAPTER, contract::connections(), presence_ports()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_satisfy_the_contract() {
    verify("rooms", ADAPTER, contract::rooms(), presence_ports()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn heartbeats_satisfy_the_contract() {
    verify("heartbeats", ADAPTER, contract::heartbeats(), presence_ports()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn presence_satisfies_the_contract() {
    verify("presence", ADAPTER, contract::presence(), presence_ports()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn presence_changes_satisfy_the_contract() {
    verify("presence_changes", ADAPTER, contract::presence_changes(), presence_ports()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn last_seen_satisfies_the_contract() {
    verify("last_seen", ADAPTER, contract::last_seen(), presence_ports()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn member_cache_satisfies_the_contract() {
    verify("member_cache", ADAPTER, contract::member_cache(), embedded()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn outbox_satisfies_the_contract() {
    let store = embedded();
    let view = Arc::new(View(store.clone()));
    verify("outbox", ADAPTER, contract::outbox(), QueuePorts { outbox: store as Arc<dyn Outbox>, view })
        .await;
}

#[tokio::test]
async fn probe_succeeds_when_the_store_is_healthy() {
    embedded().check().await.unwrap();
}

/// The queue's other end.
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
