//! A real RabbitMQ delivers every job at least twice, because the function fails after its work and connections are cut
//! meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use adapter_embedded::Embedded;
use adapter_rabbitmq::{Config, RabbitMq};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use sam_emulator::event_source::{self, Poller};
use sam_emulator::invoke::{BoxFuture, Invocation, InvokeError, Invoker};
use sam_emulator::plan::QueuePlan;
use serde_json::Value;
use shared::auto_message::{SENDING_QUEUE, SendingJob};
use shared::chat::ChatPorts;
use shared::lambda::queue;
use shared::lambda::{Entry, invoke};
use shared::ports::AutoMessages;
use test_support::auto_messages::{NIGHT, connect, history_of, insert_users, plan_rows, scheduled_run, time};
use test_support::fixture::PushRecorder;
use test_support::report;
use tokio::sync::Notify;

use super::broker::CuttableVhost;
use super::torture::Size;

const PATIENCE: Duration = Duration::from_secs(90);

/// The number of deliveries of a job, and how many of them the broker marked as redelivered.
#[derive(Debug, Clone, Copy, Default)]
struct DeliveryCount {
    total: u32,
    redelivered: u32,
}

/// The consumer, which fails after its work when a job of the batch is delivered for the first time.
struct FailsAfterFirstDelivery {
    entry: Entry,
    deliveries: Arc<Mutex<BTreeMap<String, DeliveryCount>>>,
}

impl FailsAfterFirstDelivery {
    /// Counts the jobs of an event. Returns whether one of them is new.
    fn count(&self, event: &Value) -> bool {
        let records =
            event["rmqMessagesByQueue"].as_object().unwrap().values().flat_map(|r| r.as_array().unwrap());
        let mut deliveries = self.deliveries.lock().unwrap();
        let mut has_new = false;
        for record in records {
            let body = STANDARD.decode(record["data"].as_str().unwrap()).unwrap();
            let job: SendingJob = serde_json::from_slice(&body).unwrap();
            let count = deliveries.entry(job.auto_message_id.to_string()).or_default();
            count.total += 1;
            count.redelivered += u32::from(record["redelivered"] == true);
            has_new |= count.total == 1;
        }
        has_new
    }
}

impl Invoker for FailsAfterFirstDelivery {
    fn invoke(&self, call: Invocation) -> BoxFuture<Result<Bytes, InvokeError>> {
        let fails = self.count(&serde_json::from_slice(&call.payload).unwrap());
        let entry = Arc::clone(&self.entry);
        Box::pin(async move {
            let reply = invoke(&entry, call.request_id, u64::MAX, &call.payload).await;
            let error = |error_type: &str| InvokeError::Function {
                error_type: error_type.to_owned(),
                message: "the process has ended".to_owned(),
                payload: None,
            };
            match reply {
                Ok(_) if fails => Err(error("Runtime.ExitError")),
                Ok(reply) => Ok(reply.into()),
                Err(failed) => Err(error(&failed.error_type)),
            }
        })
    }
}

fn mapping() -> QueuePlan {
    QueuePlan {
        name: "Queue".to_owned(),
        function: "auto-message-consumer".to_owned(),
        queue: SENDING_QUEUE.to_owned(),
        virtual_host: "/".to_owned(),
        batch_size: 20,
        batching_window: Duration::from_millis(100),
        broker_arn: "arn:aws:mq:eu-central-1:123456789012:broker:b:b-1".to_owned(),
        enabled: true,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_exist_once_when_every_job_is_delivered_twice() {
    let Some(vhost) = CuttableVhost::new() else { return };
    let size = Size::of_this_run();
    let store: &'static Embedded = Box::leak(Box::new(Embedded::temporary().unwrap()));
    let pushed: &'static PushRecorder = Box::leak(Box::default());
    let broker: &'static RabbitMq = Box::leak(Box::new(RabbitMq::new(Config::new(vhost.url()).unwrap())));
    let people = insert_users(store, 20).await;
    for person in &people {
        connect(store, person, time(NIGHT)).await;
    }
    broker.declare(SENDING_QUEUE).await.unwrap();
    let ports = auto_message_consumer::Ports {
        auto_messages: store,
        outbox: broker,
        chat: ChatPorts::over(store, store, pushed),
    };
    let deliveries: Arc<Mutex<BTreeMap<String, DeliveryCount>>> = Arc::default();
    let entry = queue(move |batch| auto_message_consumer::handle(ports, batch));
    let function = Arc::new(FailsAfterFirstDelivery { entry, deliveries: Arc::clone(&deliveries) });
    let source = event_source::RabbitMq::new(vhost.url(), &mapping()).unwrap();
    let stop = Arc::new(Notify::new());
    let stopped = Arc::clone(&stop);
    let poller = Poller::new(mapping(), source, function).run(async move { stopped.notified().await });
    let poller = tokio::spawn(poller);

    let vhost = Arc::new(vhost);
    let mut rows = Vec::new();
    for cut in 0..size.cuts {
        let now = time(NIGHT) + Duration::from_secs(60) * u32::try_from(cut).unwrap();
        rows.extend(plan_rows(store, &people, size.messages / size.cuts, now).await);
        queue_all(store, broker, now).await;
        let vhost = Arc::clone(&vhost);
        tokio::task::spawn_blocking(move || vhost.cut_connections()).await.unwrap();
    }
    wait_until_done(store, broker, &rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>()).await;
    stop.notify_one();
    poller.await.unwrap();

    let deliveries = deliveries.lock().unwrap().clone();
    let totals = || deliveries.values().map(|count| count.total);
    let (least, most) = (totals().min(), totals().max());
    report(&format!(
        "{} jobs, {} cuts: each delivered {least:?} to {most:?} times",
        deliveries.len(),
        size.cuts
    ));
    assert_eq!(deliveries.len(), rows.len());
    assert!(deliveries.values().all(|count| count.total >= 2 && count.redelivered >= 1), "{deliveries:?}");
    for pair in people.chunks_exact(2) {
        let messages = history_of(store, &pair[1]).await;
        let ids: BTreeSet<_> =
            messages.iter().filter_map(|message| message.auto_message_id.clone()).collect();
        let planned: BTreeSet<_> =
            rows.iter().filter(|row| row.receiver_id == pair[1]).map(|row| row.id.clone()).collect();
        assert_eq!((messages.len(), &ids), (planned.len(), &planned));
        // The function fails after its work, so each message is pushed once.
        assert_eq!(pushed.messages(pair[1].as_str(), "message_received").len(), planned.len());
    }
}

/// Runs the queuer until nothing is due. Rows of a cut connection are claimed again when their lease has expired.
async fn queue_all(store: &Embedded, broker: &RabbitMq, mut now: shared::time::Time) {
    let start = Instant::now();
    loop {
        let _ = auto_message_queuer::handle(store, broker, scheduled_run(now, 1)).await;
        if store.backlog(now).await.unwrap() == 0 {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "rows are still due");
        now = now + Duration::from_secs(60);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Waits until every row is sent and all queues, also `.retry` and `.dead`, are empty.
async fn wait_until_done(store: &Embedded, broker: &RabbitMq, ids: &[shared::id::AutoMessageId]) {
    let start = Instant::now();
    loop {
        let mut open = 0;
        for id in ids {
            open += usize::from(!AutoMessages::get(store, id).await.unwrap().unwrap().is_sent);
        }
        let held: Option<u32> =
            broker.queues(SENDING_QUEUE).await.ok().map(|depths| depths.iter().map(|d| d.messages).sum());
        if (open, held) == (0, Some(0)) {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "{open} rows are not sent, {held:?} jobs are queued");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
