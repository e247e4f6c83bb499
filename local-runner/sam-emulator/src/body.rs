//! Reading a request's body: a limit on its size and time, one limit on the memory of all bodies, and what
//! happens to the rest of a body that an endpoint does not read.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Time for the whole body, so that a client cannot hold a connection by sending slowly.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// Time without any byte of the body, so that a client that stopped sending frees its memory soon.
const STALL_TIMEOUT: Duration = Duration::from_secs(5);
/// Time that a body may still take once the emulator shuts down.
const STOP_TIMEOUT: Duration = Duration::from_millis(500);
/// Bytes of a body that do not count towards the memory of all bodies, so that small requests are read even
/// while large ones use all of it.
const UNCOUNTED: usize = 64 * 1024;
/// Bytes of an unread rest that are read and dropped, so that the connection can be used again.
const MAX_DRAIN: usize = 1024 * 1024;
/// Time to read an unread rest. The response waits for it.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(500);

/// Why a body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// It is larger than the limit; bytes beyond the limit were not read.
    TooLarge,
    TimedOut,
    /// The connection was lost before the end.
    Incomplete,
    /// Other bodies use all of the memory, and freed none in time.
    NoMemory,
}

/// What all bodies of one port share.
#[derive(Debug, Clone)]
pub(crate) struct BodyLimits {
    /// One permit per byte of memory.
    memory: Arc<Semaphore>,
    stop: CancellationToken,
}

impl BodyLimits {
    /// At most `memory` bytes for all bodies; bodies that are not complete soon after `stop` are given up.
    pub(crate) fn new(memory: usize, stop: CancellationToken) -> Self {
        Self { memory: Arc::new(Semaphore::new(memory.min(Semaphore::MAX_PERMITS))), stop }
    }

    async fn stopped(self) {
        self.stop.cancelled().await;
        tokio::time::sleep(STOP_TIMEOUT).await;
    }
}

/// The body of a request, not read yet. If it is dropped before its end, the server decides about the rest.
#[derive(Debug)]
pub struct RequestBody {
    /// `None` only while it is dropped.
    incoming: Option<Incoming>,
    rest: Rest,
    limits: BodyLimits,
}

/// Receives the unread rest of a body when the endpoint drops it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rest(Arc<Mutex<Option<Incoming>>>);

impl RequestBody {
    /// The body, and the place where its unread rest will be.
    pub(crate) fn new(incoming: Incoming, limits: BodyLimits) -> (Self, Rest) {
        let rest = Rest::default();
        (Self { incoming: Some(incoming), rest: rest.clone(), limits }, rest)
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        let rest = self.incoming.take().filter(|incoming| !incoming.is_end_stream());
        *self.rest.0.lock().unwrap_or_else(PoisonError::into_inner) = rest;
    }
}

impl Rest {
    /// Reads and drops the rest of the body, if it is small and arrives soon. Returns whether the connection
    /// can be used again. A client that waits for `100 Continue` is not asked to send the body at all.
    pub(crate) async fn drain(self, expects_continue: bool) -> bool {
        let Some(mut rest) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return true;
        };
        let is_large = rest.size_hint().lower() > MAX_DRAIN as u64;
        if expects_continue || is_large {
            return false;
        }
        let drained = async {
            let mut bytes = 0;
            while let Some(frame) = rest.frame().await {
                bytes += frame.ok()?.data_ref().map_or(0, Bytes::len);
                if bytes > MAX_DRAIN {
                    return None;
                }
            }
            Some(())
        };
        timeout(DRAIN_TIMEOUT, drained).await.ok().flatten().is_some()
    }
}

/// A whole body, and the memory that is reserved for it until that part is dropped.
#[derive(Debug, Default)]
pub(crate) struct ReceivedBody {
    pub(crate) bytes: Bytes,
    pub(crate) memory: Option<OwnedSemaphorePermit>,
}

/// Reads a body of at most `limit` bytes. A larger `Content-Length` is refused before reading.
pub(crate) async fn read(
    headers: &HeaderMap,
    mut body: RequestBody,
    limit: usize,
) -> Result<ReceivedBody, BodyError> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > limit) {
        return Err(BodyError::TooLarge);
    }
    let stopped = body.limits.clone().stopped();
    tokio::select! {
        biased;
        received = timeout(READ_TIMEOUT, body.collect(announced.unwrap_or_default(), limit)) => {
            received.unwrap_or(Err(BodyError::TimedOut))
        }
        () = stopped => Err(BodyError::TimedOut),
    }
}

impl RequestBody {
    async fn collect(&mut self, announced: usize, limit: usize) -> Result<ReceivedBody, BodyError> {
        let Some(incoming) = self.incoming.as_mut().filter(|incoming| !incoming.is_end_stream()) else {
            return Ok(ReceivedBody::default());
        };
        let mut memory = None;
        let mut whole = BytesMut::new();
        loop {
            let frame = timeout(STALL_TIMEOUT, incoming.frame()).await.map_err(|_| BodyError::TimedOut)?;
            let Some(frame) = frame else { break };
            let Ok(data) = frame.map_err(|_| BodyError::Incomplete)?.into_data() else { continue };
            if whole.len() + data.len() > limit {
                return Err(BodyError::TooLarge);
            }
            if whole.is_empty() && incoming.is_end_stream() {
                // A body of one frame, the usual case, is not copied.
                return Ok(ReceivedBody { bytes: data, memory });
            }
            reserve(&self.limits.memory, &mut memory, whole.len() + data.len()).await?;
            // Memory that is reserved and not written costs nothing.
            whole.reserve(announced.saturating_sub(whole.len()).max(data.len()));
            whole.extend_from_slice(&data);
        }
        Ok(ReceivedBody { bytes: whole.freeze(), memory })
    }
}

/// Extends `held` to the counted part of `size` bytes; waits for memory that other bodies free.
async fn reserve(
    memory: &Arc<Semaphore>,
    held: &mut Option<OwnedSemaphorePermit>,
    size: usize,
) -> Result<(), BodyError> {
    let held_now = held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
    let more = size.saturating_sub(UNCOUNTED + held_now);
    if more == 0 {
        return Ok(());
    }
    let more = Arc::clone(memory).acquire_many_owned(u32::try_from(more).unwrap_or(u32::MAX));
    // In this time, bodies that stopped arriving lose their memory.
    let more = timeout(STALL_TIMEOUT, more).await;
    let more = more.ok().and_then(Result::ok).ok_or(BodyError::NoMemory)?;
    match held {
        Some(held) => held.merge(more),
        None => *held = Some(more),
    }
    Ok(())
}
