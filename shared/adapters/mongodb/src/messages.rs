//! `Messages`: appends, pages by `seq`, edits and deletions. A message is stored once, so a change is one update.

use async_trait::async_trait;
use futures::TryStreamExt;
use mongodb::bson::{Document, doc};
use mongodb::options::{ReturnDocument, UpdateModifications};
use shared::id::{ConversationId, MessageId};
use shared::message::{Appended, Draft, Message, SeqRange};
use shared::ports::{Messages, StoreResult};
use shared::search::vocabulary;
use shared::time::Time;

use crate::client::Mongo;
use crate::failure::store_error;
use crate::indexes::{CONVERSATIONS, MESSAGES};
use crate::rows::{MessageRow, date, long};

#[async_trait]
impl Messages for Mongo {
    async fn append(&self, draft: &Draft) -> StoreResult<Appended> {
        self.with_deadline(async {
            futures::future::try_join(self.ensure_indexes(CONVERSATIONS), self.ensure_indexes(MESSAGES))
                .await?;
            self.append_draft(draft).await
        })
        .await
    }

    async fn by_ids(&self, ids: &[MessageId]) -> StoreResult<Vec<Message>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<&str> = ids.iter().map(MessageId::as_str).collect();
        self.find_messages(doc! { "_id": { "$in": ids } }, doc! {}, 0).await
    }

    async fn page(
        &self,
        conversation: &ConversationId,
        span: SeqRange,
        limit: u32,
    ) -> StoreResult<Vec<Message>> {
        if limit == 0 {
            return Ok(Vec::new()); // MongoDB reads 0 as no limit.
        }
        let mut filter = doc! { "conversationId": conversation.as_str() };
        let (newest_first, bound) = match span {
            SeqRange::Latest => (true, None),
            SeqRange::Before(seq) => (true, Some(doc! { "$lt": long(seq) })),
            SeqRange::After(seq) => (false, Some(doc! { "$gt": long(seq) })),
        };
        filter.extend(bound.map(|bound| ("seq".to_owned(), bound.into())));
        let sort = doc! { "seq": if newest_first { -1 } else { 1 } };
        let mut page = self.find_messages(filter, sort, limit).await?;
        if newest_first {
            page.reverse();
        }
        Ok(page)
    }

    async fn edit(&self, id: &MessageId, content: &str, at: Time) -> StoreResult<Option<Message>> {
        let (words, at) = (vocabulary(content), date(at));
        let set = doc! { "content": content, "words": words, "editedAt": at, "unindexed": at };
        let update = doc! { "$set": set, "$inc": { "revision": 1_i64 } };
        self.change(doc! { "_id": id.as_str(), "deletedAt": null }, update).await
    }

    async fn delete(&self, id: &MessageId, at: Time) -> StoreResult<Option<Message>> {
        let deleted_at = doc! { "$ifNull": ["$deletedAt", date(at)] };
        let revision = doc! { "$add": [{ "$ifNull": ["$revision", 0_i64] }, 1_i64] };
        let mut set = doc! { "content": "", "words": [], "deletedAt": deleted_at };
        set.extend(doc! { "revision": revision, "unindexed": date(at) });
        self.change(doc! { "_id": id.as_str() }, vec![doc! { "$set": set }]).await
    }
}

impl Mongo {
    /// Messages without their search words; a `limit` of 0 means no limit.
    async fn find_messages(&self, filter: Document, sort: Document, limit: u32) -> StoreResult<Vec<Message>> {
        let messages = self.collection::<MessageRow>(MESSAGES);
        let find = messages
            .find(filter)
            .max_time(self.max_time())
            .projection(doc! { "words": 0 })
            .sort(sort)
            .limit(limit.into());
        let rows = async { find.await?.map_ok(Message::from).try_collect().await };
        self.with_deadline(async { rows.await.map_err(store_error) }).await
    }

    /// Changes one message and returns it as it is afterwards.
    async fn change(
        &self,
        filter: Document,
        update: impl Into<UpdateModifications> + Send,
    ) -> StoreResult<Option<Message>> {
        let messages = self.collection::<MessageRow>(MESSAGES);
        let change = messages
            .find_one_and_update(filter, update)
            .max_time(self.max_time())
            .projection(doc! { "words": 0 })
            .return_document(ReturnDocument::After);
        let row = self.with_deadline(async { change.await.map_err(store_error) }).await?;
        Ok(row.map(Message::from))
    }
}
