//! `Cache`: the members of small conversations, for as long as they are asked for.
//!
//! Anybody can make many large groups, and this server also keeps the sessions. What is kept is therefore small
//! and short-lived: within the default rate limits one account occupies some 10 MB.

use async_trait::async_trait;
use shared::conversation::Circle;
use shared::id::{ConversationId, UserId};
use shared::ports::{Cache, Stored};

use crate::Redis;

/// How long they are kept after they were last asked for, in seconds. They cannot become wrong, only useless.
const KEPT: u64 = 300;

/// Larger ones are not kept: a look at the documents costs little beside telling so many people.
const LARGEST: usize = 16;

#[async_trait]
impl Cache for Redis {
    async fn circle(&self, id: &ConversationId) -> Stored<Option<Circle>> {
        let mut get = redis::cmd("GETEX");
        get.arg(self.keys.circle(id)).arg("EX").arg(KEPT);
        let ids: Option<String> = self.link.query(&get).await?;
        Ok(ids.map(|ids| Circle { id: id.clone(), members: ids.split(' ').map(UserId::trusted).collect() }))
    }

    async fn keep(&self, circle: &Circle) -> Stored<()> {
        if circle.members.len() > LARGEST {
            return Ok(());
        }
        let ids: Vec<&str> = circle.members.iter().map(UserId::as_str).collect();
        let mut set = redis::cmd("SET");
        set.arg(self.keys.circle(&circle.id)).arg(ids.join(" ")).arg("EX").arg(KEPT);
        self.link.query(&set).await
    }
}
