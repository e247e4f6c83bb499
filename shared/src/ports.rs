//! What the rules need from outside: one small trait per need, in our own types. An adapter implements some of
//! them; a function takes `&dyn` references to those that it may use.
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
pub use presence::{Connections, Heartbeats, LastSeen, Presence, Rooms};
pub use sessions::{RateLimit, RateLimits, Sessions};

use crate::error::StoreError;

/// The result of a port: a value, or why the store gave none.
pub type StoreResult<T> = Result<T, StoreError>;
