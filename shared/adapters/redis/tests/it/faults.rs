//! The connection to the server is cut, slow or unresponsive: every command ends within its timeout, and the
//! adapter recovers without a restart.

use std::time::{Duration, Instant};

use adapter_redis::{Config, Redis};
use shared::error::StoreError;
use shared::ports::{Connections, Presence, Probe, StoreResult};
use test_support::fault_proxy::{Fault, FaultProxy};

use crate::test_redis::{TestRedis, connection};

/// The adapter's timeout of two seconds, plus slack for a busy machine.
const LIMIT: Duration = Duration::from_millis(2_500);

async fn timed<T>(command: impl Future<Output = StoreResult<T>>) -> (StoreResult<T>, Duration) {
    let start = Instant::now();
    let answer = command.await;
    (answer, start.elapsed())
}

#[track_caller]
fn assert_down_in_time<T: std::fmt::Debug>((answer, took): (StoreResult<T>, Duration)) {
    assert!(matches!(&answer, Err(StoreError::Down(f)) if f.store == "redis"), "{answer:?}");
    assert!(took < LIMIT, "took {took:?}");
}

#[tokio::test]
async fn a_command_succeeds_when_the_connection_was_cut_before_it() {
    let Some(server) = TestRedis::new() else { return };
    let proxy = FaultProxy::start(&server.address()).await;
    let redis = server.through(proxy.address);
    for _ in 0..5 {
        redis.open(&connection("c"), 0).await.unwrap();
        proxy.cut_connections();
        assert_eq!(redis.count().await.unwrap(), 0);
    }
}

#[tokio::test]
async fn commands_fail_while_the_server_is_down_and_succeed_when_it_is_back() {
    let Some(server) = TestRedis::new() else { return };
    let proxy = FaultProxy::start(&server.address()).await;
    let redis = server.through(proxy.address);
    proxy.set(Fault::Refusing);
    for _ in 0..3 {
        assert_down_in_time(timed(redis.count()).await);
    }
    assert_eq!(redis.check().await.unwrap_err().store, "redis");
    proxy.set(Fault::None);
    redis.count().await.unwrap();
    redis.check().await.unwrap();

    proxy.set(Fault::Refusing);
    assert_down_in_time(timed(redis.count()).await);
    proxy.set(Fault::None);
    redis.count().await.unwrap();
}

#[tokio::test]
async fn an_unresponsive_server_times_out_within_the_limit() {
    let Some(server) = TestRedis::new() else { return };
    let proxy = FaultProxy::start(&server.address()).await;
    let redis = server.through(proxy.address);
    redis.count().await.unwrap();
    proxy.set(Fault::Silent);
    let all = futures::future::join_all((0..20).map(|_| timed(redis.count()))).await;
    all.into_iter().for_each(assert_down_in_time);
    // A new connection is unresponsive too.
    assert_down_in_time(timed(redis.count()).await);
    proxy.set(Fault::None);
    redis.count().await.unwrap();
}

#[tokio::test]
async fn a_command_waits_for_a_slow_server() {
    let Some(server) = TestRedis::new() else { return };
    let proxy = FaultProxy::start(&server.address()).await;
    let redis = server.through(proxy.address);
    redis.count().await.unwrap();
    proxy.set(Fault::Slow(Duration::from_millis(200)));
    redis.count().await.unwrap();
}

#[tokio::test]
async fn a_command_fails_when_nothing_listens() {
    let Some(server) = TestRedis::new() else { return };
    let unused = "127.0.0.1:1".parse().unwrap();
    assert_down_in_time(timed(server.through(unused).count()).await);
}

#[tokio::test]
async fn a_command_fails_when_the_server_does_not_support_tls() {
    let Some(server) = TestRedis::new() else { return };
    let config = Config::new(&format!("rediss://{}", server.address()), &server.prefix).unwrap();
    assert_down_in_time(timed(Redis::new(config).count()).await);
}
