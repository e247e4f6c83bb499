//! Every minute — pings connections that are due, closes those that did not answer or whose session has ended, corrects
//! presence, announces who came and left, and copies last-seen times into the users' documents.

use std::collections::HashSet;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt as _};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use serde::Serialize;
use shared::auth::{Origin, Requester, SecurityEvent, log_security};
use shared::connection::{CloseReason, Connection, Dialect};
use shared::error::Error;
use shared::id::{ConnectionId, SessionId};
use shared::lambda::schedule::{ScheduledRun, TimeBudget};
use shared::ports::{Heartbeats, LastSeen, Presence, PushError, Sessions, StoreResult, Users};
use shared::realtime::announce::Announcer;
use shared::realtime::fanout::Fanout;
use shared::realtime::ping::{HEARTBEAT_PERIOD, PingTimers};
use shared::time::Time;

/// How many connections are read at once.
const PAGE: u32 = 500;
/// How many pushes or writes run at once.
const AT_ONCE: usize = 64;
/// After this many connections that could not be reached, a run leaves the rest to the next one.
const MAX_UNREACHED: usize = 2_000;
/// How many dead connections are closed at once.
const CLOSED_AT_ONCE: u32 = 16;
/// The part of the invocation's time that is reserved for correcting presence.
const RESERVE: Duration = Duration::from_secs(15);
/// The longest time for batches, also without a deadline.
const LONGEST: Duration = Duration::from_secs(35);

/// The result of a run, in connections and users.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Pings sent.
    pub pinged: u64,
    /// Connections closed because their lease had expired.
    pub closed: u64,
    /// Sessions that had ended and still had open connections, which were closed.
    pub ended: u64,
    /// Users who counted as online without a connection.
    pub corrected: u64,
    /// Users announced as online or offline.
    pub announced: u64,
    /// Users whose last-seen time was copied into their document.
    pub synced: u64,
}

/// The ports of the heartbeat.
#[derive(Clone, Copy)]
pub struct Ports<'a> {
    pub users: &'a dyn Users,
    pub sessions: &'a dyn Sessions,
    pub heartbeats: &'a dyn Heartbeats,
    pub presence: &'a dyn Presence,
    pub last_seen: &'a dyn LastSeen,
    pub announcer: Announcer<'a>,
}

impl<'a> Ports<'a> {
    fn fanout(&self) -> Fanout<'a> {
        self.announcer.fanout
    }
}

/// Pings, closes, corrects, announces, copies. A run that runs out of time is continued by the next one. Pings come first,
/// so that many dead connections cannot delay the pings of live ones.
///
/// # Errors
/// `Unavailable`.
pub async fn handle(ports: Ports<'_>, timers: PingTimers, run: ScheduledRun) -> Result<Report, Error> {
    let mut budget = run.time_budget(RESERVE, LONGEST);
    let mut report = Report::default();
    ping(ports, timers, &run, &mut report).await?;
    // Silent connections have been away for minutes: their users are not given the grace to return.
    let left_at = run.now - ports.announcer.settings.grace;
    close_expired(ports, &run, left_at, &mut budget, &mut report).await?;
    close_ended_sessions(ports, &run, &mut budget, &mut report).await?;
    report.corrected = ports.presence.reconcile(left_at).await?.len() as u64;
    report.announced = ports.announcer.due(run.now, || budget.is_over()).await?;
    sync_last_seen(ports, &mut report).await?;
    Ok(report)
}

/// Closes connections whose lease has expired; at least one batch per run.
async fn close_expired(
    ports: Ports<'_>,
    run: &ScheduledRun,
    left_at: Time,
    budget: &mut TimeBudget,
    report: &mut Report,
) -> Result<(), Error> {
    loop {
        let expired = ports.heartbeats.expired(run.now, CLOSED_AT_ONCE).await?;
        let closes: Vec<BoxFuture<'_, StoreResult<()>>> =
            expired.iter().map(|id| close(ports, left_at, id).boxed()).collect();
        stream::iter(closes).buffer_unordered(CLOSED_AT_ONCE as usize).try_collect::<()>().await?;
        report.closed += expired.len() as u64;
        if expired.len() < CLOSED_AT_ONCE as usize || budget.is_over() {
            return Ok(());
        }
    }
}

/// Closes the connections of sessions that are not live any more: the session expired, its user opened too many, or the
/// function that ended it could not list its connections.
async fn close_ended_sessions(
    ports: Ports<'_>,
    run: &ScheduledRun,
    budget: &mut TimeBudget,
    report: &mut Report,
) -> Result<(), Error> {
    let mut after: Option<SessionId> = None;
    loop {
        let page = ports.fanout().connections.sessions(after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        for session in &ports.sessions.not_live(&page, run.now).await? {
            let requester = Requester {
                user_id: None,
                session_id: Some(session),
                origin: Origin::default(),
                request_id: &run.id,
                now: run.now,
            };
            log_security(SecurityEvent::SessionEnded("session_expired"), requester);
            ports.fanout().close_session(session, "session_expired", run.now).await?;
            report.ended += 1;
        }
        if budget.is_over() {
            return Ok(());
        }
        after = Some(last.clone());
    }
}

async fn close(ports: Ports<'_>, left_at: Time, id: &ConnectionId) -> StoreResult<()> {
    ports.fanout().close(id, &CloseReason::LeaseExpired, left_at).await
}

/// Copies last-seen times into the documents, and only then marks them as copied.
async fn sync_last_seen(ports: Ports<'_>, report: &mut Report) -> Result<(), Error> {
    loop {
        let unsynced = ports.last_seen.unsynced(PAGE).await?;
        let writes: Vec<BoxFuture<'_, StoreResult<()>>> =
            unsynced.iter().map(|(user, at)| ports.users.mark_seen(user, *at)).collect();
        stream::iter(writes).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        ports.last_seen.mark_synced(&unsynced).await?;
        report.synced += unsynced.len() as u64;
        if unsynced.len() < PAGE as usize {
            return Ok(());
        }
    }
}

async fn ping(
    ports: Ports<'_>,
    timers: PingTimers,
    run: &ScheduledRun,
    report: &mut Report,
) -> Result<(), Error> {
    // This run also pings what is due before the next one.
    let before = run.now - timers.interval() + timers.lead(HEARTBEAT_PERIOD);
    let (mut skipped, mut unreached) = (HashSet::new(), 0);
    while unreached < MAX_UNREACHED {
        let limit = PAGE + u32::try_from(skipped.len()).unwrap_or(u32::MAX - PAGE);
        let mut due = ports.heartbeats.due(before, limit).await?;
        let more = due.len() >= limit as usize;
        due.retain(|connection| !skipped.contains(&connection.id));
        // Expired connections are closed afterwards, not pinged.
        let (live, expired): (Vec<_>, Vec<_>) = due.into_iter().partition(|c| c.lease_until >= run.now);
        skipped.extend(expired.into_iter().map(|connection| connection.id));
        let pings: Vec<BoxFuture<'_, Result<Pinged, Error>>> =
            live.iter().map(|connection| ping_one(ports, timers, run, connection).boxed()).collect();
        let results: Vec<_> = stream::iter(pings).buffered(AT_ONCE).collect().await;
        for (connection, result) in live.iter().zip(results) {
            match result? {
                Pinged::Reached => report.pinged += 1,
                Pinged::Unreached => {
                    unreached += 1;
                    skipped.insert(connection.id.clone());
                }
                Pinged::Gone => {}
            }
        }
        if !more {
            break;
        }
    }
    Ok(())
}

enum Pinged {
    Reached,
    /// The gateway was busy or did not answer. The connection stays due, and the next run tries again.
    Unreached,
    Gone,
}

async fn ping_one(
    ports: Ports<'_>,
    timers: PingTimers,
    run: &ScheduledRun,
    connection: &Connection,
) -> Result<Pinged, Error> {
    match ports.fanout().push.send(&connection.id, connection.dialect.ping()).await {
        Ok(()) => {}
        Err(PushError::Gone) => {
            ports.fanout().end(&connection.id, &CloseReason::Gone, run.now).await?;
            return Ok(Pinged::Gone);
        }
        Err(PushError::TooLarge | PushError::Busy | PushError::Failed(_)) => return Ok(Pinged::Unreached),
    }
    // The JSON dialect has no required pong; an accepted push counts as a sign of life.
    if connection.dialect == Dialect::Json {
        ports.heartbeats.renew_lease(&connection.id, timers.lease(run.now)).await?;
    }
    ports.heartbeats.mark_pinged(&connection.id, run.now).await?;
    Ok(Pinged::Reached)
}
