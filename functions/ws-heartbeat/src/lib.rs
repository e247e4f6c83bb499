//! Every minute — pings connections that are due, closes those that stayed silent, mends presence, writes
//! down who left.

use serde::Serialize;
use shared::connection::Connection;
use shared::error::Error;
use shared::lambda::schedule::Tick;
use shared::ports::{Departures, Heartbeats, Presence, PushError, Stored, Users};
use shared::realtime::attach::{HEARTBEAT, lease};
use shared::realtime::codec::Dialect;
use shared::realtime::codec::engine_io::PingTimers;
use shared::realtime::event::ServerEvent;
use shared::realtime::fanout::Fanout;

use futures::future::{BoxFuture, FutureExt as _};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};

/// How many connections are read at once.
const PAGE: u32 = 500;
/// How many pings are under way at once.
const AT_ONCE: usize = 64;

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

/// Sweeps, pings, mends, writes down; a run that is cut short goes on in the next.
///
/// # Errors
/// `Unavailable`.
pub async fn handle(ports: Ports<'_>, timers: PingTimers, tick: Tick) -> Result<Report, Error> {
    let mut report = Report::default();
    sweep(ports, &tick, &mut report).await?;
    ping(ports, timers, &tick, &mut report).await?;
    for user_id in &ports.presence.mend(tick.now).await? {
        let event = ServerEvent::UserOffline { user_id, last_seen_at: tick.now };
        ports.fanout.announce(user_id, &event, tick.now).await;
        report.mended += 1;
    }
    carry_over(ports, &mut report).await?;
    Ok(report)
}

async fn sweep(ports: Ports<'_>, tick: &Tick, report: &mut Report) -> Result<(), Error> {
    loop {
        let dead = ports.heartbeats.dead(tick.now, PAGE).await?;
        for id in &dead {
            // Whether the gateway still knows it does not matter: it is forgotten here either way.
            let _ = ports.fanout.push.close(id).await;
            ports.fanout.end(id, tick.now).await?;
            report.closed += 1;
        }
        if dead.len() < PAGE as usize {
            return Ok(());
        }
    }
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
    loop {
        let due = ports.heartbeats.due(before, PAGE).await?;
        let pings: Vec<BoxFuture<'_, Result<bool, Error>>> =
            due.iter().map(|connection| ping_one(ports, timers, tick, connection).boxed()).collect();
        let results: Vec<_> = stream::iter(pings).buffer_unordered(AT_ONCE).collect().await;
        for result in results {
            report.pinged += u64::from(result?);
        }
        if due.len() < PAGE as usize {
            return Ok(());
        }
    }
}

/// Pings one connection; `false` when it is gone. That it was tried counts even when the gateway is busy,
/// so that one slow reader is not tried again and again in one run.
async fn ping_one(
    ports: Ports<'_>,
    timers: PingTimers,
    tick: &Tick,
    connection: &Connection,
) -> Result<bool, Error> {
    match ports.fanout.push.send(&connection.id, connection.dialect.ping()).await {
        Err(PushError::Gone) => {
            ports.fanout.end(&connection.id, tick.now).await?;
            return Ok(false);
        }
        // The JSON dialect has no pong: that the gateway took the frame is its sign of life.
        Ok(()) if connection.dialect == Dialect::Json => {
            ports.heartbeats.alive(&connection.id, lease(timers, tick.now)).await?;
        }
        Ok(()) | Err(PushError::TooLarge | PushError::Busy | PushError::Failed(_)) => {}
    }
    ports.heartbeats.pinged(&connection.id, tick.now).await?;
    Ok(true)
}
