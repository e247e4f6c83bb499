//! What the rules need from outside: one small trait per need, in our own types. An adapter implements some of
//! them; a function takes `&dyn` references to those that it may use.
//!
//! These docs are the contract that the adapters fulfil. For every port:
//!
//! * A [`StoreResult`] is [`Down`](crate::error::StoreError::Down) when the store does not answer in time, and
//!   [`Corrupt`](crate::error::StoreError::Corrupt) when a stored value cannot be read. After `Down` it is unknown
//!   whether a write was applied; each method says what a repeat does.
//! * A read sees every write that was acknowledged before, unless the port says that it may be behind.
//! * A method's write is one atomic step, however many callers run at once, unless its doc says otherwise.
//! * `limit` is the most rows returned; 0 returns none. A row or cursor given as `after` is excluded.
//! * Ids without a row are skipped.
//! * No method reads a clock; the time is an argument.
#![warn(missing_docs)]

mod cache;
mod documents;
mod messaging;
mod presence;
mod sessions;

pub use cache::MemberCache;
pub use documents::{
    AutoMessages, Conversations, IndexBacklog, Messages, SearchDocument, SearchHit, SearchIndex,
    SearchIndexWriter, SearchQuery, Users,
};
pub use messaging::{Functions, Outbox, OutboxMessage, Probe, Push, PushError};
pub use presence::{
    Attachment, Connections, Heartbeats, LastSeen, MISSED_FOR, Presence, PresenceChanges, PresenceClaim,
    Rooms,
};
pub use sessions::{KnownAddresses, RateLimit, RateLimits, Sessions};

use crate::error::StoreError;

/// The result of a port: a value, or why the store gave none.
pub type StoreResult<T> = Result<T, StoreError>;
