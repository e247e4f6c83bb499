//! Users who came online or left, until that is announced.

use std::collections::HashMap;

use shared::connection::PresenceChange;
use shared::id::UserId;
use shared::ports::PresenceClaim;
use shared::time::Time;

#[derive(Default)]
pub(super) struct UnannouncedChanges {
    by_user: HashMap<UserId, Change>,
}

struct Change {
    online: bool,
    at: Time,
    /// No other claim finds it before; `None` for an unclaimed change.
    claimed_until: Option<Time>,
}

impl UnannouncedChanges {
    /// Returns whether the arrival is to be announced. It is not if it cancels an unclaimed departure.
    pub(super) fn come_online(&mut self, user: &UserId, now: Time) -> bool {
        self.replace(user, true, now)
    }

    pub(super) fn go_offline(&mut self, user: &UserId, now: Time) {
        self.replace(user, false, now);
    }

    /// The opposite change cancels an unclaimed one.
    fn replace(&mut self, user: &UserId, online: bool, at: Time) -> bool {
        let before = self.by_user.remove(user);
        let cancels = before.is_some_and(|before| before.online != online && before.claimed_until.is_none());
        if !cancels {
            self.by_user.insert(user.clone(), Change { online, at, claimed_until: None });
        }
        !cancels
    }

    pub(super) fn has_arrival(&self, user: &UserId) -> bool {
        self.by_user.get(user).is_some_and(|change| change.online)
    }

    /// Whether the user has left and the departure is unclaimed.
    pub(super) fn has_unclaimed_departure(&self, user: &UserId) -> bool {
        self.by_user.get(user).is_some_and(|change| !change.online && change.claimed_until.is_none())
    }

    pub(super) fn claim(&mut self, claim: &PresenceClaim<'_>) -> Vec<PresenceChange> {
        let is_due = |change: &Change| {
            let due = change.claimed_until.unwrap_or(change.at);
            due <= if change.online { claim.now } else { claim.left_before }
        };
        let mut due: Vec<(&UserId, &mut Change)> = match claim.user {
            Some(user) => {
                let change = self.by_user.get_mut(user).filter(|change| is_due(change));
                change.map(|change| (user, change)).into_iter().collect()
            }
            None => self.by_user.iter_mut().filter(|(_, change)| is_due(change)).collect(),
        };
        due.sort_by_key(|(_, change)| change.at);
        due.truncate(claim.limit as usize);
        let claimed = due.into_iter().map(|(user, change)| {
            change.claimed_until = Some(claim.claimed_until);
            PresenceChange { user_id: user.clone(), online: change.online, at: change.at }
        });
        claimed.collect()
    }

    pub(super) fn mark_announced(&mut self, changes: &[PresenceChange]) {
        for announced in changes {
            let stored = self.by_user.get(&announced.user_id);
            if stored.is_some_and(|stored| stored.online == announced.online && stored.at == announced.at) {
                self.by_user.remove(&announced.user_id);
            }
        }
    }
}
