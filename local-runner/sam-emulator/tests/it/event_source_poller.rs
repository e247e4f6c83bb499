//! The poller on a queue in memory, with tokio's clock paused: sequential, all or nothing, no loss.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use sam_emulator::event_source::{Delivery, Poller, Source};
use sam_emulator::invoke::{BoxFuture, Invocation, InvokeError, Invoker};
use sam_emulator::plan::QueuePlan;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use crate::event_source_event::plan;

/// A queue that outlives its source, so that a test can look at what is left.
#[derive(Clone, Default)]
struct Queue {
    inner: Arc<Mutex<Inner>>,
    more: Arc<Notify>,
}

#[derive(Default)]
struct Inner {
    ready: VecDeque<Delivery>,
    unacked: BTreeMap<u64, Delivery>,
    acked: Vec<String>,
    dropped: usize,
    last_id: u64,
}

impl Queue {
    fn publish(&self, bodies: &[&str]) {
        for body in bodies {
            self.lock().ready.push_back(Delivery { data: body.as_bytes().to_vec(), ..Delivery::default() });
        }
        self.more.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    fn ready(&self) -> Vec<(String, bool)> {
        let body = |delivery: &Delivery| String::from_utf8(delivery.data.clone()).unwrap();
        self.lock().ready.iter().map(|delivery| (body(delivery), delivery.redelivered)).collect()
    }
}

impl Source for Queue {
    async fn next(&mut self) -> Delivery {
        loop {
            if let Some(delivery) = self.lock().give() {
                return delivery;
            }
            self.more.notified().await;
        }
    }

    async fn ack(&mut self, ids: &[u64]) {
        let mut inner = self.lock();
        for id in ids {
            let delivery = inner.unacked.remove(id).expect("acked once");
            inner.acked.push(String::from_utf8(delivery.data).unwrap());
        }
    }

    async fn nack(&mut self, ids: &[u64], requeue: bool) {
        let mut inner = self.lock();
        for id in ids.iter().rev() {
            let delivery = inner.unacked.remove(id).expect("nacked once");
            if requeue {
                inner.ready.push_front(Delivery { redelivered: true, ..delivery });
            } else {
                inner.dropped += 1;
            }
        }
    }

    async fn close(self) {}
}

impl Inner {
    fn give(&mut self) -> Option<Delivery> {
        let mut delivery = self.ready.pop_front()?;
        self.last_id += 1;
        delivery.id = self.last_id;
        self.unacked.insert(delivery.id, delivery.clone());
        Some(delivery)
    }
}

/// Answers with what the test lined up, then with success, and keeps what it was called with.
#[derive(Default)]
struct Function {
    calls: Mutex<Vec<String>>,
    answers: Mutex<VecDeque<InvokeError>>,
    busy: Mutex<bool>,
    takes: Duration,
}

impl Function {
    fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }
}

/// `body` or `body*` when redelivered, in the batch's order.
fn bodies(event: &[u8]) -> String {
    use base64::Engine;
    let event: serde_json::Value = serde_json::from_slice(event).unwrap();
    let records = event["rmqMessagesByQueue"]["orders::/"].as_array().unwrap();
    let body = |record: &serde_json::Value| {
        let data =
            base64::engine::general_purpose::STANDARD.decode(record["data"].as_str().unwrap()).unwrap();
        let again = if record["redelivered"] == true { "*" } else { "" };
        format!("{}{again}", String::from_utf8(data).unwrap())
    };
    records.iter().map(body).collect::<Vec<_>>().join(" ")
}

struct Shared(Arc<Function>);

impl Invoker for Shared {
    fn invoke(&self, call: Invocation) -> BoxFuture<Result<Bytes, InvokeError>> {
        let function = self.0.clone();
        Box::pin(async move {
            assert_eq!(call.function, "consumer");
            assert!(!std::mem::replace(&mut *function.busy.lock().unwrap(), true), "batches are sequential");
            function.calls.lock().unwrap().push(bodies(&call.payload));
            tokio::time::sleep(function.takes).await;
            *function.busy.lock().unwrap() = false;
            let answer = function.answers.lock().unwrap().pop_front();
            answer.map_or(Ok(Bytes::from_static(b"\"ignored\"")), Err)
        })
    }
}

struct World {
    queue: Queue,
    function: Arc<Function>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl World {
    fn start(plan: QueuePlan, function: Function) -> Self {
        let (queue, function) = (Queue::default(), Arc::new(function));
        let (stop, stopped) = oneshot::channel::<()>();
        let poller = Poller::new(plan, queue.clone(), Arc::new(Shared(function.clone())));
        let task = tokio::spawn(poller.run(async {
            let _ = stopped.await;
        }));
        Self { queue, function, stop, task }
    }

    /// Stops the poller and waits for its end.
    async fn stop(self) -> Queue {
        self.stop.send(()).unwrap();
        self.task.await.unwrap();
        self.queue
    }
}

/// Lets the poller run for so long on the paused clock.
async fn pass(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

#[tokio::test(start_paused = true)]
async fn event_source_batches_by_window_and_size_and_acks_all() {
    let world = World::start(QueuePlan { batch_size: 3, ..plan("orders") }, Function::default());
    world.queue.publish(&["a", "b"]);
    pass(499).await;
    assert!(world.function.calls().is_empty(), "the window is still open");
    pass(2).await;
    assert_eq!(world.function.calls(), ["a b"]);
    world.queue.publish(&["c", "d", "e", "f"]);
    pass(1).await;
    assert_eq!(world.function.calls(), ["a b", "c d e"], "a full batch does not wait");
    pass(501).await;
    let queue = world.stop().await;
    assert_eq!(queue.lock().acked, ["a", "b", "c", "d", "e", "f"]);
    assert!(queue.lock().unacked.is_empty());
}

#[tokio::test(start_paused = true)]
async fn event_source_retries_the_whole_batch_until_success() {
    let failure = InvokeError::Function { error_type: "Oops".into(), message: "no".into() };
    let answers = Mutex::new(VecDeque::from([failure, InvokeError::Throttled]));
    let world = World::start(plan("orders"), Function { answers, ..Function::default() });
    world.queue.publish(&["a", "b"]);
    // 500 ms window, fails, 100 ms pause, window, throttled, 200 ms pause, window, success.
    pass(1_250).await;
    assert_eq!(world.function.calls(), ["a b", "a* b*"]);
    assert!(world.queue.lock().acked.is_empty());
    pass(600).await;
    assert_eq!(world.function.calls(), ["a b", "a* b*", "a* b*"]);
    assert_eq!(world.stop().await.lock().acked, ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn event_source_stop_loses_nothing() {
    // While a batch is gathered: back to the queue.
    let world = World::start(plan("orders"), Function::default());
    world.queue.publish(&["a", "b"]);
    pass(100).await;
    assert_eq!(world.queue.lock().unacked.len(), 2);
    let queue = world.stop().await;
    assert_eq!(queue.ready(), [("a".to_owned(), true), ("b".to_owned(), true)]);

    // While the function runs: it ends first, then its batch is acknowledged.
    let slow = Function { takes: Duration::from_secs(5), ..Function::default() };
    let world = World::start(plan("orders"), slow);
    world.queue.publish(&["a"]);
    pass(1_000).await;
    assert_eq!(world.function.calls(), ["a"]);
    let queue = world.stop().await;
    assert_eq!(queue.lock().acked, ["a"]);
    assert_eq!(queue.ready(), []);

    // In the pause after a failure.
    let answers = Mutex::new(VecDeque::from([InvokeError::NotFound("consumer".into())]));
    let world = World::start(plan("orders"), Function { answers, ..Function::default() });
    world.queue.publish(&["a"]);
    pass(550).await;
    let queue = world.stop().await;
    assert_eq!(queue.ready(), [("a".to_owned(), true)]);
}

#[tokio::test(start_paused = true)]
async fn event_source_splits_at_six_megabytes_and_drops_what_never_fits() {
    let world = World::start(plan("orders"), Function::default());
    let (large, huge) = ("l".repeat(3 << 20), "h".repeat(5 << 20));
    world.queue.publish(&[&large, &huge, &large, "a"]);
    pass(1_600).await;
    let sizes: Vec<usize> = world.function.calls().iter().map(String::len).collect();
    assert_eq!(sizes, [large.len(), large.len() + 2], "4 MB each in base64: one and one, never both");
    let queue = world.stop().await;
    let left = queue.lock();
    assert_eq!((left.acked.len(), left.dropped), (3, 1));
}
