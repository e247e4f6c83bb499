//! What the rules need from the outside, one small trait per need, in our own types. An adapter
//! implements some of them; a function takes `&dyn` those that it may touch.

mod cache;
mod documents;
mod messaging;
mod presence;
mod sessions;

pub use cache::Cache;
pub use documents::{
    AutoMessages, Conversations, Indexable, Indexing, Messages, SearchHit, SearchIndex, SearchQuery,
    Unindexed, Users,
};
pub use messaging::{Functions, Outbox, OutboxMessage, Probe, Push, PushError};
pub use presence::{Connections, Departures, Heartbeats, Presence, Rooms};
pub use sessions::{Limit, RateLimits, Sessions};

use crate::error::StoreError;

/// What every port answers with.
pub type Stored<T> = Result<T, StoreError>;
