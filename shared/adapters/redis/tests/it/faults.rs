//! The line to the server is cut, slow or silent: every command ends in time, and the next ones work
//! again without a restart.

use std::time::{Duration, Instant};

use adapter_redis::{Config, Redis};
use shared::error::StoreError;
use shared::ports::{Connections, Presence, Probe, StoreResult};
use test_support::fault_proxy::{Fault, FaultProxy};

use crate::world::{World, connection};

/// The promised two seconds, and what a busy machine adds.
const BOUND: Duration = Duration::from_millis(2_500);

async fn timed<T>(command: impl Future<Output = StoreResult<T>>) -> (StoreResult<T>, Duration) {
    let start = Instant::now();
    let answer = command.await;
    (answer, start.elapsed())
}

#[track_caller]
fn down_in_time<T: std::fmt::Debug>((answer, took): (StoreResult<T>, Duration)) {
    assert!(matches!(&answer, Err(StoreError::Down(f)) if f.store == "redis"), "{answer:?}");
    assert!(took < BOUND, "took {took:?}");
}

#[tokio::test]
async fn a_cut_line_is_not_even_noticed() {
    let Some(world) = World::new() else { return };
    let proxy = FaultProxy::start(&world.server()).await;
    let redis = world.through(proxy.address);
    for _ in 0..5 {
        redis.open(&connection("c")).await.unwrap();
        proxy.cut_connections();
        assert_eq!(redis.count().await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_server_that_is_away_gives_errors_at_once_and_serves_when_it_is_back() {
    let Some(world) = World::new() else { return };
    let proxy = FaultProxy::start(&world.server()).await;
    let redis = world.through(proxy.address);
    proxy.set(Fault::Refusing);
    for _ in 0..3 {
        down_in_time(timed(redis.count()).await);
    }
    assert_eq!(redis.check().await.unwrap_err().store, "redis");
    proxy.set(Fault::None);
    redis.count().await.unwrap();
    redis.check().await.unwrap();

    proxy.set(Fault::Refusing);
    down_in_time(timed(redis.count()).await);
    proxy.set(Fault::None);
    redis.count().await.unwrap();
}

#[tokio::test]
async fn a_silent_server_costs_the_bound_and_no_more() {
    let Some(world) = World::new() else { return };
    let proxy = FaultProxy::start(&world.server()).await;
    let redis = world.through(proxy.address);
    redis.count().await.unwrap();
    proxy.set(Fault::Silent);
    let all = futures::future::join_all((0..20).map(|_| timed(redis.count()))).await;
    all.into_iter().for_each(down_in_time);
    // The next one finds the same silence when it connects.
    down_in_time(timed(redis.count()).await);
    proxy.set(Fault::None);
    redis.count().await.unwrap();
}

#[tokio::test]
async fn a_slow_server_is_waited_for() {
    let Some(world) = World::new() else { return };
    let proxy = FaultProxy::start(&world.server()).await;
    let redis = world.through(proxy.address);
    redis.count().await.unwrap();
    proxy.set(Fault::Slow(Duration::from_millis(200)));
    redis.count().await.unwrap();
}

#[tokio::test]
async fn nobody_at_home_is_an_error_and_no_panic() {
    let Some(world) = World::new() else { return };
    let nobody = "127.0.0.1:1".parse().unwrap();
    down_in_time(timed(world.through(nobody).count()).await);
}

#[tokio::test]
async fn tls_towards_a_server_without_it_is_an_error_and_no_panic() {
    let Some(world) = World::new() else { return };
    let config = Config::new(&format!("rediss://{}", world.server()), &world.prefix).unwrap();
    down_in_time(timed(Redis::new(config).count()).await);
}
