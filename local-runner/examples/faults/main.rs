//! Makes each of the four servers unavailable to a runner under load, one after the other, and counts failures and
//! messages. Prints the table of docs/faults.md.
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

/// The duration of an outage.
const OUTAGE: Duration = Duration::from_secs(8);
/// The time without a failure after which the next phase begins.
const QUIET_TIME: Duration = Duration::from_secs(4);
/// The longest time until then.
const PATIENCE: Duration = Duration::from_secs(60);

/// The variables with the servers' URLs, and the names in the table.
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
        for (name_of_fault, fault) in
            [("connections refused", Fault::Refusing), ("silent (half-open)", Fault::Silent)]
        {
            rows.push(phase(
                &load,
                name,
                name_of_fault,
                || cause_outage(proxy, fault),
                || proxy.set(Fault::None),
            ));
        }
    }
    let names: Vec<String> = rows.iter().map(|row| row.word.clone()).collect();
    let (counts, jobs) = load.count(&names);
    stdout().write_all(table::text(&rows, &counts, jobs).as_bytes()).unwrap();
}

fn cause_outage(proxy: &ProxiedServer, fault: Fault) {
    proxy.set(fault);
    sleep(OUTAGE);
}

/// Runs one outage and waits until requests succeed again.
fn phase(load: &Load, server: &str, outage: &str, begin: impl Fn(), end: impl Fn()) -> Row {
    let word = load.start_phase();
    let start = Instant::now();
    begin();
    end();
    let ended = Instant::now();
    // The quiet time begins after the outage.
    while load.last_failure().is_some_and(|last| last.elapsed() < QUIET_TIME) || ended.elapsed() < QUIET_TIME
    {
        assert!(ended.elapsed() < PATIENCE, "{server} ({outage}): still failing after {PATIENCE:?}");
        sleep(Duration::from_millis(50));
    }
    let row = Row::new(server, outage, word, &load.samples_since(start), ended);
    eprintln!("{row:?}");
    row
}
