//! The open connections, and the management API's three operations on them, without HTTP. The functions of an
//! in-process runner push through this handle; `@connections` is a thin layer over it.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use jiff::Timestamp;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::end::End;
use super::event::Origin;
use super::options::{MAX_MESSAGE, Options};
use super::peer::{Peer, Refused};

/// Locks of the registry; posts to different connections rarely meet.
const SHARDS: usize = 16;

/// A post was not taken. The names are those of the management API's exceptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// `GoneException`: not connected yet, not any more, or never.
    #[error("the connection is gone")]
    Gone,
    /// `PayloadTooLargeException`: more than 128 KB.
    #[error("the message is larger than 128 KB")]
    TooLarge,
    /// `LimitExceededException`: the client reads too slowly and its buffer is full.
    #[error("the client's send buffer is full")]
    LimitExceeded,
}

/// No such connection now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the connection is gone")]
pub struct Gone;

impl From<Gone> for PostError {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

/// What `GetConnection` tells; serializes to its JSON.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Description {
    /// When the upgrade came in.
    #[serde(serialize_with = "iso_8601")]
    pub connected_at: Timestamp,
    /// The peer.
    pub identity: PeerIdentity,
    /// When data last passed in either direction.
    #[serde(serialize_with = "iso_8601")]
    pub last_active_at: Timestamp,
}

/// With milliseconds, always.
fn iso_8601<S: serde::Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{at:.3}"))
}

/// Who is at the other end.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PeerIdentity {
    /// The client's address.
    pub source_ip: std::net::IpAddr,
    /// `User-Agent`, if it sent one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
}

/// All open connections of the WebSocket API. A clone is the same set.
#[derive(Clone)]
pub struct Connections {
    inner: Arc<Inner>,
}

struct Inner {
    options: Options,
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARDS],
}

#[derive(Default)]
struct Shard {
    peers: HashMap<Arc<str>, Arc<Peer>>,
    /// Set at the end: who opens now is told to go away at once.
    is_closing: bool,
}

impl Connections {
    /// No connections yet; the WebSocket API built on this handle obeys `options`.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let (hasher, shards) = (RandomState::new(), Default::default());
        Self { inner: Arc::new(Inner { options, hasher, shards }) }
    }

    /// `PostToConnection`: queues one text frame and returns; bytes that are not UTF-8 are replaced, because
    /// a text frame cannot carry them.
    ///
    /// # Errors
    /// [`PostError`]; nothing was queued then.
    #[expect(clippy::unused_async, reason = "the port behind it is asynchronous on AWS")]
    pub async fn post(&self, id: &str, data: impl Into<Bytes>) -> Result<(), PostError> {
        let data = data.into();
        if data.len() > MAX_MESSAGE {
            return Err(PostError::TooLarge);
        }
        let text = Utf8Bytes::try_from(data.clone())
            .unwrap_or_else(|_| Utf8Bytes::from(String::from_utf8_lossy(&data).into_owned()));
        self.find(id)?.push(text).map_err(|refused| match refused {
            Refused::Ended => PostError::Gone,
            Refused::Full => PostError::LimitExceeded,
        })
    }

    /// `DeleteConnection`: what was posted before is still sent, then the peer sees 1000.
    ///
    /// # Errors
    /// [`Gone`].
    #[expect(clippy::unused_async, reason = "the port behind it is asynchronous on AWS")]
    pub async fn delete(&self, id: &str) -> Result<(), Gone> {
        if self.find(id)?.end(End::DELETED) { Ok(()) } else { Err(Gone) }
    }

    /// `GetConnection`.
    ///
    /// # Errors
    /// [`Gone`].
    #[expect(clippy::unused_async, reason = "the port behind it is asynchronous on AWS")]
    pub async fn get(&self, id: &str) -> Result<Description, Gone> {
        let peer = self.find(id)?;
        if peer.ending().is_some() {
            return Err(Gone);
        }
        let Origin { source_ip, user_agent, connected_at, .. } = &peer.origin;
        let identity =
            PeerIdentity { source_ip: *source_ip, user_agent: user_agent.as_deref().map(str::to_owned) };
        Ok(Description { connected_at: *connected_at, identity, last_active_at: peer.last_active() })
    }

    /// How many connections are open.
    #[must_use]
    pub fn count(&self) -> usize {
        (0..SHARDS).map(|shard| self.lock(shard).peers.len()).sum()
    }

    pub(super) fn options(&self) -> &Options {
        &self.inner.options
    }

    /// `$connect` has succeeded: from now on the connection exists.
    pub(super) fn open(&self, origin: Origin) -> Arc<Peer> {
        let options = self.options();
        let visible_from = Instant::now() + options.visibility_delay;
        let id = Arc::clone(&origin.id);
        let peer = Arc::new(Peer::new(origin, visible_from, options.send_buffer));
        let mut shard = self.lock(self.shard(&id));
        if shard.is_closing {
            peer.end(End::GOING_AWAY);
        }
        shard.peers.insert(id, Arc::clone(&peer));
        peer
    }

    /// The connection is over.
    pub(super) fn forget(&self, peer: &Peer, end: &End) {
        self.lock(self.shard(&peer.origin.id)).peers.remove(&peer.origin.id);
        peer.over(end);
    }

    /// Ends all connections, and those that open later.
    pub(super) fn close_all(&self) {
        for shard in 0..SHARDS {
            let mut shard = self.lock(shard);
            shard.is_closing = true;
            let peers: Vec<Arc<Peer>> = shard.peers.values().cloned().collect();
            drop(shard);
            for peer in peers {
                peer.end(End::GOING_AWAY);
            }
        }
    }

    fn find(&self, id: &str) -> Result<Arc<Peer>, Gone> {
        let found = self.lock(self.shard(id)).peers.get(id).cloned();
        found.filter(|peer| peer.is_visible()).ok_or(Gone)
    }

    fn shard(&self, id: &str) -> usize {
        self.inner.hasher.hash_one(id) as usize % SHARDS
    }

    fn lock(&self, shard: usize) -> MutexGuard<'_, Shard> {
        // No code that holds the lock can panic half-way through a change.
        self.inner.shards[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Connections {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connections").field("open", &self.count()).finish_non_exhaustive()
    }
}
