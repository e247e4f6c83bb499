//! The poller on a queue in memory, on tokio's paused clock: batches are sequential, settled as a whole, and
//! not lost.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use sam_emulator::event_source::{Poller, Source, SourceMessage};
use sam_emulator::invoke::{BoxFuture, Invocation, InvokeError, Invoker};
use sam_emulator::plan::QueuePlan;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use crate::event_source_event::plan;

/// A queue that outlives its source, so that a test can inspect it afterwards.
#[derive(Clone, Default)]
struct Queue {
    inner: Arc<Mutex<Inner>>,
    published: Arc<Notify>,
}

#[derive(Default)]
struct Inner {
    ready: VecDeque<SourceMessage>,
    unacked: BTreeMap<u64, SourceMessage>,
    acked: Vec<String>,
    dropped: usize,
    last_id: u64,
}

impl Queue {
    fn publish(&self, bodies: &[&str]) {
        for body in bodies {
            self.lock()
                .ready
                .push_back(SourceMessage { data: body.as_bytes().to_vec(), ..SourceMessage::default() });
        }
        self.published.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    fn ready(&self) -> Vec<(String, bool)> {
        let body = |message: &SourceMessage| String::from_utf8(message.data.clone()).unwrap();
        self.lock().ready.iter().map(|message| (body(message), message.redelivered)).collect()
    }
}

impl Source for Queue {
    async fn next(&mut self) -> SourceMessage {
        loop {
            if let Some(message) = self.lock().deliver() {
                return message;
            }
            self.published.notified().await;
        }
    }

    async fn ack(&mut self, ids: &[u64]) {
        let mut inner = self.lock();
        for id in ids {
            let message = inner.unacked.remove(id).expect("acknowledged once");
            inner.acked.push(String::from_utf8(message.data).unwrap());
        }
    }

    async fn nack(&mut self, ids: &[u64], requeue: bool) {
        let mut inner = self.lock();
        for id in ids.iter().rev() {
            let message = inner.unacked.remove(id).expect("rejected once");
            if requeue {
                inner.ready.push_front(SourceMessage { redelivered: true, ..message });
            } else {
                inner.dropped += 1;
            }
        }
    }

    async fn close(self) {}
}

impl Inner {
    fn deliver(&mut self) -> Option<SourceMessage> {
        let mut message = self.ready.pop_front()?;
        self.last_id += 1;
        message.id = self.last_id;
        self.unacked.insert(message.id, message.clone());
        Some(message)
    }
}

/// Fails with the listed errors, then succeeds, and records every batch.
#[derive(Default)]
struct Function {
    calls: Mutex<Vec<String>>,
    errors: Mutex<VecDeque<InvokeError>>,
    is_running: Mutex<bool>,
    duration: Duration,
}

impl Function {
    fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }
}

/// The bodies of a batch, in order; a redelivered one ends with `*`.
fn bodies(event: &[u8]) -> String {
    use base64::Engine;
    let event: serde_json::Value = serde_json::from_slice(event).unwrap();
    let records = event["rmqMessagesByQueue"]["orders::/"].as_array().unwrap();
    let body = |record: &serde_json::Value| {
        let data =
            base64::engine::general_purpose::STANDARD.decode(record["data"].as_str().unwrap()).unwrap();
        let mark = if record["redelivered"] == true { "*" } else { "" };
        format!("{}{mark}", String::from_utf8(data).unwrap())
    };
    records.iter().map(body).collect::<Vec<_>>().join(" ")
}

struct FunctionInvoker(Arc<Function>);

impl Invoker for FunctionInvoker {
    fn invoke(&self, call: Invocation) -> BoxFuture<Result<Bytes, InvokeError>> {
        let function = self.0.clone();
        Box::pin(async move {
            assert_eq!(call.function, "consumer");
            assert!(
                !std::mem::replace(&mut *function.is_running.lock().unwrap(), true),
                "batches are sequential"
            );
            function.calls.lock().unwrap().push(bodies(&call.payload));
            tokio::time::sleep(function.duration).await;
            *function.is_running.lock().unwrap() = false;
            let error = function.errors.lock().unwrap().pop_front();
            error.map_or(Ok(Bytes::from_static(b"\"ignored\"")), Err)
        })
    }
}

/// A running poller with its queue and its function.
struct PollerTest {
    queue: Queue,
    function: Arc<Function>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl PollerTest {
    fn start(plan: QueuePlan, function: Function) -> Self {
        let (queue, function) = (Queue::default(), Arc::new(function));
        let (stop, stopped) = oneshot::channel::<()>();
        let poller = Poller::new(plan, queue.clone(), Arc::new(FunctionInvoker(function.clone())));
        let task = tokio::spawn(poller.run(async {
            let _ = stopped.await;
        }));
        Self { queue, function, stop, task }
    }

    /// Stops the poller and waits until it has stopped.
    async fn stop(self) -> Queue {
        self.stop.send(()).unwrap();
        self.task.await.unwrap();
        self.queue
    }
}

/// Lets the poller run for this time on the paused clock.
async fn run_for(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_invoked_when_its_window_ends_or_it_is_full_and_then_acknowledged() {
    let test = PollerTest::start(QueuePlan { batch_size: 3, ..plan("orders") }, Function::default());
    test.queue.publish(&["a", "b"]);
    run_for(499).await;
    assert!(test.function.calls().is_empty(), "the window is still open");
    run_for(2).await;
    assert_eq!(test.function.calls(), ["a b"]);
    test.queue.publish(&["c", "d", "e", "f"]);
    run_for(1).await;
    assert_eq!(test.function.calls(), ["a b", "c d e"], "a full batch does not wait");
    run_for(501).await;
    let queue = test.stop().await;
    assert_eq!(queue.lock().acked, ["a", "b", "c", "d", "e", "f"]);
    assert!(queue.lock().unacked.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_failed_batch_is_retried_as_a_whole_until_it_succeeds() {
    let failure = InvokeError::Function { error_type: "Oops".into(), message: "no".into(), payload: None };
    let errors = Mutex::new(VecDeque::from([failure, InvokeError::Throttled]));
    let test = PollerTest::start(plan("orders"), Function { errors, ..Function::default() });
    test.queue.publish(&["a", "b"]);
    // 500 ms window, error, 100 ms delay, window, throttled, 200 ms delay, window, success.
    run_for(1_250).await;
    assert_eq!(test.function.calls(), ["a b", "a* b*"]);
    assert!(test.queue.lock().acked.is_empty());
    run_for(600).await;
    assert_eq!(test.function.calls(), ["a b", "a* b*", "a* b*"]);
    assert_eq!(test.stop().await.lock().acked, ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn a_stop_settles_or_requeues_every_message() {
    // While a batch is collected: its messages return to the queue.
    let test = PollerTest::start(plan("orders"), Function::default());
    test.queue.publish(&["a", "b"]);
    run_for(100).await;
    assert_eq!(test.queue.lock().unacked.len(), 2);
    let queue = test.stop().await;
    assert_eq!(queue.ready(), [("a".to_owned(), true), ("b".to_owned(), true)]);

    // While the function runs: it finishes, and its batch is acknowledged.
    let slow = Function { duration: Duration::from_secs(5), ..Function::default() };
    let test = PollerTest::start(plan("orders"), slow);
    test.queue.publish(&["a"]);
    run_for(1_000).await;
    assert_eq!(test.function.calls(), ["a"]);
    let queue = test.stop().await;
    assert_eq!(queue.lock().acked, ["a"]);
    assert_eq!(queue.ready(), []);

    // In the delay after a failure.
    let errors = Mutex::new(VecDeque::from([InvokeError::NotFound("consumer".into())]));
    let test = PollerTest::start(plan("orders"), Function { errors, ..Function::default() });
    test.queue.publish(&["a"]);
    run_for(550).await;
    let queue = test.stop().await;
    assert_eq!(queue.ready(), [("a".to_owned(), true)]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_split_at_6_mb_and_a_larger_message_is_dropped() {
    let test = PollerTest::start(plan("orders"), Function::default());
    let (large, huge) = ("l".repeat(3 << 20), "h".repeat(5 << 20));
    test.queue.publish(&[&large, &huge, &large, "a"]);
    run_for(1_600).await;
    let sizes: Vec<usize> = test.function.calls().iter().map(String::len).collect();
    assert_eq!(
        sizes,
        [large.len(), large.len() + 2],
        "two messages of 4 MB in base64 do not fit into one batch"
    );
    let queue = test.stop().await;
    let left = queue.lock();
    assert_eq!((left.acked.len(), left.dropped), (3, 1));
}
