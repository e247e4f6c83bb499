//! `PresenceChanges`: arrivals and departures that are not announced yet. The scripts `attach` and `end` store them.

use async_trait::async_trait;
use shared::connection::PresenceChange;
use shared::id::UserId;
use shared::ports::{PresenceChanges, PresenceClaim, StoreResult};
use shared::time::Time;

use crate::Redis;

#[async_trait]
impl PresenceChanges for Redis {
    async fn claim(&self, claim: PresenceClaim<'_>) -> StoreResult<Vec<PresenceChange>> {
        let mut script = self.scripts.claim.prepare_invoke();
        script.key(&self.keys.arrivals).key(&self.keys.departures).key(&self.keys.changed_at);
        script.arg(claim.now.millis()).arg(claim.left_before.millis());
        script.arg(claim.claimed_until.millis()).arg(claim.limit);
        if let Some(user) = claim.user {
            script.arg(user.as_str());
        }
        // At most once: a repeat would find nothing, and the answer's changes would wait until the claim is over.
        let rows: Vec<(String, bool, i64)> = self.server.script_once(&script).await?;
        let mut changes: Vec<PresenceChange> = rows
            .into_iter()
            .map(|(user, online, at)| PresenceChange {
                user_id: UserId::trusted(user),
                online,
                at: Time::from_millis(at),
            })
            .collect();
        changes.sort_by_key(|change| change.at);
        Ok(changes)
    }

    async fn mark_announced(&self, changes: &[PresenceChange]) -> StoreResult<()> {
        if changes.is_empty() {
            return Ok(());
        }
        let mut script = self.scripts.mark_announced.prepare_invoke();
        script.key(&self.keys.arrivals).key(&self.keys.departures).key(&self.keys.changed_at);
        for change in changes {
            script.arg(change.user_id.as_str()).arg(u8::from(change.online)).arg(change.at.millis());
        }
        self.server.script(&script).await
    }

    async fn counts_as_online(&self, user: &UserId) -> StoreResult<bool> {
        let mut pipe = redis::pipe();
        pipe.atomic().sismember(&self.keys.online, user.as_str());
        pipe.zscore(&self.keys.departures, user.as_str()).hget(&self.keys.changed_at, user.as_str());
        let (online, due, at): (bool, Option<i64>, Option<i64>) = self.server.pipe(&pipe).await?;
        Ok(online || due.is_some() && due == at)
    }
}
