//! Conversations with last message and unread count: one pipeline and one round trip for any number of rows.

use futures::TryStreamExt;
use mongodb::bson::{Document, doc};
use shared::conversation::MemberConversation;
use shared::id::{ConversationId, UserId};
use shared::ports::StoreResult;

use crate::client::Mongo;
use crate::failure::store_error;
use crate::indexes::{CONVERSATIONS, MESSAGES};
use crate::rows::{ListedRow, number};

/// A result row of the unread pipeline.
#[derive(serde::Deserialize)]
struct UnreadRow {
    #[serde(rename = "_id")]
    id: ConversationId,
    unread: i64,
}

impl Mongo {
    /// The conversations that the stages `select` (match, sort, limit) return, with their last messages and with the
    /// unread count of `reader`, which is 0 without a reader.
    pub(crate) async fn list_conversations(
        &self,
        select: Vec<Document>,
        reader: Option<&UserId>,
    ) -> StoreResult<Vec<MemberConversation>> {
        let mut pipeline = select;
        pipeline.push(doc! { "$project": { "pending": 0 } });
        pipeline.push(doc! { "$project": { "conversation": "$$ROOT" } });
        pipeline.push(last_message());
        match reader {
            Some(reader) => pipeline.extend(unread_stages(reader, "conversation.")),
            None => pipeline.push(doc! { "$set": { "unread": 0_i64 } }),
        }
        pipeline.push(doc! { "$project": {
            "conversation": 1,
            "lastMessage": { "$first": "$lastMessage" },
            "unread": 1,
        } });
        let conversations = self.collection::<Document>(CONVERSATIONS);
        let aggregate = conversations.aggregate(pipeline).max_time(self.max_time()).with_type::<ListedRow>();
        let rows = async { aggregate.await?.map_ok(MemberConversation::from).try_collect().await };
        self.with_deadline(async { rows.await.map_err(store_error) }).await
    }

    /// The conversations in which `reader` has unread messages, with their number.
    pub(crate) async fn unread_counts(&self, reader: &UserId) -> StoreResult<Vec<(ConversationId, u64)>> {
        let mut pipeline = vec![
            doc! { "$match": { "members.userId": reader.as_str() } },
            doc! { "$project": { "members": 1, "lastSeq": 1 } },
        ];
        pipeline.extend(unread_stages(reader, ""));
        pipeline.push(doc! { "$match": { "unread": { "$gt": 0 } } });
        pipeline.push(doc! { "$project": { "unread": 1 } });
        let conversations = self.collection::<Document>(CONVERSATIONS);
        let aggregate = conversations.aggregate(pipeline).max_time(self.max_time()).with_type::<UnreadRow>();
        let rows = async { aggregate.await?.map_ok(|row| (row.id, number(row.unread))).try_collect().await };
        self.with_deadline(async { rows.await.map_err(store_error) }).await
    }
}

fn last_message() -> Document {
    doc! { "$lookup": {
        "from": MESSAGES,
        "localField": "conversation.lastMessageId",
        "foreignField": "_id",
        "as": "lastMessage",
    } }
}

/// Stages that set `unread`: the number of other users' messages, not deleted, that the reader has not read. It counts
/// up to `lastSeq` only, so that it always agrees with the last message. `path` leads to the conversation's fields:
/// empty, or a field name with a dot.
fn unread_stages(reader: &UserId, path: &str) -> [Document; 3] {
    let reader = reader.as_str();
    let field = |name: &str| format!("${path}{name}");
    let own = doc! { "$filter": {
        "input": field("members"), "as": "m", "cond": { "$eq": ["$$m.userId", { "$literal": reader }] },
    } };
    let between = doc! { "$and": [
        { "$eq": ["$conversationId", "$$id"] },
        { "$gt": ["$seq", "$$read"] },
        { "$lte": ["$seq", "$$last"] },
    ] };
    let count = doc! { "$lookup": {
        "from": MESSAGES,
        "let": { "id": "$_id", "read": "$own.readSeq", "last": field("lastSeq") },
        "pipeline": [
            { "$match": { "$expr": between, "senderId": { "$ne": reader }, "deletedAt": null } },
            // `$group` instead of `$count`, because every MongoDB-compatible server supports it.
            { "$group": { "_id": null, "n": { "$sum": 1_i64 } } },
        ],
        "as": "unread",
    } };
    [
        doc! { "$set": { "own": { "$first": own } } },
        count,
        // The group has one row or none. `$let` names it, because not every server resolves a path into an array.
        doc! { "$set": { "unread": { "$let": {
            "vars": { "row": { "$first": "$unread" } },
            "in": { "$ifNull": ["$$row.n", 0_i64] },
        } } } },
    ]
}
