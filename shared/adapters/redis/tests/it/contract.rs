//! The contract that every adapter is held to, one test per port.

use std::sync::Arc;

use adapter_redis::Redis;
use shared::contract::{self, Lines};

use crate::world::World;

/// The adapter in a world of its own, which is emptied when the second value goes.
fn subject() -> Option<(Arc<Redis>, World)> {
    let world = World::new()?;
    Some((Arc::new(world.adapter()), world))
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
async fn sessions() {
    let Some((redis, _world)) = subject() else { return };
    contract::hold("sessions", "redis", contract::sessions(), redis).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rate_limits() {
    let Some((redis, _world)) = subject() else { return };
    contract::hold("rate limits", "redis", contract::rate_limits(), redis).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections() {
    let Some((redis, world)) = subject() else { return };
    contract::hold("connections", "redis", contract::connections(), lines(&redis)).await;
    assert_eq!(world.keys(), Vec::<String>::new(), "every case ends its connections");
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms() {
    let Some((redis, world)) = subject() else { return };
    contract::hold("rooms", "redis", contract::rooms(), lines(&redis)).await;
    assert_eq!(world.keys(), Vec::<String>::new(), "every case ends its connections");
}

#[tokio::test(flavor = "multi_thread")]
async fn heartbeats() {
    let Some((redis, world)) = subject() else { return };
    contract::hold("heartbeats", "redis", contract::heartbeats(), lines(&redis)).await;
    assert_eq!(world.keys(), Vec::<String>::new(), "every case ends its connections");
}

#[tokio::test(flavor = "multi_thread")]
async fn presence() {
    let Some((redis, world)) = subject() else { return };
    contract::hold("presence", "redis", contract::presence(), lines(&redis)).await;
    assert_eq!(world.keys(), Vec::<String>::new(), "every case ends its connections");
}

#[tokio::test(flavor = "multi_thread")]
async fn last_seen() {
    let Some((redis, _world)) = subject() else { return };
    contract::hold("last_seen", "redis", contract::last_seen(), lines(&redis)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cache() {
    let Some((redis, _world)) = subject() else { return };
    contract::hold("cache", "redis", contract::cache(), redis).await;
}
