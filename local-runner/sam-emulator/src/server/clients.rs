//! The open connections of the port: what each is doing, how long it may go on, and which are closed when
//! there are too many.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::options::ServerOptions;
use crate::access::Ends;
use crate::log_limit::LogLimit;

/// Time that a client must have taken nothing before its response counts as unread.
const UNREAD_AFTER: std::time::Duration = std::time::Duration::from_secs(1);
/// Log lines per minute about connections that are closed because there are too many.
const LINES_PER_MINUTE: u32 = 6;

/// All open connections of one port.
#[derive(Debug)]
pub(super) struct Clients {
    options: ServerOptions,
    table: Mutex<Table>,
    log: LogLimit,
}

#[derive(Debug, Default)]
struct Table {
    clients: HashMap<u64, Arc<State>>,
    next_id: u64,
    sockets: usize,
    response_bytes: usize,
}

/// One open connection. The entry in the table ends when this is dropped.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) ends: Ends,
    id: u64,
    state: Arc<State>,
    clients: Arc<Clients>,
}

#[derive(Debug)]
struct State {
    /// Cancelled when the connection is closed in favour of another one.
    evicted: CancellationToken,
    activity: Mutex<Activity>,
}

#[derive(Debug)]
struct Activity {
    phase: Phase,
    /// When the phase began.
    since: Instant,
    /// Since when the client has taken no byte of what the server writes.
    stalled: Option<Instant>,
    /// Bytes of the response that is being written.
    response_bytes: usize,
    /// Whether a request was served before.
    has_served: bool,
    /// Whether the server closed early and must take what the client still sends.
    lingers: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No byte of the next request has arrived.
    Idle,
    /// A part of a request's head has arrived.
    Head,
    /// An endpoint works on a request.
    Serving,
    /// Like `Serving`, for an upgrade: a place among the WebSockets is taken.
    Upgrading,
    /// The connection is a WebSocket.
    Socket,
}

impl Clients {
    pub(super) fn new(options: ServerOptions) -> Self {
        Self { options, table: Mutex::default(), log: LogLimit::new(LINES_PER_MINUTE) }
    }

    /// Adds a connection. At the limit, one that waits without a request is closed; `None` when there is
    /// none, and the new connection must be closed.
    pub(super) fn add(self: &Arc<Self>, ends: Ends) -> Option<Client> {
        let mut table = self.table();
        let is_full = table.clients.len() >= self.options.max_connections;
        let has_room = !is_full
            || table.evict(|activity| activity.waits_since().map(|since| (activity.has_served, since)));
        if is_full && let Some(suppressed) = self.log.admit() {
            let max = self.options.max_connections;
            tracing::warn!(max, suppressed, "too many connections; closing those that wait longest");
        }
        if !has_room {
            return None;
        }
        let activity = Activity {
            phase: Phase::Idle,
            since: Instant::now(),
            stalled: None,
            response_bytes: 0,
            has_served: false,
            lingers: false,
        };
        let state = Arc::new(State { evicted: CancellationToken::new(), activity: Mutex::new(activity) });
        let id = table.next_id;
        table.next_id += 1;
        table.clients.insert(id, Arc::clone(&state));
        Some(Client { ends, id, state, clients: Arc::clone(self) })
    }

    /// Closes the connection that has waited longest without a request, for want of descriptors.
    pub(super) fn evict_one(&self) {
        self.table().evict(|activity| activity.waits_since().map(|since| (activity.has_served, since)));
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // A poisoned lock is usable: no code panics while it holds the lock.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Closes the connection with the least rank; returns whether one had a rank.
    fn evict<R: Ord>(&mut self, rank: impl Fn(&Activity) -> Option<R>) -> bool {
        let ranked = self.clients.iter().filter_map(|(id, state)| Some((rank(&state.activity())?, *id)));
        let Some((_, id)) = ranked.min() else { return false };
        if let Some(state) = self.clients.remove(&id) {
            self.release(&mut state.activity());
            state.evicted.cancel();
        }
        true
    }

    /// Gives back what a connection holds of the shared limits.
    fn release(&mut self, activity: &mut Activity) {
        self.response_bytes -= std::mem::take(&mut activity.response_bytes);
        if matches!(activity.phase, Phase::Upgrading | Phase::Socket) {
            self.sockets -= 1;
            activity.set(Phase::Serving);
        }
    }
}

impl State {
    fn activity(&self) -> MutexGuard<'_, Activity> {
        self.activity.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Activity {
    fn set(&mut self, phase: Phase) {
        (self.phase, self.since) = (phase, Instant::now());
    }

    /// Since when the connection has waited for a whole request head; `None` while it has one, or still
    /// writes a response.
    fn waits_since(&self) -> Option<Instant> {
        let waits = matches!(self.phase, Phase::Idle | Phase::Head) && self.stalled.is_none();
        waits.then_some(self.since)
    }
}

impl Client {
    /// The client has sent bytes.
    pub(super) fn received(&self) {
        let mut activity = self.state.activity();
        if activity.phase == Phase::Idle {
            activity.set(Phase::Head);
        }
    }

    /// The client takes none of what the server writes.
    pub(super) fn stalled(&self) {
        self.state.activity().stalled.get_or_insert_with(Instant::now);
    }

    /// The client has taken bytes.
    pub(super) fn progressed(&self) {
        let mut activity = self.state.activity();
        if activity.stalled.take().is_some() && activity.phase == Phase::Idle {
            activity.since = Instant::now();
        }
    }

    /// A request has arrived. Returns false for an upgrade beyond the limit on WebSockets.
    pub(super) fn begin_request(&self, is_upgrade: bool) -> bool {
        let mut table = self.clients.table();
        let mut activity = self.state.activity();
        activity.has_served = true;
        activity.set(Phase::Serving);
        if !is_upgrade {
            return true;
        }
        let has_place = table.sockets < self.clients.options.max_sockets;
        if has_place {
            table.sockets += 1;
            activity.set(Phase::Upgrading);
        }
        has_place
    }

    /// The endpoint has answered with `bytes`, and the server writes them from now on.
    pub(super) fn end_request(&self, bytes: usize, has_upgraded: bool) {
        let mut table = self.clients.table();
        let mut activity = self.state.activity();
        match (activity.phase, has_upgraded) {
            (Phase::Upgrading, true) => return activity.set(Phase::Socket),
            (Phase::Upgrading, false) => table.sockets -= 1,
            _ => {}
        }
        activity.set(Phase::Idle);
        activity.response_bytes += bytes;
        table.response_bytes += bytes;
        drop(activity);
        let now = Instant::now();
        let unread = |activity: &Activity| {
            let since = activity.stalled.filter(|since| now.duration_since(*since) >= UNREAD_AFTER)?;
            (activity.response_bytes > 0).then_some(since)
        };
        while table.response_bytes > self.clients.options.response_memory && table.evict(unread) {
            if let Some(suppressed) = self.clients.log.admit() {
                tracing::warn!(
                    suppressed,
                    "too many unread responses; closing the connection that reads least"
                );
            }
        }
    }

    /// The connection was closed early, and takes what the client still sends.
    pub(super) fn set_lingers(&self) {
        self.state.activity().lingers = true;
    }

    pub(super) fn lingers(&self) -> bool {
        self.state.activity().lingers
    }

    /// Whether no request is being served or answered.
    pub(super) fn waits(&self) -> bool {
        self.state.activity().waits_since().is_some()
    }

    /// The response is written: its memory is free. Called after every turn of the connection's task.
    pub(super) fn settle(&self) {
        let activity = self.state.activity();
        let is_written = activity.response_bytes > 0 && activity.waits_since().is_some();
        drop(activity);
        if is_written {
            let mut table = self.clients.table();
            table.response_bytes -= std::mem::take(&mut self.state.activity().response_bytes);
        }
    }

    /// The time at which the connection is closed if nothing happens; `None` while an endpoint works.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let options = &self.clients.options;
        let activity = self.state.activity();
        match (activity.stalled, activity.phase) {
            (_, Phase::Socket) => None,
            (Some(since), _) => Some(since + options.write_timeout),
            (None, Phase::Idle) => Some(activity.since + options.idle_timeout),
            (None, Phase::Head) => Some(activity.since + options.head_timeout),
            (None, Phase::Serving | Phase::Upgrading) => None,
        }
    }

    /// Resolves when the connection must be closed for another one.
    pub(super) async fn evicted(&self) {
        self.state.evicted.cancelled().await;
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let mut table = self.clients.table();
        table.release(&mut self.state.activity());
        table.clients.remove(&self.id);
    }
}
