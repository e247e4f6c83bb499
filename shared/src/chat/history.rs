//! Reading a page of a conversation's history.

use serde::Serialize;

use super::members::MemberLookup;
use crate::error::Error;
use crate::id::{ConversationId, MessageId, UserId};
use crate::message::{Message, SeqRange};
use crate::page::PageSize;
use crate::ports::Messages;

/// A page of history as clients see it: oldest message first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct History {
    pub messages: Vec<Message>,
    /// The older page's `before`; null at the start of history.
    pub next_cursor: Option<MessageId>,
    /// The newer page's `after`; null when the page is empty and the request named no message.
    pub prev_cursor: Option<MessageId>,
}

/// Which page: the newest one, or the one next to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HistoryCursor {
    Latest,
    /// The messages that directly precede this one.
    Before(MessageId),
    /// The messages that directly follow this one.
    After(MessageId),
}

/// One page of a conversation's history.
///
/// # Errors
/// `NotFound` when the caller is no member, or the cursor's message is not in this conversation;
/// `Unavailable`.
pub async fn history(
    members: MemberLookup<'_>,
    messages: &dyn Messages,
    caller: &UserId,
    conversation: &ConversationId,
    cursor: &HistoryCursor,
    size: PageSize,
) -> Result<History, Error> {
    members.get(conversation, caller).await?;
    let range = seq_range(messages, conversation, cursor).await?;
    let mut page = messages.page(conversation, range, size.plus_one()).await?;
    let more = page.len() > size.get() as usize;
    let forward = matches!(range, SeqRange::After(_));
    if more && forward {
        page.pop();
    } else if more {
        page.remove(0);
    }
    // A forward page always has an older neighbour: the cursor's message itself.
    let older = more || forward;
    let anchor = match cursor {
        HistoryCursor::Latest => None,
        HistoryCursor::Before(id) | HistoryCursor::After(id) => Some(id.clone()),
    };
    let first = page.first().map(|m| m.id.clone());
    let next_cursor = if older { first.or_else(|| anchor.clone()) } else { None };
    let prev_cursor = page.last().map(|m| m.id.clone()).or(anchor);
    Ok(History { messages: page, next_cursor, prev_cursor })
}

async fn seq_range(
    messages: &dyn Messages,
    conversation: &ConversationId,
    cursor: &HistoryCursor,
) -> Result<SeqRange, Error> {
    let (HistoryCursor::Before(id) | HistoryCursor::After(id)) = cursor else {
        return Ok(SeqRange::Latest);
    };
    let found = messages.by_ids(std::slice::from_ref(id)).await?;
    let seq = found
        .iter()
        .find(|m| m.conversation_id == *conversation)
        .map(|m| m.seq)
        .ok_or(Error::NotFound("the message"))?;
    Ok(if matches!(cursor, HistoryCursor::After(_)) { SeqRange::After(seq) } else { SeqRange::Before(seq) })
}
