//! The queue of asynchronous invocations, on tokio's paused clock.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use sam_emulator::invoke::asynchronous::{RetryDelays, queue};
use sam_emulator::invoke::{BoxFuture, Invocation, InvokeError, Invoker};
use sam_emulator::template;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Fails with the listed errors, then succeeds.
struct ScriptedInvoker {
    started: Instant,
    errors: Mutex<VecDeque<InvokeError>>,
    /// The time of each call in seconds since the start.
    calls: Mutex<Vec<u64>>,
}

impl Invoker for ScriptedInvoker {
    fn invoke(&self, _: Invocation) -> BoxFuture<Result<Bytes, InvokeError>> {
        self.calls.lock().unwrap().push(self.started.elapsed().as_secs());
        let error = self.errors.lock().unwrap().pop_front();
        Box::pin(std::future::ready(error.map_or(Ok(Bytes::new()), Err)))
    }
}

const ERROR: fn() -> InvokeError =
    || InvokeError::Function { error_type: "E".to_owned(), message: "m".to_owned(), payload: None };

/// The seconds of every attempt of one event when its function fails with these errors.
async fn attempts(properties: &str, errors: &[fn() -> InvokeError]) -> Vec<u64> {
    let text =
        format!("Resources: {{ F: {{ Type: AWS::Serverless::Function, Properties: {{ {properties} }} }} }}");
    let plan = template::read(&text, &Default::default()).unwrap();
    let (async_invoker, worker) = queue(&plan, RetryDelays::default());
    let invoker = Arc::new(ScriptedInvoker {
        started: Instant::now(),
        errors: Mutex::new(errors.iter().map(|error| error()).collect()),
        calls: Mutex::default(),
    });
    let stop = CancellationToken::new();
    let worker = tokio::spawn(worker.run(Arc::clone(&invoker) as Arc<dyn Invoker>, stop.clone()));
    async_invoker.enqueue(Invocation::new("F", "{}"));
    tokio::time::sleep(Duration::from_secs(7 * 3600)).await;
    stop.cancel();
    worker.await.unwrap();
    invoker.calls.lock().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn function_errors_are_retried_after_one_and_two_minutes() {
    assert_eq!(attempts("", &[]).await, [0]);
    assert_eq!(attempts("", &[ERROR]).await, [0, 60]);
    assert_eq!(attempts("", &[ERROR; 9]).await, [0, 60, 180]);
    let config = "EventInvokeConfig: { MaximumRetryAttempts: 1 }";
    assert_eq!(attempts(config, &[ERROR; 9]).await, [0, 60]);
    let config = "EventInvokeConfig: { MaximumRetryAttempts: 0 }";
    assert_eq!(attempts(config, &[ERROR; 9]).await, [0]);
}

#[tokio::test(start_paused = true)]
async fn throttled_attempts_back_off_from_one_second_to_five_minutes_and_are_not_counted_as_retries() {
    let throttled: fn() -> InvokeError = || InvokeError::Throttled;
    let seconds = attempts("", &[throttled; 12]).await;
    assert_eq!(seconds, [0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 811, 1111, 1411]);
    assert_eq!(attempts("", &[throttled, ERROR, ERROR]).await, [0, 1, 61, 181]);
}

#[tokio::test(start_paused = true)]
async fn an_event_is_dropped_at_its_maximum_age_or_without_a_function() {
    let config = "EventInvokeConfig: { MaximumEventAgeInSeconds: 100 }";
    assert_eq!(attempts(config, &[ERROR; 9]).await, [0, 60]);
    let unknown: fn() -> InvokeError = || InvokeError::NotFound("F".to_owned());
    assert_eq!(attempts("", &[unknown; 9]).await, [0]);
}
