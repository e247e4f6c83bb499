//! Registers users with a runner that is up and logs each of them in, and says how many per second it served and how
//! much memory it uses afterwards: `local-runner` in one terminal (`RATE_LIMIT_SCALE=0`), this in another.
//!
//! `cargo run --release -p local-runner --example registrations -- --port 3000 --count 1000`

use std::io::{Write as _, stdout};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use clap::Parser;
use test_support::http_client::Port;
use test_support::person::Person;
use test_support::socket_crowd::memory_of_listener;
use test_support::unique_name;

/// Registers and logs in users with a running local-runner
#[derive(Parser)]
struct Options {
    /// The runner's port on this machine
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// How many users
    #[arg(long, default_value_t = 1_000)]
    count: usize,
    /// How many clients at once
    #[arg(long, default_value_t = 8)]
    clients: usize,
}

fn main() {
    let options = Options::parse();
    let port = Port(options.port);
    let (next, begun) = (AtomicUsize::new(0), Instant::now());
    std::thread::scope(|scope| {
        for _ in 0..options.clients {
            scope.spawn(|| {
                while next.fetch_add(1, Ordering::Relaxed) < options.count {
                    Person::register(port, &unique_name()).log_in();
                }
            });
        }
    });
    let per_second = options.count as f64 / begun.elapsed().as_secs_f64();
    let memory = memory_of_listener(port).unwrap_or(0) as f64 / 1_048_576.0;
    // A reader that has gone away (`| head`) is no failure.
    let _ =
        writeln!(stdout(), "{per_second:.1} registrations with a login per second; memory {memory:.1} MiB");
}
