//! What may be lost with the process: connections, rooms, heartbeats, presence, rate limits. Plain memory
//! behind short locks; nothing here ever waits.

mod board;
mod connections;
mod rate_limits;

use std::sync::{Mutex, MutexGuard, PoisonError};

use board::Board;
use rate_limits::Windows;

#[derive(Default)]
pub(crate) struct Live {
    board: Mutex<Board>,
    windows: Mutex<Windows>,
}

impl Live {
    /// Every change of the board is complete before the lock is free, so a panic elsewhere spoils nothing.
    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn windows(&self) -> MutexGuard<'_, Windows> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
