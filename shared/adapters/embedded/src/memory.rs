//! Data that may be lost with the process: connections, rooms, heartbeats, presence, rate limits, conversations'
//! members. It is plain memory behind mutexes, which are never held across an `await`.

mod connection_table;
mod connections;
mod members;
mod missed;
mod presence_changes;
mod rate_limits;

use std::sync::{Mutex, MutexGuard, PoisonError};

use connection_table::ConnectionTable;
use members::CachedMembers;
use missed::MissedMessages;
use rate_limits::RateLimitWindows;

#[derive(Default)]
pub(crate) struct Memory {
    connections: Mutex<ConnectionTable>,
    rate_limits: Mutex<RateLimitWindows>,
    members: Mutex<CachedMembers>,
    missed: Mutex<MissedMessages>,
}

/// Poisoned locks are used all the same: no method behind these locks can panic in the middle of a change.
impl Memory {
    fn connections(&self) -> MutexGuard<'_, ConnectionTable> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rate_limits(&self) -> MutexGuard<'_, RateLimitWindows> {
        self.rate_limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn members(&self) -> MutexGuard<'_, CachedMembers> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn missed(&self) -> MutexGuard<'_, MissedMessages> {
        self.missed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
