//! What is stored: one struct per collection, and how it becomes our words and back. Field names on disk are
//! camelCase, times are BSON dates (milliseconds), numbers are 64-bit.

mod auto_message;
mod conversation;
mod message;
mod user;

use mongodb::bson::DateTime;
use shared::time::Time;

pub(crate) use auto_message::AutoMessageRow;
pub(crate) use conversation::{ConversationRow, ListedRow};
pub(crate) use message::MessageRow;
pub(crate) use user::UserRow;

/// A time as a BSON date.
pub(crate) const fn date(time: Time) -> DateTime {
    DateTime::from_millis(time.millis())
}

/// A BSON date as a time.
pub(crate) const fn time(date: DateTime) -> Time {
    Time::from_millis(date.timestamp_millis())
}

/// BSON has no unsigned 64-bit number; nothing here comes near the border.
pub(crate) fn long(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The way back; what is below zero was never written by us.
pub(crate) fn number(long: i64) -> u64 {
    u64::try_from(long).unwrap_or(0)
}
