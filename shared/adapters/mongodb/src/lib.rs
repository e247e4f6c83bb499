//! The document ports on MongoDB: `Users`, `Conversations`, `Messages`, `AutoMessages`, `SearchIndex`,
//! `IndexBacklog`, `Probe`.
//!
//! Read in this order: [`Config`] and [`Mongo`] (the client, its read and write concerns, its deadline), [`INDEXES`]
//! (every index with the query it serves), `rows` (the stored documents), then one file per port. The one protocol
//! with several steps is in `append`: how a message gets its `seq`.
//!
//! Requirements: MongoDB 5.0 or newer, one node or a replica set. The adapter uses no transactions, no `$text` and
//! no stored JavaScript. An acknowledged write is journalled by a majority; a read returns majority-committed data.

mod append;
mod auto_messages;
mod client;
mod config;
mod conversations;
mod failure;
mod index_backlog;
mod indexes;
mod listing;
mod messages;
mod rows;
mod search;
mod users;

pub use client::Mongo;
pub use config::Config;
pub use indexes::{INDEXES, Index};

/// This store's name in errors, in logs and in the health response.
const STORE: &str = "mongodb";
