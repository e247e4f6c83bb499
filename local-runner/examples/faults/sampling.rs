//! Requests under load; each adds a sample.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use test_support::http_client::HttpRequest;

/// The pause between two requests of one user.
const PAUSE: Duration = Duration::from_millis(20);

/// The result of one request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) start: Instant,
    pub(crate) took: Duration,
    /// 0 without a complete response.
    pub(crate) status: u16,
}

/// The state that all threads share.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) samples: Mutex<Vec<Sample>>,
    /// The number of the current phase; every message contains it.
    pub(crate) phase: AtomicU32,
    /// The `clientMessageId` of every acknowledged message.
    pub(crate) acknowledged: Mutex<Vec<String>>,
    pub(crate) stop: AtomicBool,
}

impl Shared {
    /// Sends a request and adds a sample. Returns the body of a success.
    pub(crate) fn request(&self, call: &HttpRequest) -> Option<Value> {
        let start = Instant::now();
        let answer = call.try_send();
        let status = answer.as_ref().map_or(0, |answer| answer.status);
        let sample = Sample { start, took: start.elapsed(), status };
        self.samples.lock().unwrap().push(sample);
        thread::sleep(PAUSE);
        answer.ok().filter(|_| (200..300).contains(&status)).map(|answer| answer.json())
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
}
