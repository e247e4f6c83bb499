//! The line to the broker is cut, slow or silent: everything ends in time, nothing confirmed is lost, and
//! the next call works again without a restart.

use std::time::{Duration, Instant};

use adapter_rabbitmq::{Config, RabbitMq};
use futures::future::join_all;
use shared::error::StoreError;
use shared::ports::{Outbox, Probe, StoreResult};
use test_support::fault_proxy::{Fault, FaultProxy};

use crate::world::{World, job};

/// The promised five seconds, and what a busy machine adds.
const BOUND: Duration = Duration::from_millis(5_700);

async fn timed<T>(call: impl Future<Output = StoreResult<T>>) -> (StoreResult<T>, Duration) {
    let start = Instant::now();
    let answer = call.await;
    (answer, start.elapsed())
}

#[track_caller]
fn down_in_time<T: std::fmt::Debug>((answer, took): (StoreResult<T>, Duration)) {
    assert!(matches!(&answer, Err(StoreError::Down(f)) if f.store == "rabbitmq"), "{answer:?}");
    assert!(took < BOUND, "took {took:?}");
}

#[tokio::test]
async fn a_cut_line_is_not_even_noticed() {
    let Some(world) = World::new().await else { return };
    let proxy = FaultProxy::start(&world.broker()).await;
    let rabbit = world.through(proxy.address);
    for n in 0..3 {
        rabbit.publish(&world.queue, &[job(&n.to_string(), 0)]).await.unwrap();
        proxy.cut_connections();
    }
    rabbit.queues(&world.queue).await.unwrap();
    assert_eq!(world.depths().await[0].1, 3);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_was_confirmed_while_the_line_was_cut_again_and_again_is_there() {
    let Some(world) = World::new().await else { return };
    let proxy = FaultProxy::start(&world.broker()).await;
    let rabbit = world.through(proxy.address);
    let publishing = join_all((0..8).map(|writer| {
        let (rabbit, queue) = (&rabbit, &world.queue);
        async move {
            let mut confirmed = Vec::new();
            for n in 0..25 {
                let job = job(&format!("{writer}-{n:02}"), 0);
                if rabbit.publish(queue, std::slice::from_ref(&job)).await.is_ok() {
                    confirmed.push(job.id);
                }
            }
            confirmed
        }
    }));
    let cutting = async {
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            proxy.cut_connections();
        }
    };
    let (confirmed, ()) = tokio::join!(publishing, cutting);
    let confirmed = confirmed.concat();
    let mut arrived = std::collections::HashSet::new();
    while let Some(found) = world.take("").await {
        arrived.insert(found.id);
    }
    let lost: Vec<_> = confirmed.iter().filter(|id| !arrived.contains(*id)).collect();
    assert!(lost.is_empty(), "confirmed but lost: {lost:?}");
    assert!(!confirmed.is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_broker_that_is_away_gives_errors_in_time_and_serves_when_it_is_back() {
    let Some(world) = World::new().await else { return };
    let proxy = FaultProxy::start(&world.broker()).await;
    let rabbit = world.through(proxy.address);
    proxy.set(Fault::Refusing);
    for _ in 0..3 {
        down_in_time(timed(rabbit.publish(&world.queue, &[job("lost", 0)])).await);
    }
    assert_eq!(rabbit.check().await.unwrap_err().store, "rabbitmq");
    proxy.set(Fault::None);
    rabbit.publish(&world.queue, &[job("a", 0)]).await.unwrap();
    rabbit.check().await.unwrap();

    proxy.set(Fault::Refusing);
    down_in_time(timed(rabbit.replay_dead(&world.queue)).await);
    proxy.set(Fault::None);
    rabbit.retry_later(&world.queue, &job("b", 2)).await.unwrap();
    let depths = world.depths().await.into_iter().map(|(_, messages)| messages).collect::<Vec<_>>();
    assert_eq!(depths, [1, 0, 1, 0]);
    world.end().await;
}

#[tokio::test]
async fn a_silent_broker_costs_the_bound_and_no_more() {
    let Some(world) = World::new().await else { return };
    let proxy = FaultProxy::start(&world.broker()).await;
    let rabbit = world.through(proxy.address);
    rabbit.publish(&world.queue, &[job("a", 0)]).await.unwrap();
    proxy.set(Fault::Silent);
    let jobs = [job("b", 0)];
    let all = join_all((0..5).map(|_| timed(rabbit.publish(&world.queue, &jobs)))).await;
    all.into_iter().for_each(down_in_time);
    let start = Instant::now();
    rabbit.check().await.unwrap_err();
    assert!(start.elapsed() < Duration::from_millis(2_700), "took {:?}", start.elapsed());
    proxy.set(Fault::None);
    rabbit.publish(&world.queue, &[job("c", 0)]).await.unwrap();
    world.end().await;
}

#[tokio::test]
async fn the_dead_survive_a_replay_that_is_cut() {
    let Some(world) = World::new().await else { return };
    let proxy = FaultProxy::start(&world.broker()).await;
    let rabbit = world.through(proxy.address);
    for n in 0..30 {
        rabbit.dead_letter(&world.queue, &job(&format!("{n:02}"), 5), "why").await.unwrap();
    }
    proxy.set(Fault::Slow(Duration::from_millis(5)));
    let cutting = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        proxy.cut_connections();
    };
    let (answer, ()) = tokio::join!(rabbit.replay_dead(&world.queue), cutting);
    assert!(matches!(answer, Err(StoreError::Down(_))), "{answer:?}");

    proxy.set(Fault::None);
    while rabbit.replay_dead(&world.queue).await.unwrap() > 0 {}
    let mut arrived = std::collections::BTreeSet::new();
    while let Some(found) = world.take("").await {
        arrived.insert(found.id);
    }
    assert_eq!(
        arrived.into_iter().collect::<Vec<_>>(),
        (0..30).map(|n| format!("{n:02}")).collect::<Vec<_>>()
    );
    world.end().await;
}

#[tokio::test]
async fn tls_towards_a_broker_without_it_is_an_error_and_no_panic() {
    let Some(world) = World::new().await else { return };
    let config = Config::new(&format!("amqps://{}", world.broker())).unwrap();
    let rabbit = RabbitMq::new(config);
    down_in_time(timed(rabbit.publish(&world.queue, &[job("a", 0)])).await);
}
