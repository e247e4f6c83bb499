//! Takes each of the four servers away from a runner under load, gives it back, and counts what that cost. Prints
//! the table of docs/faults.md.
//!
//! `MONGODB_URI=… REDIS_URL=… AMQP_URL=… ELASTICSEARCH_URL=… \
//!  cargo run --release -p local-runner --example faults`

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a failed expectation ends the run")]

mod jobs;
mod load;
mod runner;
mod sampling;
mod table;

use std::io::{Write as _, stdout};
use std::thread::sleep;
use std::time::{Duration, Instant};

use test_support::fault_proxy::Fault;
use test_support::proxied_server::ProxiedServer;

use load::Load;
use runner::Runner;
use table::Row;

/// How long a server is away.
const OUTAGE: Duration = Duration::from_secs(8);
/// How long all must go well for the next phase to begin.
const CALM: Duration = Duration::from_secs(4);
/// How long that may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The servers by the variables that name them, and what they keep.
const SERVERS: [(&str, &str); 4] = [
    ("MONGODB_URI", "MongoDB: users, conversations, messages"),
    ("REDIS_URL", "Redis: sessions, presence, limits"),
    ("AMQP_URL", "RabbitMQ: jobs"),
    ("ELASTICSEARCH_URL", "Elasticsearch: search"),
];

fn main() {
    let runner = Runner::start(&SERVERS.map(|(variable, _)| variable));
    let load = Load::start(runner.port());
    let mut rows = vec![phase(&load, "none", "-", || sleep(OUTAGE), || ())];
    for ((_, name), proxy) in SERVERS.iter().zip(&runner.proxies) {
        for (how, fault) in [("connections refused", Fault::Refusing), ("silent (half-open)", Fault::Silent)]
        {
            rows.push(phase(&load, name, how, || outage(proxy, fault), || proxy.set(Fault::None)));
        }
    }
    let names: Vec<String> = rows.iter().map(|row| row.word.clone()).collect();
    let (counts, jobs) = load.count(&names);
    stdout().write_all(table::text(&rows, &counts, jobs).as_bytes()).unwrap();
}

fn outage(proxy: &ProxiedServer, fault: Fault) {
    proxy.set(fault);
    sleep(OUTAGE);
}

/// One outage and what follows until all is calm.
fn phase(load: &Load, server: &str, how: &str, outage: impl Fn(), mend: impl Fn()) -> Row {
    let word = load.begin();
    let begun = Instant::now();
    outage();
    mend();
    let mended = Instant::now();
    // Only what began after the server was back says that things work again.
    while load.last_failure().is_some_and(|last| last.elapsed() < CALM) || mended.elapsed() < CALM {
        assert!(mended.elapsed() < PATIENCE, "{server} ({how}): no calm after {PATIENCE:?}");
        sleep(Duration::from_millis(50));
    }
    let row = Row::of(server, how, word, &load.samples_since(begun), mended);
    eprintln!("{row:?}");
    row
}
