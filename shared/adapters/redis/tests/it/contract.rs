//! The contract that every adapter is held to, one test per port.

use std::sync::Arc;

use adapter_redis::Redis;
use test_support::contract::{self, PresencePorts};

use crate::world::World;

/// The adapter in a world of its own, which is emptied when the second value goes.
fn subject() -> Option<(Arc<Redis>, World)> {
    let world = World::new()?;
    Some((Arc::new(world.adapter()), world))
}

fn presence_ports(redis: &Arc<Redis>) -> PresencePorts {
    PresencePorts {
        connections: redis.clone(),
        rooms: redis.clone(),
        heartbeats: redis.clone(),
        presence: redis.clone(),
        last_seen: redis.clone(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions() {
    let Some((redis, _world)) = subject() else { return };
    contract::verify("sessions", "redis", contract::sessions(), redis).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rate_limits() {
    let Some((redis, _world)) = subject() else { return };
    contract::verify("rate limits", "redis", contract::rate_limits(), redis).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections() {
    let Some((redis, world)) = subject() else { return };
    contract::verify("connections", "redis", contract::connections(), presence_ports(&redis)).await;
    assert_eq!(world.keys(), Vec::<String>::new(), "every case ends its connections");
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms() {
    let Some((redis, world)) = subject() else { return };
    contract::verify("rooms", "redis", contract::rooms(), presence_ports(&redis)).await;
    assert_eq!(world.keys(), Vec::<String>::new(), "every case ends its connections");
}

#[tokio::test(flavor = "multi_thread")]
async fn heartbeats() {
    let Some((redis, world)) = subject() else { return };
    contract::verify("heartbeats", "redis", contract::heartbeats(), presence_ports(&redis)).await;
    assert_eq!(world.keys(), Vec::<String>::new(), "every case ends its connections");
}

#[tokio::test(flavor = "multi_thread")]
async fn presence() {
    let Some((redis, world)) = subject() else { return };
    contract::verify("presence", "redis", contract::presence(), presence_ports(&redis)).await;
    assert_eq!(world.keys(), Vec::<String>::new(), "every case ends its connections");
}

#[tokio::test(flavor = "multi_thread")]
async fn last_seen() {
    let Some((redis, _world)) = subject() else { return };
    contract::verify("last_seen", "redis", contract::last_seen(), presence_ports(&redis)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cache() {
    let Some((redis, _world)) = subject() else { return };
    contract::verify("member_cache", "redis", contract::member_cache(), redis).await;
}
