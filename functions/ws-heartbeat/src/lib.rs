//! Every minute — pings connections that are due, closes those that stayed silent, mends presence, writes
//! down who left.

use std::collections::HashSet;
use std::pin::{Pin, pin};
use std::time::Duration;

use serde::Serialize;
use shared::connection::Connection;
use shared::error::Error;
use shared::id::ConnectionId;
use shared::lambda::schedule::Tick;
use shared::ports::{Departures, Heartbeats, Presence, PushError, Stored, Users};
use shared::realtime::attach::{HEARTBEAT, lease};
use shared::realtime::codec::Dialect;
use shared::realtime::codec::engine_io::PingTimers;
use shared::realtime::event::ServerEvent;
use shared::realtime::fanout::Fanout;

use futures::future::{BoxFuture, FutureExt as _};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio::time::{Sleep, sleep};

/// How many connections are read at once.
const PAGE: u32 = 500;
/// How many pings are under way at once.
const AT_ONCE: usize = 64;
/// With so many that cannot be reached, a run leaves the rest to the next one.
const MOST_UNREACHED: usize = 2_000;
/// How many of the dead are buried at once, each with an announcement to everybody.
const BURIED_AT_ONCE: u32 = 16;
/// What is left for mending when time runs out.
const RESERVE: Duration = Duration::from_secs(15);
/// How long a run lasts where nobody set a limit.
const LONGEST: Duration = Duration::from_secs(50);

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Pings sent.
    pub pinged: u64,
    /// Silent connections closed.
    pub closed: u64,
    /// Users whose presence was mended.
    pub mended: u64,
    /// Users whose last time of being seen was written down.
    pub carried: u64,
}

/// What the heartbeat looks after.
#[derive(Clone, Copy)]
pub struct Ports<'a> {
    /// Who was seen last when.
    pub users: &'a dyn Users,
    /// Which connections are due or dead.
    pub heartbeats: &'a dyn Heartbeats,
    /// Who counts as online.
    pub presence: &'a dyn Presence,
    /// Who left when.
    pub departures: &'a dyn Departures,
    /// The way to sockets.
    pub fanout: Fanout<'a>,
}

/// Pings, sweeps, mends, writes down; a run that is cut short goes on in the next. Pings come first: however many
/// have died, those who live must not be kept waiting.
///
/// # Errors
/// `Unavailable`.
pub async fn handle(ports: Ports<'_>, timers: PingTimers, tick: Tick) -> Result<Report, Error> {
    let mut end = pin!(sleep(tick.budget.unwrap_or(LONGEST).min(LONGEST).saturating_sub(RESERVE)));
    let mut report = Report::default();
    ping(ports, timers, &tick, &mut report).await?;
    sweep(ports, &tick, end.as_mut(), &mut report).await?;
    for user_id in &ports.presence.mend(tick.now).await? {
        let event = ServerEvent::UserOffline { user_id, last_seen_at: tick.now };
        ports.fanout.announce(user_id, &event, tick.now).await;
        report.mended += 1;
    }
    carry_over(ports, &mut report).await?;
    Ok(report)
}

async fn sweep(
    ports: Ports<'_>,
    tick: &Tick,
    mut end: Pin<&mut Sleep>,
    report: &mut Report,
) -> Result<(), Error> {
    loop {
        let dead = ports.heartbeats.dead(tick.now, BURIED_AT_ONCE).await?;
        let burials: Vec<BoxFuture<'_, Stored<()>>> =
            dead.iter().map(|id| bury(ports, tick, id).boxed()).collect();
        stream::iter(burials).buffer_unordered(BURIED_AT_ONCE as usize).try_collect::<()>().await?;
        report.closed += dead.len() as u64;
        if dead.len() < BURIED_AT_ONCE as usize || end.as_mut().now_or_never().is_some() {
            return Ok(());
        }
    }
}

async fn bury(ports: Ports<'_>, tick: &Tick, id: &ConnectionId) -> Stored<()> {
    // Whether the gateway still knows it does not matter: it is forgotten here either way.
    let _ = ports.fanout.push.close(id).await;
    ports.fanout.end(id, tick.now).await
}

/// Writes the departures into the documents, and only then forgets them.
async fn carry_over(ports: Ports<'_>, report: &mut Report) -> Result<(), Error> {
    loop {
        let left = ports.departures.departures(PAGE).await?;
        let writes: Vec<BoxFuture<'_, Stored<()>>> =
            left.iter().map(|(user, at)| ports.users.seen(user, *at)).collect();
        stream::iter(writes).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        ports.departures.carried_over(&left).await?;
        report.carried += left.len() as u64;
        if left.len() < PAGE as usize {
            return Ok(());
        }
    }
}

async fn ping(ports: Ports<'_>, timers: PingTimers, tick: &Tick, report: &mut Report) -> Result<(), Error> {
    // What is due before the next run is pinged in this one.
    let before = tick.now - timers.interval() + timers.lead(HEARTBEAT);
    let (mut passed, mut unreached) = (HashSet::new(), 0);
    while unreached < MOST_UNREACHED {
        let limit = PAGE + u32::try_from(passed.len()).unwrap_or(u32::MAX - PAGE);
        let mut due = ports.heartbeats.due(before, limit).await?;
        let more = due.len() >= limit as usize;
        due.retain(|connection| !passed.contains(&connection.id));
        // The dead are left to the sweep.
        let (living, dead): (Vec<_>, Vec<_>) = due.into_iter().partition(|c| c.lease_until >= tick.now);
        passed.extend(dead.into_iter().map(|connection| connection.id));
        let pings: Vec<BoxFuture<'_, Result<Pinged, Error>>> =
            living.iter().map(|connection| ping_one(ports, timers, tick, connection).boxed()).collect();
        let results: Vec<_> = stream::iter(pings).buffered(AT_ONCE).collect().await;
        for (connection, result) in living.iter().zip(results) {
            match result? {
                Pinged::Reached => report.pinged += 1,
                Pinged::Unreached => {
                    unreached += 1;
                    passed.insert(connection.id.clone());
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
    /// The gateway was busy or did not answer. It is still due: the next run tries again.
    Unreached,
    Gone,
}

async fn ping_one(
    ports: Ports<'_>,
    timers: PingTimers,
    tick: &Tick,
    connection: &Connection,
) -> Result<Pinged, Error> {
    match ports.fanout.push.send(&connection.id, connection.dialect.ping()).await {
        Ok(()) => {}
        Err(PushError::Gone) => {
            ports.fanout.end(&connection.id, tick.now).await?;
            return Ok(Pinged::Gone);
        }
        Err(PushError::TooLarge | PushError::Busy | PushError::Failed(_)) => return Ok(Pinged::Unreached),
    }
    // The JSON dialect has no pong: that the gateway took the frame is its sign of life.
    if connection.dialect == Dialect::Json {
        ports.heartbeats.alive(&connection.id, lease(timers, tick.now)).await?;
    }
    ports.heartbeats.pinged(&connection.id, tick.now).await?;
    Ok(Pinged::Reached)
}
