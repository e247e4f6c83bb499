//! The ports of the durable documents, one port per file.

mod auto_messages;
mod conversations;
mod index_backlog;
mod messages;
pub(crate) mod rows;
mod search;
mod users;
