//! The OpenAPI and the AsyncAPI document against the template, the code, and what the running system accepts and
//! answers.

mod accepted;
mod answered;
pub(crate) mod events;
mod failures;
mod listed;
pub(crate) mod schema;
mod validator;
