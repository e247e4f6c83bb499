//! What is kept close at hand and may be lost at any time.

use async_trait::async_trait;

use crate::conversation::Circle;
use crate::id::ConversationId;
use crate::ports::Stored;

/// Conversations' members. They never change, so what is found here is never stale.
#[async_trait]
pub trait Cache: Send + Sync {
    /// What was kept, unless it was lost since.
    async fn circle(&self, id: &ConversationId) -> Stored<Option<Circle>>;
    /// Keeps it for as long as is convenient, or not at all.
    async fn keep(&self, circle: &Circle) -> Stored<()>;
}
