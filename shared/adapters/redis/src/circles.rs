//! `Cache`: a conversation's members, for a day from when they were looked up.

use async_trait::async_trait;
use shared::conversation::Circle;
use shared::id::{ConversationId, UserId};
use shared::ports::{Cache, Stored};

use crate::Redis;

/// How long they are kept, in seconds. They cannot become wrong, only useless.
const KEPT: u64 = 24 * 3_600;

#[async_trait]
impl Cache for Redis {
    async fn circle(&self, id: &ConversationId) -> Stored<Option<Circle>> {
        let mut get = redis::cmd("GET");
        get.arg(self.keys.circle(id));
        let ids: Option<String> = self.link.query(&get).await?;
        Ok(ids.map(|ids| Circle { id: id.clone(), members: ids.split(' ').map(UserId::trusted).collect() }))
    }

    async fn keep(&self, circle: &Circle) -> Stored<()> {
        let ids: Vec<&str> = circle.members.iter().map(UserId::as_str).collect();
        let mut set = redis::cmd("SET");
        set.arg(self.keys.circle(&circle.id)).arg(ids.join(" ")).arg("EX").arg(KEPT);
        self.link.query(&set).await
    }
}
