//! Automatic messages: planned at night, queued when due, sent as a message by the consumer.

use serde::{Deserialize, Serialize};

use crate::id::{AutoMessageId, UserId};
use crate::time::Time;

/// The queue of due automatic messages.
pub const SENDING_QUEUE: &str = "message_sending_queue";

/// A planned automatic message as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AutoMessage {
    /// Derived from the day and the sender, so that planning a day twice stores each row once.
    pub id: AutoMessageId,
    pub sender_id: UserId,
    pub receiver_id: UserId,
    pub content: String,
    /// The time from which it is due.
    pub send_date: Time,
    /// The day it was planned for, `YYYY-MM-DD` in the planner's time zone.
    pub planned_for: String,
    /// Whether the broker has confirmed its job.
    pub is_queued: bool,
    /// Whether its message is stored and was announced.
    pub is_sent: bool,
    /// How often it was claimed for queueing.
    pub attempts: u32,
}

/// The body of a job on [`SENDING_QUEUE`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SendingJob {
    /// The planned row; the consumer reads everything else from it.
    pub auto_message_id: AutoMessageId,
    pub sender_id: UserId,
    pub receiver_id: UserId,
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
