//! Every route of the HTTP API, in the order of the document.

mod auth;
mod conversations;
mod messages;
mod system;
mod users;

use crate::operation::Operation;

/// The tags and what each contains.
pub(crate) const TAGS: [(&str, &str); 5] = [
    ("auth", "Accounts, tokens and sessions"),
    ("users", "Users and presence"),
    ("conversations", "Direct and group conversations"),
    ("messages", "Sending, history, receipts and search"),
    ("system", "Health and descriptions of the API"),
];

pub(crate) fn all() -> Vec<Operation> {
    [auth::all(), users::all(), conversations::all(), messages::all(), system::all()]
        .into_iter()
        .flatten()
        .collect()
}
