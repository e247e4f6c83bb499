//! Every index, with the query that it serves. No other code creates an index.

use mongodb::Database;
use mongodb::IndexModel;
use mongodb::bson::{Document, doc};
use mongodb::options::IndexOptions;
use shared::ports::StoreResult;

use crate::failure::store_error;

pub(crate) const USERS: &str = "users";
pub(crate) const CONVERSATIONS: &str = "conversations";
pub(crate) const MESSAGES: &str = "messages";
pub(crate) const AUTO_MESSAGES: &str = "auto_messages";
pub(crate) const COLLECTIONS: [&str; 4] = [USERS, CONVERSATIONS, MESSAGES, AUTO_MESSAGES];

/// An index and the reason for it.
#[derive(Debug, Clone, Copy)]
pub struct Index {
    pub collection: &'static str,
    /// Duplicate-key errors contain this name.
    pub name: &'static str,
    /// Fields and directions: 1 ascending, -1 descending.
    pub keys: &'static [(&'static str, i32)],
    pub unique: bool,
    /// Makes the index partial: it contains only documents that have this field.
    pub only_with: Option<&'static str>,
    /// The queries or the constraint that need the index.
    pub serves: &'static str,
}

impl Index {
    const fn on(
        collection: &'static str,
        name: &'static str,
        keys: &'static [(&'static str, i32)],
        serves: &'static str,
    ) -> Self {
        Self { collection, name, keys, unique: false, only_with: None, serves }
    }

    const fn unique(mut self) -> Self {
        self.unique = true;
        self
    }

    const fn only_with(mut self, field: &'static str) -> Self {
        self.only_with = Some(field);
        self
    }

    fn model(&self) -> IndexModel {
        let keys: Document =
            self.keys.iter().map(|(key, direction)| ((*key).to_owned(), (*direction).into())).collect();
        let mut options = IndexOptions::default();
        options.name = Some(self.name.to_owned());
        options.unique = self.unique.then_some(true);
        options.partial_filter_expression = self.only_with.map(|field| doc! { field: { "$exists": true } });
        IndexModel::builder().keys(keys).options(options).build()
    }
}

/// The index that rejects a taken username.
pub(crate) const USERNAME: &str = "username";
/// The index that rejects a taken e-mail.
pub(crate) const EMAIL: &str = "email";

pub const INDEXES: &[Index] = &[
    Index::on(
        USERS,
        USERNAME,
        &[("usernameKey", 1)],
        "one user per folded username; login; the order of the user list",
    )
    .unique(),
    Index::on(USERS, EMAIL, &[("emailKey", 1)], "one user per folded e-mail; login").unique(),
    Index::on(
        USERS,
        "words",
        &[("nameWords", 1), ("usernameKey", 1)],
        "user search by a word of the display name",
    ),
    Index::on(
        USERS,
        "active",
        &[("active", 1), ("_id", 1), ("lastSeenAt", 1)],
        "the planner's pages of active users",
    ),
    Index::on(CONVERSATIONS, "pair", &[("pairKey", 1)], "one direct conversation per pair")
        .unique()
        .only_with("pairKey"),
    Index::on(
        CONVERSATIONS,
        "member_activity",
        &[("members.userId", 1), ("updatedAt", -1), ("_id", -1)],
        "a member's conversations, newest activity first; the conversations that a search covers",
    ),
    Index::on(
        MESSAGES,
        "place",
        &[("conversationId", 1), ("seq", 1)],
        "one message per seq; history pages; counts of unread messages",
    )
    .unique(),
    Index::on(
        MESSAGES,
        "client_key",
        &[("senderId", 1), ("clientMessageId", 1)],
        "one message per clientMessageId of a sender",
    )
    .unique()
    .only_with("clientMessageId"),
    Index::on(
        MESSAGES,
        "auto",
        &[("autoMessageId", 1)],
        "one message per automatic message, also when its job is delivered twice",
    )
    .unique()
    .only_with("autoMessageId"),
    Index::on(
        MESSAGES,
        "words",
        &[("conversationId", 1), ("words", 1), ("_id", -1)],
        "search by prefixes of words in given conversations",
    ),
    Index::on(
        MESSAGES,
        "unindexed",
        &[("unindexed", 1)],
        "messages that wait for the external search index, longest wait first",
    )
    .only_with("unindexed"),
    Index::on(
        AUTO_MESSAGES,
        "day_part",
        &[("plannedFor", 1), ("parts", 1)],
        "one row per user and day, as sender or receiver; the users planned for a day",
    )
    .unique(),
    Index::on(
        AUTO_MESSAGES,
        "due",
        &[("isQueued", 1), ("sendDate", 1), ("_id", 1)],
        "rows that are due and not queued, oldest first; their number",
    ),
];

/// Creates a collection's missing indexes with one command.
pub(crate) async fn create(database: &Database, collection: &str) -> StoreResult<()> {
    let models = INDEXES.iter().filter(|index| index.collection == collection).map(Index::model);
    database.collection::<Document>(collection).create_indexes(models).await.map(drop).map_err(store_error)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{COLLECTIONS, INDEXES};

    #[test]
    fn every_index_has_a_known_collection_a_unique_name_and_a_reason() {
        let mut names = HashSet::new();
        for index in INDEXES {
            assert!(COLLECTIONS.contains(&index.collection), "{index:?}");
            assert!(names.insert((index.collection, index.name)), "{index:?}");
            assert!(!index.serves.is_empty() && !index.keys.is_empty(), "{index:?}");
        }
    }
}
