//! The scripts, hashed once. Each is one file in `lua/` and runs undivided on the server.

use redis::Script;

/// All of them.
pub(crate) struct Scripts {
    pub(crate) open: Script,
    pub(crate) attach: Script,
    pub(crate) end: Script,
    pub(crate) join: Script,
    pub(crate) joined: Script,
    pub(crate) due: Script,
    pub(crate) mark_synced: Script,
    pub(crate) mend_absent: Script,
    pub(crate) mend_index: Script,
    pub(crate) mend_lines: Script,
    pub(crate) session_open: Script,
    pub(crate) session_rotate: Script,
    pub(crate) session_end: Script,
    pub(crate) take: Script,
}

impl Scripts {
    pub(crate) fn new() -> Self {
        Self {
            open: Script::new(include_str!("lua/open.lua")),
            attach: Script::new(include_str!("lua/attach.lua")),
            end: Script::new(include_str!("lua/end.lua")),
            join: Script::new(include_str!("lua/join.lua")),
            joined: Script::new(include_str!("lua/joined.lua")),
            due: Script::new(include_str!("lua/due.lua")),
            mark_synced: Script::new(include_str!("lua/mark_synced.lua")),
            mend_absent: Script::new(include_str!("lua/mend_absent.lua")),
            mend_index: Script::new(include_str!("lua/mend_index.lua")),
            mend_lines: Script::new(include_str!("lua/mend_lines.lua")),
            session_open: Script::new(include_str!("lua/session_open.lua")),
            session_rotate: Script::new(include_str!("lua/session_rotate.lua")),
            session_end: Script::new(include_str!("lua/session_end.lua")),
            take: Script::new(include_str!("lua/take.lua")),
        }
    }
}
