//! A document of `auto_messages`.

use mongodb::bson::DateTime;
use mongodb::bson::oid::ObjectId;
use serde::{Deserialize, Serialize};
use shared::auto_message::AutoMessage;
use shared::id::{AutoMessageId, UserId};

use super::{date, time};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AutoMessageRow {
    #[serde(rename = "_id")]
    id: AutoMessageId,
    sender_id: UserId,
    receiver_id: UserId,
    /// Sender and receiver. A unique index over this array allows each user one row per day.
    parts: [UserId; 2],
    content: String,
    send_date: DateTime,
    planned_for: String,
    is_queued: bool,
    is_sent: bool,
    attempts: i64,
    /// No other claim may take the row before this; the epoch if it was never claimed.
    lease_until: DateTime,
    /// The token of the claim that holds the lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    claim: Option<ObjectId>,
}

impl From<&AutoMessage> for AutoMessageRow {
    fn from(row: &AutoMessage) -> Self {
        Self {
            id: row.id.clone(),
            sender_id: row.sender_id.clone(),
            receiver_id: row.receiver_id.clone(),
            parts: [row.sender_id.clone(), row.receiver_id.clone()],
            content: row.content.clone(),
            send_date: date(row.send_date),
            planned_for: row.planned_for.clone(),
            is_queued: row.is_queued,
            is_sent: row.is_sent,
            attempts: i64::from(row.attempts),
            lease_until: DateTime::from_millis(0),
            claim: None,
        }
    }
}

impl From<AutoMessageRow> for AutoMessage {
    fn from(row: AutoMessageRow) -> Self {
        Self {
            id: row.id,
            sender_id: row.sender_id,
            receiver_id: row.receiver_id,
            content: row.content,
            send_date: time(row.send_date),
            planned_for: row.planned_for,
            is_queued: row.is_queued,
            is_sent: row.is_sent,
            attempts: u32::try_from(row.attempts).unwrap_or(u32::MAX),
        }
    }
}
