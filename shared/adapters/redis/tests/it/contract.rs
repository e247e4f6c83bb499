//! The shared contract suite, one test per port.

use std::sync::Arc;

use adapter_redis::Redis;
use shared::contract::{self, Lines};

use crate::test_redis::TestRedis;

/// The adapter under its own prefix. Its keys are deleted when the `TestRedis` is dropped.
fn subject() -> Option<(Arc<Redis>, TestRedis)> {
    let server = TestRedis::new()?;
    Some((Arc::new(server.adapter()), server))
}

fn lines(redis: &Arc<Redis>) -> Lines {
    Lines {
        connections: redis.clone(),
        rooms: redis.clone(),
        heartbeats: redis.clone(),
        presence: redis.clone(),
        last_seen: redis.clone(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_satisfy_the_contract() {
    let Some((redis, _server)) = subject() else { return };
    contract::hold("sessions", "redis", contract::sessions(), redis).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rate_limits_satisfy_the_contract() {
    let Some((redis, _server)) = subject() else { return };
    contract::hold("rate limits", "redis", contract::rate_limits(), redis).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_satisfy_the_contract() {
    let Some((redis, server)) = subject() else { return };
    contract::hold("connections", "redis", contract::connections(), lines(&redis)).await;
    assert_eq!(server.keys(), Vec::<String>::new(), "a case did not end its connections");
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_satisfy_the_contract() {
    let Some((redis, server)) = subject() else { return };
    contract::hold("rooms", "redis", contract::rooms(), lines(&redis)).await;
    assert_eq!(server.keys(), Vec::<String>::new(), "a case did not end its connections");
}

#[tokio::test(flavor = "multi_thread")]
async fn heartbeats_satisfy_the_contract() {
    let Some((redis, server)) = subject() else { return };
    contract::hold("heartbeats", "redis", contract::heartbeats(), lines(&redis)).await;
    assert_eq!(server.keys(), Vec::<String>::new(), "a case did not end its connections");
}

#[tokio::test(flavor = "multi_thread")]
async fn presence_satisfies_the_contract() {
    let Some((redis, server)) = subject() else { return };
    contract::hold("presence", "redis", contract::presence(), lines(&redis)).await;
    assert_eq!(server.keys(), Vec::<String>::new(), "a case did not end its connections");
}

#[tokio::test(flavor = "multi_thread")]
async fn last_seen_satisfies_the_contract() {
    let Some((redis, _server)) = subject() else { return };
    contract::hold("last_seen", "redis", contract::last_seen(), lines(&redis)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cache_satisfies_the_contract() {
    let Some((redis, _server)) = subject() else { return };
    contract::hold("cache", "redis", contract::cache(), redis).await;
}
