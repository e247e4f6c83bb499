//! The queue behind asynchronous invocations, on a clock that the test turns.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use sam_emulator::invoke::asynchronous::{Pauses, queue};
use sam_emulator::invoke::{BoxFuture, Invocation, InvokeError, Invoker};
use sam_emulator::template;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Answers from a list, then well; notes the seconds of each call.
struct Script {
    began: Instant,
    answers: Mutex<VecDeque<InvokeError>>,
    calls: Mutex<Vec<u64>>,
}

impl Invoker for Script {
    fn invoke(&self, _: Invocation) -> BoxFuture<Result<Bytes, InvokeError>> {
        self.calls.lock().unwrap().push(self.began.elapsed().as_secs());
        let answer = self.answers.lock().unwrap().pop_front();
        Box::pin(std::future::ready(answer.map_or(Ok(Bytes::new()), Err)))
    }
}

const ERROR: fn() -> InvokeError =
    || InvokeError::Function { error_type: "E".to_owned(), message: "m".to_owned() };

/// The seconds at which an event is tried when the function answers like this.
async fn attempts(properties: &str, answers: &[fn() -> InvokeError]) -> Vec<u64> {
    let text =
        format!("Resources: {{ F: {{ Type: AWS::Serverless::Function, Properties: {{ {properties} }} }} }}");
    let plan = template::read(&text, &Default::default()).unwrap();
    let (entrance, worker) = queue(&plan, Pauses::default());
    let script = Arc::new(Script {
        began: Instant::now(),
        answers: Mutex::new(answers.iter().map(|answer| answer()).collect()),
        calls: Mutex::default(),
    });
    let stop = CancellationToken::new();
    let worker = tokio::spawn(worker.run(Arc::clone(&script) as Arc<dyn Invoker>, stop.clone()));
    entrance.enqueue(Invocation::new("F", "{}"));
    tokio::time::sleep(Duration::from_secs(7 * 3600)).await;
    stop.cancel();
    worker.await.unwrap();
    script.calls.lock().unwrap().clone()
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
async fn throttles_back_off_from_a_second_to_five_minutes_and_count_as_no_retry() {
    let throttled: fn() -> InvokeError = || InvokeError::Throttled;
    let seconds = attempts("", &[throttled; 12]).await;
    assert_eq!(seconds, [0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 811, 1111, 1411]);
    assert_eq!(attempts("", &[throttled, ERROR, ERROR]).await, [0, 1, 61, 181]);
}

#[tokio::test(start_paused = true)]
async fn an_old_event_is_given_up() {
    let config = "EventInvokeConfig: { MaximumEventAgeInSeconds: 100 }";
    assert_eq!(attempts(config, &[ERROR; 9]).await, [0, 60]);
    let unknown: fn() -> InvokeError = || InvokeError::NotFound("F".to_owned());
    assert_eq!(attempts("", &[unknown; 9]).await, [0]);
}
