//! Keeps a search index beside the document store up to date: the jobs on its queue, and how one is done.

use serde::{Deserialize, Serialize};

use crate::error::{Error, StoreError};
use crate::id::MessageId;
use crate::ports::{IndexBacklog, OutboxMessage, SearchDocument, SearchIndexWriter};

/// The queue of messages to be written to the search index.
pub const INDEXING_QUEUE: &str = "message_indexing_queue";

/// The most messages of one job; the index takes them in one bulk request.
pub const MESSAGES_PER_JOB: usize = 200;

/// The body of a job on [`INDEXING_QUEUE`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IndexingJob {
    /// The content is read from the store when the job is done, so that the index gets the newest.
    pub message_ids: Vec<MessageId>,
}

/// Jobs for these messages. A job's `message-id` on the queue is the id of its first message.
///
/// # Errors
/// `Internal` if a job cannot be serialised.
pub fn jobs(ids: &[MessageId]) -> Result<Vec<OutboxMessage>, Error> {
    let job = |ids: &[MessageId]| {
        let body = serde_json::to_vec(&IndexingJob { message_ids: ids.to_vec() });
        let id = ids.first().map(MessageId::to_string).unwrap_or_default();
        body.map(|body| OutboxMessage { id, body, attempt: 0 }).map_err(|e| Error::Internal(Box::new(e)))
    };
    ids.chunks(MESSAGES_PER_JOB).map(job).collect()
}

/// Writes messages to the index as they are now, and marks their revisions as indexed. A message that changes in the
/// meantime stays in the backlog. A message that the index rejects does not stop the others.
///
/// # Errors
/// `Unavailable`; `Internal` if the index rejected a message, after all others are written and marked.
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

/// Finds the messages that the index rejects: a rejected batch does not say which they are.
async fn one_by_one(
    index_backlog: &dyn IndexBacklog,
    index: &dyn SearchIndexWriter,
    rows: &[SearchDocument],
) -> Result<(), Error> {
    let mut rejected = None;
    for row in rows {
        let row = std::slice::from_ref(row);
        match index.index(row).await {
            Ok(()) => index_backlog.mark_indexed(&marks(row)).await?,
            Err(failure @ StoreError::Corrupt(..)) => rejected = Some(failure),
            Err(failure) => return Err(failure.into()),
        }
    }
    rejected.map_or(Ok(()), |failure| Err(failure.into()))
}

fn marks(rows: &[SearchDocument]) -> Vec<(MessageId, u64)> {
    rows.iter().map(|row| (row.message.id.clone(), row.revision)).collect()
}
