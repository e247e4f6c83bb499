//! The end of a function's log, for `X-Amz-Log-Type: Tail`.

use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Bytes of log that Lambda returns.
const MAX_LOG_TAIL: usize = 4 * 1024;

/// A place for the last 4 KB of one invocation's log. The invoker fills it before it replies; a clone is
/// another handle on the same place.
#[derive(Debug, Clone, Default)]
pub struct LogTail(Arc<Mutex<Vec<u8>>>);

impl LogTail {
    /// Stores the end of `log`.
    pub fn fill(&self, log: &[u8]) {
        let tail = &log[log.len().saturating_sub(MAX_LOG_TAIL)..];
        tail.clone_into(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The stored text; bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    /// The value of `X-Amz-Log-Result`.
    #[must_use]
    pub fn base64(&self) -> String {
        STANDARD.encode(&*self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
