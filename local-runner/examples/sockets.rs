//! Connects a crowd of Socket.IO clients to a runner that is up, lets ten idle minutes pass in no time, and says
//! what it cost: `local-runner` in one terminal (`RATE_LIMIT_SCALE=0`), this in another.
//!
//! `cargo run --release -p local-runner --example sockets -- --count 1000 --rate 200 --port 3000`

use std::io::{Write as _, stdout};
use std::sync::atomic::Ordering;
use std::time::Instant;

use clap::Parser;
use test_support::http_client::Port;
use test_support::person::Person;
use test_support::socket_crowd::{SocketCrowd, memory_of_listener, now_millis};
use test_support::unique_name;

/// How many users the sockets belong to, each with as many devices.
const USERS: usize = 20;

/// Holds a crowd of idle Socket.IO connections against a running local-runner
#[derive(Parser)]
struct Options {
    /// How many sockets
    #[arg(long, default_value_t = 1_000)]
    count: usize,
    /// How many of them connect each second
    #[arg(long, default_value_t = 200)]
    rate: u64,
    /// The runner's port on this machine
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// Minutes of idleness, by the heartbeat's clock
    #[arg(long, default_value_t = 10)]
    minutes: i64,
}

#[tokio::main]
async fn main() {
    let options = Options::parse();
    let port = Port(options.port);
    let tokens: Vec<String> = (0..USERS).map(|_| register(port)).collect();
    let before = memory_of_listener(port).unwrap_or(0);
    let start = Instant::now();
    let crowd = SocketCrowd::connect(port, &tokens, options.count, options.rate).await;
    say(&format!("{} sockets connected in {:.1?}", crowd.ids.len(), start.elapsed()));
    let after = memory_of_listener(port).unwrap_or(0);
    let each = after.saturating_sub(before) as f64 / options.count.max(1) as f64;
    let (all, each) = (after as f64 / 1_048_576.0, each / 1024.0);
    say(&format!("runner's resident memory {all:.1} MiB, {each:.1} KiB per connection"));

    let start = Instant::now();
    let rounds = crowd.idle(port, now_millis(), options.minutes).await;
    let closed = crowd.counters.closed.load(Ordering::Relaxed);
    say(&format!(
        "{} idle minutes in {:.1?}: {rounds} pings each, {closed} sockets closed by the server",
        options.minutes,
        start.elapsed()
    ));

    let seen = crowd.counters.arrivals.load(Ordering::Relaxed);
    let late = SocketCrowd::connect(port, &[register(port)], 1, 1).await;
    let took = crowd.wait_until(|counters| &counters.arrivals, seen + options.count).await;
    say(&format!("one more user came online: {} sockets received it within {took:.1?}", options.count));
    late.close().await;
    crowd.close().await;
}

/// A new user's access token.
fn register(port: Port) -> String {
    Person::register(port, &unique_name()).access_token
}

fn say(line: &str) {
    // A reader that has gone away (`| head`) is no failure.
    let _ = writeln!(stdout(), "{line}");
}
