//! `SearchIndex` without a search engine: each message stores its folded words, and an index on (conversation, words)
//! finds them by prefix. It is always up to date, because the words are stored with the message.

use async_trait::async_trait;
use futures::TryStreamExt;
use mongodb::Cursor;
use mongodb::bson::{Document, doc};
use shared::id::{ConversationId, MessageId};
use shared::ports::{SearchHit, SearchIndex, SearchQuery, StoreResult};

use crate::client::Mongo;
use crate::failure::store_error;
use crate::indexes::{CONVERSATIONS, MESSAGES};
use crate::rows::IdRow;

/// How many conversations one query searches. A member of more takes more queries, not more memory.
const CONVERSATIONS_AT_ONCE: usize = 1_000;

/// A condition that an index can answer: the value starts with `start`, taken literally. NUL characters are left out:
/// the server accepts none in a pattern, and no stored word contains one.
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

#[async_trait]
impl SearchIndex for Mongo {
    async fn search(&self, query: &SearchQuery) -> StoreResult<Vec<SearchHit>> {
        if query.limit == 0 || query.terms.iter().all(String::is_empty) {
            return Ok(Vec::new());
        }
        let found = self.with_deadline(async { self.search_own(query).await.map_err(store_error) }).await?;
        Ok(found.into_iter().map(|id| SearchHit { cursor: id.as_str().to_owned(), message: id }).collect())
    }
}

impl Mongo {
    /// Searches the member's conversations, one batch after the other, and keeps the newest hits.
    async fn search_own(&self, query: &SearchQuery) -> mongodb::error::Result<Vec<MessageId>> {
        let mut own = self.own_conversations(query).await?;
        let mut newest = Vec::new();
        loop {
            let mut batch = Vec::new();
            while batch.len() < CONVERSATIONS_AT_ONCE
                && let Some(conversation) = own.try_next().await?
            {
                batch.push(conversation.id.as_str().to_owned());
            }
            if batch.is_empty() {
                return Ok(newest);
            }
            newest.extend(self.search_in(&batch, query).await?);
            newest.sort_unstable_by(|a, b| b.cmp(a));
            newest.truncate(query.limit as usize);
        }
    }

    async fn own_conversations(
        &self,
        query: &SearchQuery,
    ) -> mongodb::error::Result<Cursor<IdRow<ConversationId>>> {
        let mut filter = doc! { "members.userId": query.member.as_str() };
        if let Some(only) = &query.conversation {
            filter.insert("_id", only.as_str());
        }
        self.collection(CONVERSATIONS)
            .find(filter)
            .max_time(self.max_time())
            .projection(doc! { "_id": 1 })
            .await
    }

    async fn search_in(
        &self,
        conversations: &[String],
        query: &SearchQuery,
    ) -> mongodb::error::Result<Vec<MessageId>> {
        let terms = query.terms.iter().filter(|term| !term.is_empty());
        let terms: Vec<Document> = terms.map(|term| doc! { "words": prefix(term) }).collect();
        let mut filter =
            doc! { "conversationId": { "$in": conversations }, "$and": terms, "deletedAt": null };
        if let Some(after) = &query.after {
            filter.insert("_id", doc! { "$lt": after });
        }
        let messages = self.collection::<IdRow<MessageId>>(MESSAGES);
        let find = messages.find(filter).max_time(self.max_time()).projection(doc! { "_id": 1 });
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
    fn prefix_matches_special_characters_literally() {
        for (start, pattern) in [("ada", "^ada"), (".*", r"^\.\*"), ("a\0(b", r"^a\(b"), ("çay", "^çay")] {
            assert_eq!(prefix(start).get_str("$regex").unwrap(), pattern);
        }
    }
}
