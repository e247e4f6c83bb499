//! The contract suite of each port, run on this adapter.

use std::sync::Arc;

use adapter_redis::Redis;
use test_support::contract::{self, PresencePorts};

use crate::test_redis::TestRedis;

/// The adapter under its own prefix; its keys are deleted when the second value is dropped.
fn subject() -> Option<(Arc<Redis>, TestRedis)> {
    let server = TestRedis::new()?;
    Some((Arc::new(server.adapter()), server))
}

fn presence_ports(redis: &Arc<Redis>) -> PresencePorts {
    PresencePorts {
        connections: redis.clone(),
        rooms: redis.clone(),
        heartbeats: redis.clone(),
        presence: redis.clone(),
        last_seen: redis.clone(),
        changes: redis.clone(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_satisfy_the_contract() {
    let Some((redis, _server)) = subject() else { return };
    contract::verify("sessions", "redis", contract::sessions(), redis).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rate_limits_satisfy_the_contract() {
    let Some((redis, _server)) = subject() else { return };
    contract::verify("rate limits", "redis", contract::rate_limits(), redis).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn known_addresses_satisfy_the_contract() {
    let Some((redis, _server)) = subject() else { return };
    contract::verify("known addresses", "redis", contract::known_addresses(), redis).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_satisfy_the_contract() {
    let Some((redis, server)) = subject() else { return };
    contract::verify("connections", "redis", contract::connections(), presence_ports(&redis)).await;
    assert_eq!(server.keys(), Vec::<String>::new(), "every case ends its connections");
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_satisfy_the_contract() {
    let Some((redis, server)) = subject() else { return };
    contract::verify("rooms", "redis", contract::rooms(), presence_ports(&redis)).await;
    assert_eq!(server.keys(), Vec::<String>::new(), "every case ends its connections");
}

#[tokio::test(flavor = "multi_thread")]
async fn heartbeats_satisfy_the_contract() {
    let Some((redis, server)) = subject() else { return };
    contract::verify("heartbeats", "redis", contract::heartbeats(), presence_ports(&redis)).await;
    assert_eq!(server.keys(), Vec::<String>::new(), "every case ends its connections");
}

#[tokio::test(flavor = "multi_thread")]
async fn presence_satisfies_the_contract() {
    let Some((redis, server)) = subject() else { return };
    contract::verify("presence", "redis", contract::presence(), presence_ports(&redis)).await;
    assert_eq!(server.keys(), Vec::<String>::new(), "every case ends its connections");
}

#[tokio::test(flavor = "multi_thread")]
async fn presence_changes_satisfy_the_contract() {
    let Some((redis, server)) = subject() else { return };
    let ports = presence_ports(&redis);
    contract::verify("presence changes", "redis", contract::presence_changes(), ports).await;
    assert_eq!(server.keys(), Vec::<String>::new(), "every case ends its connections");
}

#[tokio::test(flavor = "multi_thread")]
async fn last_seen_satisfies_the_contract() {
    let Some((redis, _server)) = subject() else { return };
    contract::verify("last_seen", "redis", contract::last_seen(), presence_ports(&redis)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn member_cache_satisfies_the_contract() {
    let Some((redis, _server)) = subject() else { return };
    contract::verify("member_cache", "redis", contract::member_cache(), redis).await;
}
