//! `MemberCache`: the members of small conversations, until five minutes after their last use.
//!
//! Any user can create many large groups, and this server also stores the sessions. Entries are therefore small
//! and short-lived: within the default rate limits one account occupies about 10 MB.

use async_trait::async_trait;
use shared::conversation::Members;
use shared::id::{ConversationId, UserId};
use shared::ports::{MemberCache, StoreResult};

use crate::Redis;

/// How long an entry lives after its last use, in seconds. Members never change, so an entry is never stale.
const TTL_SECONDS: u64 = 300;

/// Larger conversations are not cached: reading their document costs little beside pushing to so many members.
const LARGEST: usize = 16;

#[async_trait]
impl MemberCache for Redis {
    async fn get(&self, id: &ConversationId) -> StoreResult<Option<Members>> {
        let mut get = redis::cmd("GETEX");
        get.arg(self.keys.members(id)).arg("EX").arg(TTL_SECONDS);
        let ids: Option<String> = self.server.query(&get).await?;
        let members = |ids: String| Members {
            conversation_id: id.clone(),
            user_ids: ids.split(' ').map(UserId::trusted).collect(),
        };
        Ok(ids.map(members))
    }

    async fn put(&self, members: &Members) -> StoreResult<()> {
        if members.user_ids.len() > LARGEST {
            return Ok(());
        }
        let ids: Vec<&str> = members.user_ids.iter().map(UserId::as_str).collect();
        let mut set = redis::cmd("SET");
        set.arg(self.keys.members(&members.conversation_id)).arg(ids.join(" ")).arg("EX").arg(TTL_SECONDS);
        self.server.query(&set).await
    }
}
