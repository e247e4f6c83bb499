//! Attacks a runner that is up with slow and silent clients, and measures what honest requests and its memory do
//! meanwhile: the runner in one terminal (`ulimit -n 1024; RATE_LIMIT_SCALE=0 local-runner --data :memory:`), this in
//! another.
//!
//! `cargo run --release -p local-runner --example attack -- --port 3000 --seconds 60`

use std::io::{Write as _, stdout};
use std::time::{Duration, Instant};

use clap::Parser;
use serde_json::json;
use test_support::http_client::{HttpRequest, Port};
use test_support::person::Person;
use test_support::socket_crowd::memory_of_listener;
use test_support::unique_name;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Slow and silent clients against a running local-runner
#[derive(Parser)]
struct Options {
    /// The runner's port on this machine
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// How long the attack lasts
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Connections with half-sent request heads
    #[arg(long, default_value_t = 300)]
    heads: usize,
    /// Connections each that hold back a body of 10 MB, that never read their answers, and slow WebSockets
    #[arg(long, default_value_t = 100)]
    others: usize,
}

#[tokio::main]
async fn main() -> Result<(), tokio::task::JoinError> {
    let options = Options::parse();
    let port = Port(options.port);
    let token =
        tokio::task::spawn_blocking(move || Person::register(port, &unique_name()).access_token).await?;
    let url = format!("127.0.0.1:{}", options.port);
    let attack = |count: usize, bytes: Vec<u8>, repeat: bool| {
        for _ in 0..count {
            tokio::spawn(hold(url.clone(), bytes.clone(), repeat));
        }
    };
    attack(options.heads, b"GET /api/health HTTP/1.1\r\nhost: localhost\r\nx-half".to_vec(), false);
    let mut body =
        b"POST /api/messages/send HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..150 {
        body.extend_from_slice(b"10000\r\n");
        body.extend_from_slice(&[b'x'; 0x1_0000]);
        body.extend_from_slice(b"\r\n");
    }
    attack(options.others, body, false);
    attack(options.others, b"GET /api/user/list HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec(), true);
    let upgrade = format!(
        "GET /live?token={token} HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    attack(options.others, upgrade.into_bytes(), false);
    let report = tokio::task::spawn_blocking(move || measure(port, Duration::from_secs(options.seconds)));
    print(&report.await?);
    Ok(())
}

/// Sends bytes, again and again if `repeat`, reads nothing, and connects again when the runner closes.
async fn hold(address: String, bytes: Vec<u8>, repeat: bool) {
    loop {
        if let Ok(mut socket) = TcpStream::connect(&address).await {
            while socket.write_all(&bytes).await.is_ok() {
                if !repeat {
                    // Until the runner closes the connection: then a write fails.
                    while timeout(Duration::from_millis(500), socket.readable()).await.is_err() {}
                    tokio::time::sleep(Duration::from_secs(2)).await;
                    break;
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Honest requests, five per second: the slowest, the failures, and the peak of the runner's memory.
fn measure(port: Port, duration: Duration) -> String {
    let (begun, mut slowest, mut failed, mut sent, mut peak) = (Instant::now(), Duration::ZERO, 0, 0, 0);
    while begun.elapsed() < duration {
        let request = Instant::now();
        let form = json!({ "email": "no-such-user@example.com", "password": "wrong horse" });
        let health =
            HttpRequest::new(port, "GET", "/api/health").try_send().is_ok_and(|answer| answer.status == 200);
        let login = HttpRequest::new(port, "POST", "/api/auth/login").json(&form).try_send();
        let login = login.is_ok_and(|answer| answer.status == 401);
        slowest = slowest.max(request.elapsed());
        failed += u32::from(!health) + u32::from(!login);
        sent += 2;
        peak = peak.max(memory_of_listener(port).unwrap_or(0));
        std::thread::sleep(Duration::from_millis(100));
    }
    let peak = peak as f64 / 1_048_576.0;
    format!(
        "{sent} honest requests, {failed} failed, the slowest pair {slowest:.2?}; peak memory {peak:.1} MiB"
    )
}

fn print(line: &str) {
    // A reader that has gone away (`| head`) is no failure.
    let _ = writeln!(stdout(), "{line}");
}
