//! Measures cold starts: the time from the start of a function's process to its first answer, without its stores.
//!
//! `cargo run --release -p process-tests --example cold_starts -- BIN_DIR [FUNCTION…]`, where `BIN_DIR` has release
//! binaries: `target/release`, or `target/lambda` after `cargo lambda build`.

#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sam_emulator::invoke::{Invocation, Invoker as _};
use sam_emulator::process::{HostEnvironment, ProcessOptions, Processes, Programs, Search};
use sam_emulator::{BoxError, template};
use serde_json::json;

const RUNS: usize = 20;
/// Functions over every kind of store, and one without a database.
const FUNCTIONS: &[&str] = &["auth-logout", "auth-me", "message-send", "presence-count"];
/// Servers that refuse every connection.
const VARIABLES: &[(&str, &str)] = &[
    ("JWT_SECRET", "a secret of this measurement, with enough bytes"),
    ("MONGODB_URI", "mongodb://127.0.0.1:1/?directConnection=true"),
    ("REDIS_URL", "redis://127.0.0.1:1"),
    ("AMQP_URL", "amqp://127.0.0.1:1"),
    ("PUSH_ENDPOINT", "http://127.0.0.1:1/live"),
    ("RATE_LIMIT_SCALE", "0"),
    ("RUST_LOG", "off"),
];

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let mut arguments = std::env::args().skip(1);
    let bin_dir = PathBuf::from(arguments.next().ok_or("usage: cold_starts BIN_DIR [FUNCTION…]")?);
    let given: Vec<String> = arguments.collect();
    let functions =
        if given.is_empty() { FUNCTIONS.iter().map(|name| (*name).to_owned()).collect() } else { given };
    println!("FUNCTION               MEDIAN      MAX   (ms from spawn to first answer, {RUNS} cold starts)");
    for function in functions {
        let mut times = Vec::new();
        for _ in 0..RUNS {
            times.push(cold_start(&bin_dir, &function).await?);
        }
        times.sort();
        let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
        println!(
            "{function:<20} {:>8.1} {:>8.1}",
            milliseconds(times[RUNS / 2]),
            milliseconds(times[RUNS - 1])
        );
    }
    Ok(())
}

async fn cold_start(bin_dir: &std::path::Path, function: &str) -> Result<Duration, BoxError> {
    let text = format!(
        "Resources: {{ F: {{ Type: AWS::Serverless::Function, Properties: {{ FunctionName: {function}, Runtime: provided.al2023, Timeout: 10 }} }} }}"
    );
    let plan = template::read(&text, &BTreeMap::new())?;
    let search = Search { bin_dir: Some(bin_dir.to_owned()), ..Search::default() };
    let programs = Programs::find(&plan, &search).await?;
    let variables = VARIABLES.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let host = HostEnvironment {
        prefixes: Default::default(),
        address: "127.0.0.1:1".parse()?,
        account: plan.account.clone(),
        variables: variables.collect(),
    };
    let processes = Processes::new(&plan, &programs, &host, &ProcessOptions::default())?;
    let call = Invocation::new(function, Bytes::from(request().to_string()));
    let start = Instant::now();
    let reply = processes.invoke(call).await;
    let elapsed = start.elapsed();
    let reply = reply.map_err(|error| format!("{function}: {error}"))?;
    let status: serde_json::Value = serde_json::from_slice(&reply)?;
    // Without a token every function answers 401 before it needs a store.
    if status["statusCode"] != 401 {
        return Err(format!("{function}: {status}").into());
    }
    processes.drain().await;
    Ok(elapsed)
}

/// An HTTP request without a token.
fn request() -> serde_json::Value {
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": "/", "rawQueryString": "", "headers": {},
        "requestContext": {
            "accountId": "1", "apiId": "local", "domainName": "localhost", "domainPrefix": "localhost",
            "http": { "method": "GET", "path": "/", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "" },
            "requestId": "x", "routeKey": "$default", "stage": "$default", "time": "", "timeEpoch": 1_800_000_000_000_i64,
        },
        "isBase64Encoded": false,
    })
}
