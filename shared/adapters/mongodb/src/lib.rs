//! The document ports on MongoDB: `Users`, `Conversations`, `Messages`, `AutoMessages`, `SearchIndex`,
//! `IndexBacklog`, `Probe`.
//!
//! Read in this order: [`Config`] and [`Mongo`] (one client, its concerns and its deadline), [`INDEXES`] (every
//! index with the query it serves), `rows` (what is stored), then one file per port; `append` holds the one
//! protocol that deserves thought: how a message gets its place.
//!
//! What it asks of the server: MongoDB 5.0 or newer, one node or a replica set. No transactions, no `$text`,
//! no stored JavaScript. Acknowledged writes are journalled by a majority, reads see what a majority has.

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

/// The store's name in failures and in the health answer.
const STORE: &str = "mongodb";
