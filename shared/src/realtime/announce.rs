//! Announcing who came online and who left. The connection store decides what is to be announced; this tells the
//! others: directly when they are few, otherwise by the function [`FANOUT`], page by page.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::event::ServerEvent;
use super::fanout::Fanout;
use super::settings::{Audience, RealtimeSettings};
use crate::connection::{PresenceChange, Receiver};
use crate::id::{ConnectionId, UserId};
use crate::ports::{Connections, Functions, PresenceChanges, PresenceClaim, Push, Rooms, StoreResult};
use crate::time::Time;

/// The function that tells many.
pub const FANOUT: &str = "ws-fanout";

/// How long a claimed change is left to the claimer. Longer than any function that announces may run.
const CLAIM: Duration = Duration::from_secs(60);

/// How many changes are claimed at once.
const BATCH: u32 = 16;

/// One page of an announcement: an event of [`FANOUT`]. A cursor is a connection's id, or a user's if the audience is
/// the user's contacts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AnnouncementPage {
    pub change: PresenceChange,
    /// Where the page before ended.
    pub after: Option<String>,
    /// Where this page ends; without it, this page has no successor yet.
    pub until: Option<String>,
}

impl AnnouncementPage {
    /// The event that starts [`FANOUT`] with this page.
    pub fn event(&self) -> serde_json::Value {
        json!({ "announce": self })
    }
}

impl PresenceChange {
    /// The event for the others.
    pub fn server_event(&self) -> ServerEvent<'_> {
        match self.online {
            true => ServerEvent::UserOnline { user_id: &self.user_id },
            false => ServerEvent::UserOffline { user_id: &self.user_id, last_seen_at: self.at },
        }
    }
}

/// Announces presence changes.
#[derive(Clone, Copy)]
pub struct Announcer<'a> {
    pub fanout: Fanout<'a>,
    pub changes: &'a dyn PresenceChanges,
    pub functions: &'a dyn Functions,
    pub settings: &'a RealtimeSettings,
}

impl<'a> Announcer<'a> {
    /// One store of connections, and one way to push and to start functions.
    pub fn over<C, P>(connections: &'a C, gateway: &'a P, settings: &'a RealtimeSettings) -> Self
    where
        C: Connections + Rooms + PresenceChanges,
        P: Push + Functions,
    {
        let fanout = Fanout::over(connections, gateway);
        Self { fanout, changes: connections, functions: gateway, settings }
    }

    /// Announces that this user came online. A failure is logged: the change stays stored, and the heartbeat announces
    /// it.
    pub async fn arrival(&self, user: &UserId, now: Time) {
        if let Err(error) = self.announce_batch(Some(user), now).await {
            tracing::warn!(%error, %user, "arrival not announced yet");
        }
    }

    /// Announces all changes that are due at `now`, batch by batch until `is_over`, but at least one batch. Returns how
    /// many.
    ///
    /// # Errors
    /// `Unavailable`; what was claimed is due again a minute later.
    pub async fn due(&self, now: Time, mut is_over: impl FnMut() -> bool + Send) -> StoreResult<u64> {
        let mut announced = 0;
        loop {
            let batch = self.announce_batch(None, now).await?;
            announced += u64::from(batch);
            if batch < BATCH || is_over() {
                return Ok(announced);
            }
        }
    }

    async fn announce_batch(&self, user: Option<&UserId>, now: Time) -> StoreResult<u32> {
        let claim = PresenceClaim {
            user,
            now,
            left_before: now - self.settings.grace,
            claimed_until: now + CLAIM,
            limit: BATCH,
        };
        let changes = self.changes.claim(claim).await?;
        for change in &changes {
            self.announce(change, now).await?;
        }
        self.changes.mark_announced(&changes).await?;
        Ok(u32::try_from(changes.len()).unwrap_or(u32::MAX))
    }

    async fn announce(&self, change: &PresenceChange, now: Time) -> StoreResult<()> {
        if self.settings.audience == Audience::Everyone {
            let direct = self.settings.direct;
            let receivers = self.fanout.connections.all_attached(None, direct.saturating_add(1)).await?;
            if receivers.len() <= direct as usize {
                let others: Vec<&Receiver> = others(change, &receivers).collect();
                self.fanout.to_until(&others, &change.server_event(), now, || false).await;
                return Ok(());
            }
        }
        let page = AnnouncementPage { change: change.clone(), after: None, until: None };
        self.functions.start(FANOUT, &page.event()).await
    }
}

/// Those receivers that belong to other users.
pub fn others<'r>(change: &PresenceChange, receivers: &'r [Receiver]) -> impl Iterator<Item = &'r Receiver> {
    let user = change.user_id.clone();
    receivers.iter().filter(move |receiver| receiver.user_id != user)
}

/// The cursor of a connection.
pub fn cursor(id: &ConnectionId) -> String {
    id.as_str().to_owned()
}
