//! Makes the descriptions of the API: OpenAPI 3.1 of the HTTP routes and AsyncAPI 3 of the socket events.
//!
//! Replies and events are described by the types that the functions serialise, with the feature `schema` of `shared`;
//! requests by `requests`, whose limits are the constants that the parsers use. The documents are files of the
//! function `api-description`, so no deployed function depends on this crate, and a change of the API shows in a diff.
//! A test compares the files with what this crate makes; the tests of `local-runner` compare them with what the running
//! system accepts and answers.

mod asyncapi;
mod errors;
mod events;
mod examples;
mod fields;
mod openapi;
mod operation;
mod operations;
mod requests;
mod responses;
mod schemas;

pub use asyncapi::asyncapi;
pub use openapi::openapi;
