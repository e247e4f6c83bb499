//! The source on a real RabbitMQ, if `AMQP_URL` names one. Every test has a queue of its own.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use sam_emulator::event_source::{InvalidUrl, Poller, RabbitMq};
use sam_emulator::invoke::{BoxFuture, Invocation, InvokeError, Invoker};
use sam_emulator::plan::QueuePlan;
use serde_json::{Value, json};
use test_support::server_url;
use tokio::sync::{Notify, mpsc};
use uuid::Uuid;

use crate::event_source_event::plan;

/// The longest wait; a passing test is much faster.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Sends every event to the test. Fails with the listed errors, then succeeds.
struct Function {
    events: mpsc::UnboundedSender<Value>,
    errors: Mutex<VecDeque<InvokeError>>,
}

impl Invoker for Function {
    fn invoke(&self, call: Invocation) -> BoxFuture<Result<Bytes, InvokeError>> {
        self.events.send(serde_json::from_slice(&call.payload).unwrap()).unwrap();
        let error = self.errors.lock().unwrap().pop_front();
        Box::pin(std::future::ready(error.map_or(Ok(Bytes::new()), Err)))
    }
}

/// A poller on a queue of a real broker, and a channel to publish to that queue.
struct BrokerTest {
    plan: QueuePlan,
    channel: Channel,
    _connection: Connection,
    events: mpsc::UnboundedReceiver<Value>,
    stop: Arc<Notify>,
    task: tokio::task::JoinHandle<()>,
}

impl BrokerTest {
    /// Starts to poll a queue that does not exist yet; [`BrokerTest::declare`] creates it.
    async fn start(url: &str, errors: impl Into<VecDeque<InvokeError>>) -> Self {
        let queue = format!("sam-emulator-test-{}", Uuid::new_v4());
        let plan = QueuePlan { batching_window: Duration::from_millis(100), batch_size: 10, ..plan(&queue) };
        let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        let (sender, events) = mpsc::unbounded_channel();
        let function = Arc::new(Function { events: sender, errors: Mutex::new(errors.into()) });
        let stop = Arc::new(Notify::new());
        let stopped = stop.clone();
        let source = RabbitMq::new(url, &plan).unwrap();
        let task = tokio::spawn(
            Poller::new(plan.clone(), source, function).run(async move { stopped.notified().await }),
        );
        Self { plan, channel, _connection: connection, events, stop, task }
    }

    /// Creates the queue if it does not exist. Returns the number of its messages.
    async fn declare(&self) -> u32 {
        let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        let name = self.plan.queue.as_str().into();
        self.channel.queue_declare(name, options, FieldTable::default()).await.unwrap().message_count()
    }

    async fn delete(&self) {
        let name = self.plan.queue.as_str().into();
        self.channel.queue_delete(name, QueueDeleteOptions::default()).await.unwrap();
    }

    async fn publish(&self, body: &str, properties: BasicProperties) {
        let (key, options) = (self.plan.queue.as_str().into(), BasicPublishOptions::default());
        let confirm = self.channel.basic_publish("".into(), key, options, body.as_bytes(), properties).await;
        confirm.unwrap().await.unwrap();
    }

    /// The records of the next invocation.
    async fn records(&mut self) -> Vec<Value> {
        let event = in_time(self.events.recv()).await.unwrap();
        let records = &event["rmqMessagesByQueue"][format!("{}::/", self.plan.queue)];
        records.as_array().unwrap().clone()
    }

    /// Stops the poller and deletes the queue. Returns the number of messages that were left in it.
    async fn stop(mut self) -> u32 {
        self.stop.notify_one();
        in_time(&mut self.task).await.unwrap();
        let left = self.declare().await;
        self.delete().await;
        left
    }
}

async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(TIMEOUT, future).await.expect("an answer of the broker or the poller in time")
}

#[tokio::test]
async fn the_source_waits_for_its_queue_redelivers_a_failed_batch_and_acknowledges() {
    let Some(url) = server_url("AMQP_URL") else { return };
    let failure = InvokeError::Function { error_type: "Oops".into(), message: "no".into(), payload: None };
    let mut test = BrokerTest::start(&url, [failure]).await;
    test.declare().await;

    let mut headers = FieldTable::default();
    headers.insert("h1".into(), AMQPValue::LongString("va".into()));
    headers.insert("n".into(), AMQPValue::LongInt(10));
    let properties =
        BasicProperties::default().with_headers(headers).with_delivery_mode(2).with_timestamp(2021);
    test.publish("Hello, world!", properties).await;

    let first = test.records().await;
    let record = &first[0];
    assert_eq!((&record["data"], &record["redelivered"]), (&json!("SGVsbG8sIHdvcmxkIQ=="), &json!(false)));
    let seen = &record["basicProperties"];
    assert_eq!(seen["headers"], json!({"h1": {"bytes": [118, 97]}, "n": 10}));
    assert_eq!(seen["timestamp"], "Jan 1, 1970, 12:33:41 AM");
    assert_eq!((&seen["deliveryMode"], &seen["priority"]), (&json!(2), &Value::Null));

    let again = test.records().await;
    assert_eq!((&again[0]["data"], &again[0]["redelivered"]), (&record["data"], &json!(true)));
    assert_eq!(test.stop().await, 0, "acknowledged");
}

#[tokio::test]
async fn the_source_reconnects_and_returns_unacknowledged_messages() {
    let Some(url) = server_url("AMQP_URL") else { return };
    let mut test = BrokerTest::start(&url, []).await;
    test.declare().await;
    test.publish("one", BasicProperties::default()).await;
    assert_eq!(test.records().await.len(), 1);

    // Deleting the queue cancels the consumer; the queue is created again later.
    test.delete().await;
    test.declare().await;
    test.publish("two", BasicProperties::default()).await;
    assert_eq!(test.records().await[0]["data"], "dHdv");

    // Several batches, every message once.
    for number in 0..25 {
        test.publish(&number.to_string(), BasicProperties::default().with_expiration("60000".into())).await;
    }
    let mut sizes = Vec::new();
    while sizes.iter().sum::<usize>() < 25 {
        sizes.push(test.records().await.len());
    }
    assert_eq!(sizes.iter().sum::<usize>(), 25, "{sizes:?}");
    assert!(sizes.iter().all(|size| *size <= 10), "{sizes:?}");
    assert_eq!(test.stop().await, 0);

    // A stop in the delay after a failure returns the message to the queue.
    let mut test = BrokerTest::start(&url, [InvokeError::Throttled]).await;
    test.declare().await;
    test.publish("three", BasicProperties::default()).await;
    test.records().await;
    assert_eq!(test.stop().await, 1, "back on the queue");
}

#[test]
fn the_error_of_an_invalid_url_does_not_contain_the_url() {
    for url in ["", "http://guest:secret@host", "guest:secret@host:5672", "amqp:secret"] {
        let error: InvalidUrl = RabbitMq::new(url, &plan("q")).map(|_| url).unwrap_err();
        assert!(!error.to_string().contains("secret"));
    }
}
