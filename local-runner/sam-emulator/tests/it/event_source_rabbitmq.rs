//! The source on a real RabbitMQ, when `AMQP_URL` names one. Every test has a queue of its own.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use sam_emulator::event_source::{InvalidUrl, Poller, RabbitMq};
use sam_emulator::ids;
use sam_emulator::invoke::{BoxFuture, Invocation, InvokeError, Invoker};
use sam_emulator::plan::QueuePlan;
use serde_json::{Value, json};
use test_support::server_url;
use tokio::sync::{Notify, mpsc};

use crate::event_source_event::plan;

/// Long enough for a slow machine; a passing test never waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sends every event to the test and answers as lined up, then with success.
struct Function {
    events: mpsc::UnboundedSender<Value>,
    answers: Mutex<VecDeque<InvokeError>>,
}

impl Invoker for Function {
    fn invoke(&self, call: Invocation) -> BoxFuture<Result<Bytes, InvokeError>> {
        self.events.send(serde_json::from_slice(&call.payload).unwrap()).unwrap();
        let answer = self.answers.lock().unwrap().pop_front();
        Box::pin(std::future::ready(answer.map_or(Ok(Bytes::new()), Err)))
    }
}

/// A poller on a real queue, and a publisher beside it.
struct World {
    plan: QueuePlan,
    channel: Channel,
    _connection: Connection,
    events: mpsc::UnboundedReceiver<Value>,
    stop: Arc<Notify>,
    task: tokio::task::JoinHandle<()>,
}

impl World {
    /// Starts polling a queue that does not exist yet; `declare` makes it.
    async fn start(url: &str, answers: impl Into<VecDeque<InvokeError>>) -> Self {
        let queue = format!("local-runner-test-{}", ids::uuid());
        let plan = QueuePlan { batching_window: Duration::from_millis(100), batch_size: 10, ..plan(&queue) };
        let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        let (sender, events) = mpsc::unbounded_channel();
        let function = Arc::new(Function { events: sender, answers: Mutex::new(answers.into()) });
        let stop = Arc::new(Notify::new());
        let stopped = stop.clone();
        let source = RabbitMq::new(url, &plan).unwrap();
        let task = tokio::spawn(
            Poller::new(plan.clone(), source, function).run(async move { stopped.notified().await }),
        );
        Self { plan, channel, _connection: connection, events, stop, task }
    }

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
        let event = patiently(self.events.recv()).await.unwrap();
        let records = &event["rmqMessagesByQueue"][format!("{}::/", self.plan.queue)];
        records.as_array().unwrap().clone()
    }

    /// Stops the poller, counts what is left and deletes the queue.
    async fn end(mut self) -> u32 {
        self.stop.notify_one();
        patiently(&mut self.task).await.unwrap();
        let left = self.declare().await;
        self.delete().await;
        left
    }
}

async fn patiently<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("the broker or the poller is stuck")
}

#[tokio::test]
async fn event_source_rabbitmq_waits_retries_and_acknowledges() {
    let Some(url) = server_url("AMQP_URL") else { return };
    let failure = InvokeError::Function { error_type: "Oops".into(), message: "no".into() };
    let mut world = World::start(&url, [failure]).await;
    world.declare().await;

    let mut headers = FieldTable::default();
    headers.insert("h1".into(), AMQPValue::LongString("va".into()));
    headers.insert("n".into(), AMQPValue::LongInt(10));
    let properties =
        BasicProperties::default().with_headers(headers).with_delivery_mode(2).with_timestamp(2021);
    world.publish("Hello, world!", properties).await;

    let first = world.records().await;
    let record = &first[0];
    assert_eq!((&record["data"], &record["redelivered"]), (&json!("SGVsbG8sIHdvcmxkIQ=="), &json!(false)));
    let seen = &record["basicProperties"];
    assert_eq!(seen["headers"], json!({"h1": {"bytes": [118, 97]}, "n": 10}));
    assert_eq!(seen["timestamp"], "Jan 1, 1970, 12:33:41 AM");
    assert_eq!((&seen["deliveryMode"], &seen["priority"]), (&json!(2), &Value::Null));

    let again = world.records().await;
    assert_eq!((&again[0]["data"], &again[0]["redelivered"]), (&record["data"], &json!(true)));
    assert_eq!(world.end().await, 0, "acknowledged");
}

#[tokio::test]
async fn event_source_rabbitmq_comes_back_and_returns_what_it_holds() {
    let Some(url) = server_url("AMQP_URL") else { return };
    let mut world = World::start(&url, []).await;
    world.declare().await;
    world.publish("one", BasicProperties::default()).await;
    assert_eq!(world.records().await.len(), 1);

    // The broker ends the consumer; the queue comes back later.
    world.delete().await;
    world.declare().await;
    world.publish("two", BasicProperties::default()).await;
    assert_eq!(world.records().await[0]["data"], "dHdv");

    // Many batches, in order, none twice.
    for number in 0..25 {
        world.publish(&number.to_string(), BasicProperties::default().with_expiration("60000".into())).await;
    }
    let mut sizes = Vec::new();
    while sizes.iter().sum::<usize>() < 25 {
        sizes.push(world.records().await.len());
    }
    assert_eq!(sizes.iter().sum::<usize>(), 25, "{sizes:?}");
    assert!(sizes.iter().all(|size| *size <= 10), "{sizes:?}");
    assert_eq!(world.end().await, 0);

    // Stopped in the pause after a failure: the message is on the queue again.
    let mut world = World::start(&url, [InvokeError::Throttled]).await;
    world.declare().await;
    world.publish("three", BasicProperties::default()).await;
    world.records().await;
    assert_eq!(world.end().await, 1, "back on the queue");
}

#[test]
fn event_source_rabbitmq_refuses_other_urls_without_telling_them() {
    for url in ["", "http://guest:secret@host", "guest:secret@host:5672", "amqp:secret"] {
        let refusal: InvalidUrl = RabbitMq::new(url, &plan("q")).map(|_| url).unwrap_err();
        assert!(!refusal.to_string().contains("secret"));
    }
}
