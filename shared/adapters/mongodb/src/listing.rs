//! Conversations as their reader lists them: one pipeline, one round trip, however many rows.

use futures::TryStreamExt;
use mongodb::bson::{Document, doc};
use shared::conversation::MemberConversation;
use shared::id::{ConversationId, UserId};
use shared::ports::StoreResult;

use crate::client::Mongo;
use crate::failure::failed;
use crate::indexes::{CONVERSATIONS, MESSAGES};
use crate::rows::{ListedRow, number};

/// What the unread pipeline answers with.
#[derive(serde::Deserialize)]
struct UnreadRow {
    #[serde(rename = "_id")]
    id: ConversationId,
    unread: i64,
}

impl Mongo {
    /// The rows that `select` (match, sort, limit) leaves, joined with their last message and with what
    /// `reader` has not read; without a reader nothing is unread.
    pub(crate) async fn listed(
        &self,
        select: Vec<Document>,
        reader: Option<&UserId>,
    ) -> StoreResult<Vec<MemberConversation>> {
        let mut pipeline = select;
        pipeline.push(doc! { "$project": { "pending": 0 } });
        pipeline.push(doc! { "$project": { "conversation": "$$ROOT" } });
        pipeline.push(last_message());
        match reader {
            Some(reader) => pipeline.extend(unread_of(reader, "conversation.")),
            None => pipeline.push(doc! { "$set": { "unread": 0_i64 } }),
        }
        pipeline.push(doc! { "$project": {
            "conversation": 1,
            "lastMessage": { "$first": "$lastMessage" },
            "unread": 1,
        } });
        let conversations = self.of::<Document>(CONVERSATIONS);
        let aggregate = conversations.aggregate(pipeline).with_type::<ListedRow>();
        let rows = async { aggregate.await?.map_ok(MemberConversation::from).try_collect().await };
        self.bounded(async { rows.await.map_err(failed) }).await
    }

    /// Every conversation in which `reader` has unread messages.
    pub(crate) async fn unread_by(&self, reader: &UserId) -> StoreResult<Vec<(ConversationId, u64)>> {
        let mut pipeline = vec![
            doc! { "$match": { "members.userId": reader.as_str() } },
            doc! { "$project": { "members": 1, "lastSeq": 1 } },
        ];
        pipeline.extend(unread_of(reader, ""));
        pipeline.push(doc! { "$match": { "unread": { "$gt": 0 } } });
        pipeline.push(doc! { "$project": { "unread": 1 } });
        let conversations = self.of::<Document>(CONVERSATIONS);
        let aggregate = conversations.aggregate(pipeline).with_type::<UnreadRow>();
        let rows = async { aggregate.await?.map_ok(|row| (row.id, number(row.unread))).try_collect().await };
        self.bounded(async { rows.await.map_err(failed) }).await
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

/// Sets `unread`: messages of others, not deleted, after what the reader read and up to `lastSeq`, so that
/// the number and the last message never tell different stories.
/// `at` is where the conversation's fields lie: nothing, or a path with its dot.
fn unread_of(reader: &UserId, at: &str) -> [Document; 3] {
    let reader = reader.as_str();
    let field = |name: &str| format!("${at}{name}");
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
            // Not `$count`: the same in words that every server of the protocol knows.
            { "$group": { "_id": null, "n": { "$sum": 1_i64 } } },
        ],
        "as": "unread",
    } };
    [
        doc! { "$set": { "own": { "$first": own } } },
        count,
        // The group's one row, or none; named first, because not every server walks a path through an array.
        doc! { "$set": { "unread": { "$let": {
            "vars": { "row": { "$first": "$unread" } },
            "in": { "$ifNull": ["$$row.n", 0_i64] },
        } } } },
    ]
}
