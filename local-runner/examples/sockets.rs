//! Connects many Socket.IO clients to a running runner, runs the heartbeat for ten idle minutes, and prints memory and
//! times. Start the runner with `RATE_LIMIT_SCALE=0 MAX_CONNECTIONS_PER_USER=0 MAX_CONNECTIONS_PER_ADDRESS=0`.
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

/// The sockets are distributed evenly among this number of users.
const USERS: usize = 20;

/// Opens many idle Socket.IO connections to a running local-runner
#[derive(Parser)]
struct Options {
    /// Number of sockets
    #[arg(long, default_value_t = 1_000)]
    count: usize,
    /// Sockets that connect per second
    #[arg(long, default_value_t = 200)]
    rate: u64,
    /// The runner's port on this machine
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// Idle minutes, which pass only for the heartbeat
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
    print(&format!("{} sockets connected in {:.1?}", crowd.ids.len(), start.elapsed()));
    let after = memory_of_listener(port).unwrap_or(0);
    let each = after.saturating_sub(before) as f64 / options.count.max(1) as f64;
    let (all, each) = (after as f64 / 1_048_576.0, each / 1024.0);
    print(&format!("runner's resident memory {all:.1} MiB, {each:.1} KiB per connection"));

    let start = Instant::now();
    let rounds = crowd.idle(port, now_millis(), options.minutes).await;
    let closed = crowd.counters.closed.load(Ordering::Relaxed);
    print(&format!(
        "{} idle minutes in {:.1?}: {rounds} pings each, {closed} sockets closed by the server",
        options.minutes,
        start.elapsed()
    ));

    let seen = crowd.counters.arrivals.load(Ordering::Relaxed);
    let late = SocketCrowd::connect(port, &[register(port)], 1, 1).await;
    let took = crowd.wait_until(|counters| &counters.arrivals, seen + options.count).await;
    print(&format!("one more user came online: {} sockets received it within {took:.1?}", options.count));
    late.close().await;
    crowd.close().await;
}

/// A new user's access token.
fn register(port: Port) -> String {
    Person::register(port, &unique_name()).access_token
}

fn print(line: &str) {
    // A closed pipe, as with `| head`, is not a failure.
    let _ = writeln!(stdout(), "{line}");
}
