//! The Lua scripts, one file each in `lua/`. The server runs each of them atomically.

use redis::Script;

/// All scripts. Their hashes are computed once, at start.
pub(crate) struct Scripts {
    pub(crate) open: Script,
    pub(crate) attach: Script,
    pub(crate) end: Script,
    pub(crate) note_missed: Script,
    pub(crate) join: Script,
    pub(crate) joined: Script,
    pub(crate) due: Script,
    pub(crate) claim: Script,
    pub(crate) mark_announced: Script,
    pub(crate) mark_synced: Script,
    pub(crate) reconcile_online: Script,
    pub(crate) reconcile_index: Script,
    pub(crate) reconcile_addresses: Script,
    pub(crate) reconcile_connections: Script,
    pub(crate) session_open: Script,
    pub(crate) session_rotate: Script,
    pub(crate) session_end: Script,
    pub(crate) take: Script,
    pub(crate) give_back: Script,
}

impl Scripts {
    pub(crate) fn new() -> Self {
        Self {
            open: Script::new(include_str!("lua/open.lua")),
            attach: Script::new(include_str!("lua/attach.lua")),
            end: Script::new(include_str!("lua/end.lua")),
            note_missed: Script::new(include_str!("lua/note_missed.lua")),
            join: Script::new(include_str!("lua/join.lua")),
            joined: Script::new(include_str!("lua/joined.lua")),
            due: Script::new(include_str!("lua/due.lua")),
            claim: Script::new(include_str!("lua/claim.lua")),
            mark_announced: Script::new(include_str!("lua/mark_announced.lua")),
            mark_synced: Script::new(include_str!("lua/mark_synced.lua")),
            reconcile_online: Script::new(include_str!("lua/reconcile_online.lua")),
            reconcile_index: Script::new(include_str!("lua/reconcile_index.lua")),
            reconcile_addresses: Script::new(include_str!("lua/reconcile_addresses.lua")),
            reconcile_connections: Script::new(include_str!("lua/reconcile_connections.lua")),
            session_open: Script::new(include_str!("lua/session_open.lua")),
            session_rotate: Script::new(include_str!("lua/session_rotate.lua")),
            session_end: Script::new(include_str!("lua/session_end.lua")),
            take: Script::new(include_str!("lua/take.lua")),
            give_back: Script::new(include_str!("lua/give_back.lua")),
        }
    }
}
