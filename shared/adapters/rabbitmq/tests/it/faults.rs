//! The connection to the broker is cut, slow or unresponsive: every call ends within its timeout, no confirmed
//! job is lost, and the adapter recovers without a restart.

use std::time::{Duration, Instant};

use adapter_rabbitmq::{Config, RabbitMq};
use futures::future::join_all;
use shared::error::StoreError;
use shared::ports::{Outbox, Probe, StoreResult};
use test_support::fault_proxy::{Fault, FaultProxy};

use crate::test_broker::{TestBroker, job};

/// The adapter's timeout of five seconds, plus slack for a busy machine.
const LIMIT: Duration = Duration::from_millis(5_700);

async fn timed<T>(call: impl Future<Output = StoreResult<T>>) -> (StoreResult<T>, Duration) {
    let start = Instant::now();
    let answer = call.await;
    (answer, start.elapsed())
}

#[track_caller]
fn assert_down_in_time<T: std::fmt::Debug>((answer, took): (StoreResult<T>, Duration)) {
    assert!(matches!(&answer, Err(StoreError::Down(f)) if f.store == "rabbitmq"), "{answer:?}");
    assert!(took < LIMIT, "took {took:?}");
}

#[tokio::test]
async fn publishing_succeeds_when_the_connection_was_cut_before_it() {
    let Some(broker) = TestBroker::new().await else { return };
    let proxy = FaultProxy::start(&broker.address()).await;
    let rabbit = broker.through(proxy.address);
    for n in 0..3 {
        rabbit.publish(&broker.queue, &[job(&n.to_string(), 0)]).await.unwrap();
        proxy.cut_connections();
    }
    rabbit.queues(&broker.queue).await.unwrap();
    assert_eq!(broker.depths().await[0].1, 3);
    broker.delete_queues().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_confirmed_job_is_lost_when_the_connection_is_cut_repeatedly() {
    let Some(broker) = TestBroker::new().await else { return };
    let proxy = FaultProxy::start(&broker.address()).await;
    let rabbit = broker.through(proxy.address);
    let publishing = join_all((0..8).map(|writer| {
        let (rabbit, queue) = (&rabbit, &broker.queue);
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
    while let Some(found) = broker.take("").await {
        arrived.insert(found.id);
    }
    let lost: Vec<_> = confirmed.iter().filter(|id| !arrived.contains(*id)).collect();
    assert!(lost.is_empty(), "confirmed but lost: {lost:?}");
    assert!(!confirmed.is_empty());
    broker.delete_queues().await;
}

#[tokio::test]
async fn calls_fail_while_the_broker_is_down_and_succeed_when_it_is_back() {
    let Some(broker) = TestBroker::new().await else { return };
    let proxy = FaultProxy::start(&broker.address()).await;
    let rabbit = broker.through(proxy.address);
    proxy.set(Fault::Refusing);
    for _ in 0..3 {
        assert_down_in_time(timed(rabbit.publish(&broker.queue, &[job("lost", 0)])).await);
    }
    assert_eq!(rabbit.check().await.unwrap_err().store, "rabbitmq");
    proxy.set(Fault::None);
    rabbit.publish(&broker.queue, &[job("a", 0)]).await.unwrap();
    rabbit.check().await.unwrap();

    proxy.set(Fault::Refusing);
    assert_down_in_time(timed(rabbit.replay_dead(&broker.queue)).await);
    proxy.set(Fault::None);
    rabbit.retry_later(&broker.queue, &job("b", 2)).await.unwrap();
    let depths = broker.depths().await.into_iter().map(|(_, messages)| messages).collect::<Vec<_>>();
    assert_eq!(depths, [1, 0, 1, 0]);
    broker.delete_queues().await;
}

#[tokio::test]
async fn an_unresponsive_broker_times_out_within_the_limit() {
    let Some(broker) = TestBroker::new().await else { return };
    let proxy = FaultProxy::start(&broker.address()).await;
    let rabbit = broker.through(proxy.address);
    rabbit.publish(&broker.queue, &[job("a", 0)]).await.unwrap();
    proxy.set(Fault::Silent);
    let jobs = [job("b", 0)];
    let all = join_all((0..5).map(|_| timed(rabbit.publish(&broker.queue, &jobs)))).await;
    all.into_iter().for_each(assert_down_in_time);
    let start = Instant::now();
    rabbit.check().await.unwrap_err();
    assert!(start.elapsed() < Duration::from_millis(2_700), "took {:?}", start.elapsed());
    proxy.set(Fault::None);
    rabbit.publish(&broker.queue, &[job("c", 0)]).await.unwrap();
    broker.delete_queues().await;
}

#[tokio::test]
async fn no_dead_job_is_lost_when_the_connection_is_cut_during_a_replay() {
    let Some(broker) = TestBroker::new().await else { return };
    let proxy = FaultProxy::start(&broker.address()).await;
    let rabbit = broker.through(proxy.address);
    for n in 0..30 {
        rabbit.dead_letter(&broker.queue, &job(&format!("{n:02}"), 5), "why").await.unwrap();
    }
    proxy.set(Fault::Slow(Duration::from_millis(5)));
    let cutting = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        proxy.cut_connections();
    };
    let (answer, ()) = tokio::join!(rabbit.replay_dead(&broker.queue), cutting);
    assert!(matches!(answer, Err(StoreError::Down(_))), "{answer:?}");

    proxy.set(Fault::None);
    while rabbit.replay_dead(&broker.queue).await.unwrap() > 0 {}
    let mut arrived = std::collections::BTreeSet::new();
    while let Some(found) = broker.take("").await {
        arrived.insert(found.id);
    }
    assert_eq!(
        arrived.into_iter().collect::<Vec<_>>(),
        (0..30).map(|n| format!("{n:02}")).collect::<Vec<_>>()
    );
    broker.delete_queues().await;
}

#[tokio::test]
async fn publishing_fails_when_the_broker_does_not_support_tls() {
    let Some(broker) = TestBroker::new().await else { return };
    let config = Config::new(&format!("amqps://{}", broker.address())).unwrap();
    let rabbit = RabbitMq::new(config);
    assert_down_in_time(timed(rabbit.publish(&broker.queue, &[job("a", 0)])).await);
}
