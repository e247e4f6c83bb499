//! Every index, with the query that it serves. Nothing else in the system creates one.

use mongodb::Database;
use mongodb::IndexModel;
use mongodb::bson::{Document, doc};
use mongodb::options::IndexOptions;
use shared::ports::StoreResult;

use crate::failure::failed;

/// The collection of users.
pub(crate) const USERS: &str = "users";
/// The collection of conversations.
pub(crate) const CONVERSATIONS: &str = "conversations";
/// The collection of messages.
pub(crate) const MESSAGES: &str = "messages";
/// The collection of automatic messages.
pub(crate) const AUTO_MESSAGES: &str = "auto_messages";
/// All of them.
pub(crate) const COLLECTIONS: [&str; 4] = [USERS, CONVERSATIONS, MESSAGES, AUTO_MESSAGES];

/// One index.
#[derive(Debug, Clone, Copy)]
pub struct Index {
    /// On which collection.
    pub collection: &'static str,
    /// Its name, which duplicate-key errors carry.
    pub name: &'static str,
    /// Its keys: 1 ascending, -1 descending.
    pub keys: &'static [(&'static str, i32)],
    /// Whether it refuses a second document with the same keys.
    pub unique: bool,
    /// Partial: only documents that have this field.
    pub only_with: Option<&'static str>,
    /// The query that it is there for.
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
        let keys: Document = self.keys.iter().map(|(key, way)| ((*key).to_owned(), (*way).into())).collect();
        let mut options = IndexOptions::default();
        options.name = Some(self.name.to_owned());
        options.unique = self.unique.then_some(true);
        options.partial_filter_expression = self.only_with.map(|field| doc! { field: { "$exists": true } });
        IndexModel::builder().keys(keys).options(options).build()
    }
}

/// The index behind a taken username.
pub(crate) const USERNAME: &str = "username";
/// The index behind a taken e-mail.
pub(crate) const EMAIL: &str = "email";

/// The list.
pub const INDEXES: &[Index] = &[
    Index::on(
        USERS,
        USERNAME,
        &[("usernameKey", 1)],
        "one user per folded username; log in; the user list's order",
    )
    .unique(),
    Index::on(USERS, EMAIL, &[("emailKey", 1)], "one user per folded e-mail; log in").unique(),
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
        "the planner's walk over active users",
    ),
    Index::on(CONVERSATIONS, "pair", &[("pairKey", 1)], "one direct conversation per pair")
        .unique()
        .only_with("pairKey"),
    Index::on(
        CONVERSATIONS,
        "member_activity",
        &[("members.userId", 1), ("updatedAt", -1), ("_id", -1)],
        "a member's conversations, newest activity first; whose messages a search may see",
    ),
    Index::on(
        MESSAGES,
        "place",
        &[("conversationId", 1), ("seq", 1)],
        "one message per place; history pages; counting the unread",
    )
    .unique(),
    Index::on(
        MESSAGES,
        "client_key",
        &[("senderId", 1), ("clientMessageId", 1)],
        "a repeated send is one message",
    )
    .unique()
    .only_with("clientMessageId"),
    Index::on(MESSAGES, "auto", &[("autoMessageId", 1)], "a job delivered twice is one message")
        .unique()
        .only_with("autoMessageId"),
    Index::on(
        MESSAGES,
        "words",
        &[("conversationId", 1), ("words", 1), ("_id", -1)],
        "search by the beginnings of words in given conversations",
    ),
    Index::on(
        MESSAGES,
        "unindexed",
        &[("unindexed", 1)],
        "messages that the search index beside us lacks, those that wait longest first",
    )
    .only_with("unindexed"),
    Index::on(
        AUTO_MESSAGES,
        "day_part",
        &[("plannedFor", 1), ("parts", 1)],
        "one part per day and person, as sender or receiver; who takes part that day",
    )
    .unique(),
    Index::on(
        AUTO_MESSAGES,
        "due",
        &[("isQueued", 1), ("sendDate", 1), ("_id", 1)],
        "rows that are due and not queued, oldest first; how many they are",
    ),
];

/// Creates a collection's indexes that are not there yet: one command, which changes nothing if they are.
pub(crate) async fn create(database: &Database, collection: &str) -> StoreResult<()> {
    let models = INDEXES.iter().filter(|index| index.collection == collection).map(Index::model);
    database.collection::<Document>(collection).create_indexes(models).await.map(drop).map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{COLLECTIONS, INDEXES};

    #[test]
    fn every_index_has_a_collection_a_name_of_its_own_and_a_reason() {
        let mut names = HashSet::new();
        for index in INDEXES {
            assert!(COLLECTIONS.contains(&index.collection), "{index:?}");
            assert!(names.insert((index.collection, index.name)), "{index:?}");
            assert!(!index.serves.is_empty() && !index.keys.is_empty(), "{index:?}");
        }
    }
}
