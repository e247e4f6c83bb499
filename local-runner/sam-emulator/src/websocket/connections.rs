//! The open connections, and the management API's three operations on them without HTTP. An application's
//! functions push through this handle; `@connections` is a thin layer over it.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use jiff::Timestamp;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::close_reason::CloseReason;
use super::connection::{OpenConnection, SendQueueError, TotalQueued};
use super::event::ConnectionMeta;
use super::options::{MAX_MESSAGE, WebSocketOptions};

/// The number of locks, so that posts to different connections rarely wait for each other.
const SHARDS: usize = 16;

/// Why a post failed. The names are those of the management API's exceptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// `GoneException`: the connection is closed, or `$connect` has not returned yet.
    #[error("there is no open connection with this id")]
    Gone,
    /// `PayloadTooLargeException`: more than [`MAX_MESSAGE`] bytes.
    #[error("the message is larger than 128 KB")]
    TooLarge,
    /// `LimitExceededException`: the client reads too slowly, and its queue is full.
    #[error("the client is too slow; its send buffer is full")]
    LimitExceeded,
}

/// `GoneException`: the connection is closed, or `$connect` has not returned yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no open connection with this id")]
pub struct Gone;

impl From<Gone> for PostError {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

/// The result of `GetConnection`; it serializes to AWS's JSON.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionInfo {
    /// The time of the upgrade request.
    #[serde(serialize_with = "iso_8601")]
    pub connected_at: Timestamp,
    /// The client.
    pub identity: ClientIdentity,
    /// The time of the last data in either direction.
    #[serde(serialize_with = "iso_8601")]
    pub last_active_at: Timestamp,
}

/// ISO 8601, always with three digits of milliseconds.
fn iso_8601<S: serde::Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{at:.3}"))
}

/// The client of a connection.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientIdentity {
    /// The client's address.
    pub source_ip: std::net::IpAddr,
    /// `User-Agent` of the upgrade request; `None` if it had none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
}

/// All open connections of the WebSocket API. A clone is another handle on the same set.
#[derive(Clone)]
pub struct Connections {
    inner: Arc<Inner>,
}

struct Inner {
    options: WebSocketOptions,
    queued: Arc<TotalQueued>,
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARDS],
}

#[derive(Default)]
struct Shard {
    connections: HashMap<Arc<str>, Arc<OpenConnection>>,
    /// Set at shutdown: a connection that opens later is closed at once.
    is_shutting_down: bool,
}

impl Connections {
    /// An empty set. The WebSocket API built on it uses `options`.
    #[must_use]
    pub fn new(options: WebSocketOptions) -> Self {
        let (hasher, shards) = (RandomState::new(), Default::default());
        let queued = Arc::new(TotalQueued::new(options.max_total_queued_bytes));
        Self { inner: Arc::new(Inner { options, queued, hasher, shards }) }
    }

    /// `PostToConnection`: queues one text frame and returns. Bytes that are not UTF-8 are replaced by
    /// U+FFFD, because a text frame cannot carry them.
    ///
    /// # Errors
    /// [`PostError`]; the frame is not queued.
    #[expect(clippy::unused_async, reason = "applications call it through an asynchronous interface")]
    pub async fn post(&self, id: &str, data: impl Into<Bytes>) -> Result<(), PostError> {
        let data = data.into();
        if data.len() > MAX_MESSAGE {
            return Err(PostError::TooLarge);
        }
        let text = Utf8Bytes::try_from(data.clone())
            .unwrap_or_else(|_| Utf8Bytes::from(String::from_utf8_lossy(&data).into_owned()));
        self.find(id)?.push(text).map_err(|error| match error {
            SendQueueError::Closing => PostError::Gone,
            SendQueueError::Full => PostError::LimitExceeded,
        })
    }

    /// `DeleteConnection`: sends the frames posted before, then closes with 1000.
    ///
    /// # Errors
    /// [`Gone`], also when the connection is closing already.
    #[expect(clippy::unused_async, reason = "applications call it through an asynchronous interface")]
    pub async fn delete(&self, id: &str) -> Result<(), Gone> {
        if self.find(id)?.close(CloseReason::Deleted) { Ok(()) } else { Err(Gone) }
    }

    /// `GetConnection`.
    ///
    /// # Errors
    /// [`Gone`], also when the connection is closing.
    #[expect(clippy::unused_async, reason = "applications call it through an asynchronous interface")]
    pub async fn get(&self, id: &str) -> Result<ConnectionInfo, Gone> {
        let connection = self.find(id)?;
        if connection.closing().is_some() {
            return Err(Gone);
        }
        let ConnectionMeta { source_ip, user_agent, connected_at, .. } = &connection.meta;
        let identity =
            ClientIdentity { source_ip: *source_ip, user_agent: user_agent.as_deref().map(str::to_owned) };
        let last_active_at = connection.last_active();
        Ok(ConnectionInfo { connected_at: *connected_at, identity, last_active_at })
    }

    /// The number of open connections.
    #[must_use]
    pub fn count(&self) -> usize {
        (0..SHARDS).map(|shard| self.lock(shard).connections.len()).sum()
    }

    pub(super) fn options(&self) -> &WebSocketOptions {
        &self.inner.options
    }

    /// Adds a connection whose `$connect` has succeeded.
    pub(super) fn open(&self, meta: ConnectionMeta) -> Arc<OpenConnection> {
        let options = self.options();
        let visible_from = Instant::now() + options.visibility_delay;
        let id = Arc::clone(&meta.id);
        let connection = Arc::new(OpenConnection::new(
            meta,
            visible_from,
            options.max_queued_bytes,
            Arc::clone(&self.inner.queued),
        ));
        let mut shard = self.lock(self.shard(&id));
        if shard.is_shutting_down {
            connection.close(CloseReason::ServerShutdown);
        }
        shard.connections.insert(id, Arc::clone(&connection));
        connection
    }

    /// Removes a connection that is closed.
    pub(super) fn remove(&self, connection: &OpenConnection, reason: &CloseReason) {
        self.lock(self.shard(&connection.meta.id)).connections.remove(&connection.meta.id);
        connection.mark_closed(reason);
    }

    /// Closes all connections, and every connection that opens later.
    pub(super) fn shut_down(&self) {
        for shard in 0..SHARDS {
            let mut shard = self.lock(shard);
            shard.is_shutting_down = true;
            let connections: Vec<Arc<OpenConnection>> = shard.connections.values().cloned().collect();
            drop(shard);
            for connection in connections {
                connection.close(CloseReason::ServerShutdown);
            }
        }
    }

    fn find(&self, id: &str) -> Result<Arc<OpenConnection>, Gone> {
        let found = self.lock(self.shard(id)).connections.get(id).cloned();
        found.filter(|connection| connection.is_visible()).ok_or(Gone)
    }

    fn shard(&self, id: &str) -> usize {
        self.inner.hasher.hash_one(id) as usize % SHARDS
    }

    fn lock(&self, shard: usize) -> MutexGuard<'_, Shard> {
        // A poisoned lock is usable: no code panics while it holds the lock.
        self.inner.shards[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Connections {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connections").field("open", &self.count()).finish_non_exhaustive()
    }
}
