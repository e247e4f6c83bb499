//! Automatic messages: planned at night, queued when due, turned into a Message by the consumer.

use serde::{Deserialize, Serialize};

use crate::id::{AutoMessageId, UserId};
use crate::time::Time;

/// The queue that due messages go to.
pub const SENDING_QUEUE: &str = "message_sending_queue";

/// A planned message as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AutoMessage {
    /// Which; derived from the day and the sender, so that a second planning meets the first.
    pub id: AutoMessageId,
    /// In whose name.
    pub sender_id: UserId,
    /// To whom.
    pub receiver_id: UserId,
    /// What.
    pub content: String,
    /// When it is due.
    pub send_date: Time,
    /// The day it was planned for, `YYYY-MM-DD` in the planner's time zone.
    pub planned_for: String,
    /// The broker has confirmed it.
    pub is_queued: bool,
    /// The Message exists and was announced.
    pub is_sent: bool,
    /// How often it was claimed for queueing.
    pub attempts: u32,
}

/// The body of a job on [`SENDING_QUEUE`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SendingJob {
    /// Which.
    pub auto_message_id: AutoMessageId,
    /// In whose name.
    pub sender_id: UserId,
    /// To whom.
    pub receiver_id: UserId,
    /// What.
    pub content: String,
}

impl From<&AutoMessage> for SendingJob {
    fn from(row: &AutoMessage) -> Self {
        Self {
            auto_message_id: row.id.clone(),
            sender_id: row.sender_id.clone(),
            receiver_id: row.receiver_id.clone(),
            content: row.content.clone(),
        }
    }
}
