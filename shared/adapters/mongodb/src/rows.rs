//! The stored documents: one struct per collection, with conversions to and from the domain's types. Stored field
//! names are camelCase, times are BSON dates (milliseconds), numbers are 64-bit.

mod auto_message;
mod conversation;
mod message;
mod user;

use mongodb::bson::DateTime;
use serde::Deserialize;
use shared::time::Time;

pub(crate) use auto_message::AutoMessageRow;
pub(crate) use conversation::{ConversationRow, ListedRow};
pub(crate) use message::MessageRow;
pub(crate) use user::UserRow;

/// A document of which only the id is read.
#[derive(Deserialize)]
pub(crate) struct IdRow<Id> {
    #[serde(rename = "_id")]
    pub(crate) id: Id,
}

pub(crate) const fn date(time: Time) -> DateTime {
    DateTime::from_millis(time.millis())
}

pub(crate) const fn time(date: DateTime) -> Time {
    Time::from_millis(date.timestamp_millis())
}

/// BSON has no unsigned 64-bit number; no counter comes near the limit.
pub(crate) fn long(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The inverse of [`long`]; this adapter never writes negative counters.
pub(crate) fn number(long: i64) -> u64 {
    u64::try_from(long).unwrap_or(0)
}
