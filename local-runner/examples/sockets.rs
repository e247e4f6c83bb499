//! Connects a crowd of Socket.IO clients to a runner that is up, lets ten idle minutes pass in no time, and says
//! what it cost: `local-runner` in one terminal (`RATE_LIMIT_SCALE=0`), this in another.
//!
//! `cargo run --release -p local-runner --example sockets -- --count 1000 --rate 200 --port 3000`

// It shares code with the tests, where a broken expectation ends the run, as it does here.
#![allow(clippy::unwrap_used)]

#[path = "../tests/ulak/client.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod client;
#[path = "../tests/ulak/sockets/crowd.rs"]
mod crowd;

use std::io::{Write as _, stdout};
use std::sync::atomic::Ordering;
use std::time::Instant;

use clap::Parser;
use serde_json::json;

use client::{Call, Port};
use crowd::{Crowd, memory_of_listener, now};

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
    let tokens: Vec<String> = (0..USERS).map(|turn| register(port, turn)).collect();
    let before = memory_of_listener(port).unwrap_or(0);
    let start = Instant::now();
    let crowd = Crowd::gather(port, &tokens, options.count, options.rate).await;
    say(&format!("{} sockets connected in {:.1?}", crowd.ids.len(), start.elapsed()));
    let after = memory_of_listener(port).unwrap_or(0);
    let each = after.saturating_sub(before) as f64 / options.count.max(1) as f64;
    let (all, each) = (after as f64 / 1_048_576.0, each / 1024.0);
    say(&format!("runner's resident memory {all:.1} MiB, {each:.1} KiB per connection"));

    let start = Instant::now();
    let rounds = crowd.idle(port, now(), options.minutes).await;
    let ended = crowd.met.ended.load(Ordering::Relaxed);
    say(&format!(
        "{} idle minutes in {:.1?}: {rounds} pings each, {ended} sockets lost",
        options.minutes,
        start.elapsed()
    ));

    let seen = crowd.met.arrivals.load(Ordering::Relaxed);
    let late = Crowd::gather(port, &[register(port, USERS)], 1, 1).await;
    let took = crowd.until(|met| &met.arrivals, seen + options.count).await;
    say(&format!("one more user came: {} sockets heard it {took:.1?} after its welcome", options.count));
    late.leave().await;
    crowd.leave().await;
}

/// A new user's access token.
fn register(port: Port, turn: usize) -> String {
    let name = format!("crowd{:x}n{turn}", now());
    let form =
        json!({ "username": name, "email": format!("{name}@example.com"), "password": "correct horse" });
    let data = Call::new(port, "POST", "/api/auth/register").json(&form).data(201);
    data["accessToken"].as_str().map(str::to_owned).unwrap_or_default()
}

fn say(line: &str) {
    // A reader that has gone away (`| head`) is no failure.
    let _ = writeln!(stdout(), "{line}");
}
