//! Presence: announced more often than the template says.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use sam_emulator::Platform;
use sam_emulator::cli::Mode;
use sam_emulator::invoke::Invocation;
use sam_emulator::runner::App;
use tokio::time::Instant;

/// The function that announces who came online and who left.
const FANOUT: &str = "ws-fanout";
/// The pause between two looks. On AWS the heartbeat looks once a minute; a developer should not wait that long.
const INTERVAL: Duration = Duration::from_millis(500);
/// The pause when the functions do not run in this process, because every invocation is then several lines of log.
const OUTSIDE_INTERVAL: Duration = Duration::from_secs(2);
/// The pause after a failure.
const RETRY_INTERVAL: Duration = Duration::from_secs(10);
/// How long after the last socket was closed there may be something to announce.
const AFTERWARDS: Duration = Duration::from_secs(15);

/// Announces what is due while there are sockets, and for a while after the last one.
pub(crate) fn announce(app: &mut App, platform: &Platform) {
    if !platform.plan.functions.contains_key(FANOUT) {
        return;
    }
    let connections = platform.connections.clone();
    let interval = if platform.settings.mode == Mode::InProcess { INTERVAL } else { OUTSIDE_INTERVAL };
    app.background_task(move |invoker, stop| async move {
        let (mut pause, mut open_at) = (interval, None);
        while stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
            if connections.count() > 0 {
                open_at = Some(Instant::now());
            }
            if open_at.is_none_or(|at: Instant| at.elapsed() > AFTERWARDS) {
                continue;
            }
            let event = format!("{{\"due\":\"{}\"}}", Timestamp::now());
            let announced = invoker.invoke(Invocation::new(FANOUT, Bytes::from(event)));
            pause = if announced.await.is_ok() { interval } else { RETRY_INTERVAL };
        }
    });
}
