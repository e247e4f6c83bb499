//! How everybody asks: every answer becomes a sample.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use test_support::http_client::HttpRequest;

/// Between two requests of one person: a load, not a benchmark.
const PAUSE: Duration = Duration::from_millis(20);

/// What became of one request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) begun: Instant,
    pub(crate) took: Duration,
    /// 0 when there was no whole answer.
    pub(crate) status: u16,
}

/// What the people have in common.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) samples: Mutex<Vec<Sample>>,
    /// The phase, which every message of it names.
    pub(crate) phase: AtomicU32,
    /// Keys whose message was acknowledged.
    pub(crate) acknowledged: Mutex<Vec<String>>,
    pub(crate) stop: AtomicBool,
}

impl Shared {
    /// Sends and remembers what became of it; the data of a success.
    pub(crate) fn ask(&self, call: &HttpRequest) -> Option<Value> {
        let begun = Instant::now();
        let answer = call.try_send();
        let status = answer.as_ref().map_or(0, |answer| answer.status);
        let sample = Sample { begun, took: begun.elapsed(), status };
        self.samples.lock().unwrap().push(sample);
        thread::sleep(PAUSE);
        answer.ok().filter(|_| (200..300).contains(&status)).map(|answer| answer.json())
    }

    /// Whether it is over.
    pub(crate) fn stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
}
