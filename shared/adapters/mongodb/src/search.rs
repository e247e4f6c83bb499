//! `SearchIndex` without a search engine: a message carries its folded words, and an index on (conversation,
//! words) finds their beginnings. It needs nothing but MongoDB, and it is always up to date.

use async_trait::async_trait;
use futures::TryStreamExt;
use mongodb::Cursor;
use mongodb::bson::{Document, doc};
use serde::Deserialize;
use shared::id::{ConversationId, MessageId};
use shared::ports::{SearchHit, SearchIndex, SearchQuery, StoreResult};

use crate::client::Mongo;
use crate::failure::failed;
use crate::indexes::{CONVERSATIONS, MESSAGES};

/// How many conversations one query searches; a member of more costs more queries, never more memory.
const CONVERSATIONS_AT_ONCE: usize = 1_000;

/// A condition that an index can follow: begins with exactly `start`, whatever stands in it. A NUL, which the
/// server takes in no pattern and which no stored word has, is passed over.
pub(crate) fn prefix(start: &str) -> Document {
    let mut pattern = String::with_capacity(start.len() + 8);
    pattern.push('^');
    for c in start.chars().filter(|c| *c != '\0') {
        if c.is_ascii_punctuation() {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    doc! { "$regex": pattern }
}

#[derive(Deserialize)]
struct Found<Id> {
    #[serde(rename = "_id")]
    id: Id,
}

#[async_trait]
impl SearchIndex for Mongo {
    async fn search(&self, query: &SearchQuery) -> StoreResult<Vec<SearchHit>> {
        if query.limit == 0 || query.terms.iter().all(String::is_empty) {
            return Ok(Vec::new());
        }
        let found = self.bounded(async { self.search_own(query).await.map_err(failed) }).await?;
        Ok(found.into_iter().map(|id| SearchHit { cursor: id.as_str().to_owned(), message: id }).collect())
    }
}

impl Mongo {
    /// Walks the member's own conversations and keeps the newest hits.
    async fn search_own(&self, query: &SearchQuery) -> mongodb::error::Result<Vec<MessageId>> {
        let mut own = self.own_conversations(query).await?;
        let mut newest = Vec::new();
        loop {
            let mut some = Vec::new();
            while some.len() < CONVERSATIONS_AT_ONCE
                && let Some(conversation) = own.try_next().await?
            {
                some.push(conversation.id.as_str().to_owned());
            }
            if some.is_empty() {
                return Ok(newest);
            }
            newest.extend(self.search_in(&some, query).await?);
            newest.sort_unstable_by(|a, b| b.cmp(a));
            newest.truncate(query.limit as usize);
        }
    }

    async fn own_conversations(
        &self,
        query: &SearchQuery,
    ) -> mongodb::error::Result<Cursor<Found<ConversationId>>> {
        let mut filter = doc! { "members.userId": query.member.as_str() };
        if let Some(only) = &query.conversation {
            filter.insert("_id", only.as_str());
        }
        self.of(CONVERSATIONS).find(filter).projection(doc! { "_id": 1 }).await
    }

    async fn search_in(
        &self,
        some: &[String],
        query: &SearchQuery,
    ) -> mongodb::error::Result<Vec<MessageId>> {
        let terms = query.terms.iter().filter(|term| !term.is_empty());
        let terms: Vec<Document> = terms.map(|term| doc! { "words": prefix(term) }).collect();
        let mut filter = doc! { "conversationId": { "$in": some }, "$and": terms, "deletedAt": null };
        if let Some(after) = &query.after {
            filter.insert("_id", doc! { "$lt": after });
        }
        let messages = self.of::<Found<MessageId>>(MESSAGES);
        let find = messages.find(filter).projection(doc! { "_id": 1 });
        find.sort(doc! { "_id": -1 })
            .limit(query.limit.into())
            .await?
            .map_ok(|row| row.id)
            .try_collect()
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::prefix;

    #[test]
    fn a_prefix_is_never_a_pattern() {
        for (start, pattern) in [("ada", "^ada"), (".*", r"^\.\*"), ("a\0(b", r"^a\(b"), ("çay", "^çay")] {
            assert_eq!(prefix(start).get_str("$regex").unwrap(), pattern);
        }
    }
}
