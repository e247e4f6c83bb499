//! What may be lost with the process: connections, rooms, heartbeats, presence, rate limits, conversations'
//! members. Plain memory behind short locks; nothing here ever waits.

mod connection_table;
mod connections;
mod members;
mod rate_limits;

use std::sync::{Mutex, MutexGuard, PoisonError};

use connection_table::ConnectionTable;
use members::CachedMembers;
use rate_limits::Windows;

#[derive(Default)]
pub(crate) struct Memory {
    connections: Mutex<ConnectionTable>,
    windows: Mutex<Windows>,
    members: Mutex<CachedMembers>,
}

impl Memory {
    /// Every change of the board is complete before the lock is free, so a panic elsewhere spoils nothing.
    fn connections(&self) -> MutexGuard<'_, ConnectionTable> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn windows(&self) -> MutexGuard<'_, Windows> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn members(&self) -> MutexGuard<'_, CachedMembers> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
