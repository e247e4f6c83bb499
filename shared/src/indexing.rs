//! Keeping a search index beside the document store: the jobs on its queue, and what one of them does.

use serde::{Deserialize, Serialize};

use crate::error::{Error, StoreError};
use crate::id::MessageId;
use crate::ports::{IndexBacklog, OutboxMessage, SearchDocument, SearchIndexWriter};

/// The queue of messages that the search index should take.
pub const INDEXING_QUEUE: &str = "message_indexing_queue";

/// How many messages one job names: a bulk request's worth.
pub const MESSAGES_PER_JOB: usize = 200;

/// The body of a job on [`INDEXING_QUEUE`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IndexingJob {
    /// Which; what they say is read when the job is done.
    pub message_ids: Vec<MessageId>,
}

/// Jobs for these messages. A job is named by its first message: whoever looks at the queue finds it by that.
///
/// # Errors
/// `Internal` for ids that are no JSON, which do not exist.
pub fn jobs(ids: &[MessageId]) -> Result<Vec<OutboxMessage>, Error> {
    let job = |ids: &[MessageId]| {
        let body = serde_json::to_vec(&IndexingJob { message_ids: ids.to_vec() });
        let id = ids.first().map(MessageId::to_string).unwrap_or_default();
        body.map(|body| OutboxMessage { id, body, attempt: 0 }).map_err(|e| Error::Internal(Box::new(e)))
    };
    ids.chunks(MESSAGES_PER_JOB).map(job).collect()
}

/// Puts messages into the index as they are now, and marks those that are in. What changes meanwhile keeps
/// waiting, since the mark names the revision that was read. A message that the index refuses keeps no other
/// out.
///
/// # Errors
/// `Unavailable`; `Internal` when a message was refused, after all others are in and marked.
pub async fn index_messages(
    index_backlog: &dyn IndexBacklog,
    index: &dyn SearchIndexWriter,
    ids: &[MessageId],
) -> Result<(), Error> {
    let rows = index_backlog.documents(ids).await?;
    match index.index(&rows).await {
        Ok(()) => Ok(index_backlog.mark_indexed(&marks(&rows)).await?),
        Err(StoreError::Corrupt(..)) if rows.len() > 1 => one_by_one(index_backlog, index, &rows).await,
        Err(failure) => Err(failure.into()),
    }
}

async fn one_by_one(
    index_backlog: &dyn IndexBacklog,
    index: &dyn SearchIndexWriter,
    rows: &[SearchDocument],
) -> Result<(), Error> {
    let mut refused = None;
    for row in rows {
        let row = std::slice::from_ref(row);
        match index.index(row).await {
            Ok(()) => index_backlog.mark_indexed(&marks(row)).await?,
            Err(failure @ StoreError::Corrupt(..)) => refused = Some(failure),
            Err(failure) => return Err(failure.into()),
        }
    }
    refused.map_or(Ok(()), |failure| Err(failure.into()))
}

fn marks(rows: &[SearchDocument]) -> Vec<(MessageId, u64)> {
    rows.iter().map(|row| (row.message.id.clone(), row.revision)).collect()
}
