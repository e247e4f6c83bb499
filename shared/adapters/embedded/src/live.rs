//! What may be lost with the process: connections, rooms, heartbeats, presence, rate limits, conversations'
//! members. Plain memory behind short locks; nothing here ever waits.

mod board;
mod circles;
mod connections;
mod rate_limits;

use std::sync::{Mutex, MutexGuard, PoisonError};

use board::Board;
use circles::Kept;
use rate_limits::Windows;

#[derive(Default)]
pub(crate) struct Live {
    board: Mutex<Board>,
    windows: Mutex<Windows>,
    circles: Mutex<Kept>,
}

impl Live {
    /// Every change of the board is complete before the lock is free, so a panic elsewhere spoils nothing.
    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn windows(&self) -> MutexGuard<'_, Windows> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn circles(&self) -> MutexGuard<'_, Kept> {
        self.circles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
