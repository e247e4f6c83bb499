//! Attacks and stalls over the runner's port: a client that alternates CONNECT and DISCONNECT, and one that stops
//! reading.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use test_support::person::Person;
use test_support::report;
use test_support::socket_crowd::SocketCrowd;
use tokio::time::sleep;

use super::socket_client::{SOCKET_IO, SocketClient};
use crate::server::own_server;

/// The content of a message over the stalled connection: long, so that the system's own buffers are full soon.
fn long_content(n: usize) -> String {
    format!("{n} {}", "x".repeat(3_900))
}

/// A user's Socket.IO connection after its CONNECT.
async fn connect(person: &Person) -> SocketClient {
    let mut client = SocketClient::open(person.port, SOCKET_IO).await.unwrap();
    client.receive_until("0{").await;
    client.send(&format!(r#"40{{"token":"{}"}}"#, person.access_token)).await;
    client.receive_until("40{").await;
    client
}

/// The time that 99 of 100 sends take at most, from some sends one after the other.
async fn p99(sender: &mut SocketClient, room: &str, sends: usize) -> Duration {
    let mut times = Vec::new();
    for n in 0..sends {
        let payload = json!({ "conversationId": room, "content": format!("message {n}") });
        let start = Instant::now();
        sender.send(&format!(r#"42{n}["send_message",{payload}]"#)).await;
        sender.receive_until(&format!("43{n}[")).await;
        times.push(start.elapsed());
        sleep(Duration::from_millis(5)).await;
    }
    times.sort_unstable();
    times[times.len() * 99 / 100]
}

/// Without rate limits, so that only the grace protects the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_sockets_receive_at_most_ten_presence_events_of_a_client_that_connects_and_disconnects() {
    const IDLE: usize = 1_000;
    let server = own_server(&[]);
    let tokens: Vec<String> = (0..20).map(|_| server.person().access_token).collect();
    let crowd = SocketCrowd::connect(server.port(), &tokens, IDLE, 400).await;
    let (ada, _bob, room) = server.pair();
    let mut sender = connect(&ada).await;
    let quiet = p99(&mut sender, &room, 300).await;
    sleep(Duration::from_secs(3)).await;
    let events = || {
        let counters = &crowd.counters;
        counters.arrivals.load(Ordering::Relaxed) + counters.departures.load(Ordering::Relaxed)
    };
    let before = events();

    let eve = server.person();
    let is_over = AtomicBool::new(false);
    let storm = async {
        let mut client = SocketClient::open(server.port(), SOCKET_IO).await.unwrap();
        client.receive_until("0{").await;
        let (start, mut rounds) = (Instant::now(), 0);
        while start.elapsed() < Duration::from_secs(10) {
            client.send(&format!(r#"40{{"token":"{}"}}"#, eve.access_token)).await;
            client.send("41").await;
            client.receive_until("40{").await;
            rounds += 1;
        }
        is_over.store(true, Ordering::Relaxed);
        rounds
    };
    let (rounds, busy) = tokio::join!(storm, p99(&mut sender, &room, 300));
    // What is announced last, is announced after the grace.
    sleep(Duration::from_secs(4)).await;
    let per_socket = (events() - before) as f64 / IDLE as f64;
    report(&format!(
        "{rounds} CONNECTs and DISCONNECTs in ten seconds: {per_socket:.1} presence events for each of {IDLE} idle \
         sockets; p99 of sends {quiet:?} before and {busy:?} meanwhile"
    ));
    assert!(rounds > 100, "{rounds} rounds");
    assert!(per_socket <= 10.0, "{per_socket} presence events for each idle socket");
    crowd.close().await;
}

/// The `seq` of each `message_received` until the connection ends, or until `count` of them.
async fn seqs(client: &mut SocketClient, count: usize) -> Vec<u64> {
    let mut found = Vec::new();
    while found.len() < count {
        let Some(text) = client.receive_or_close().await else { break };
        if let Some(event) = text.strip_prefix("42").and_then(|json| serde_json::from_str::<Value>(json).ok())
            && event[0] == "message_received"
        {
            found.push(event[1]["message"]["seq"].as_u64().unwrap());
        }
    }
    found
}

/// The messages are too many for the buffers of the systems between, so the gateway refuses some of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reader_that_stops_for_ten_seconds_has_every_message_after_its_reconnect() {
    const MESSAGES: usize = 1_500;
    let server = own_server(&[]);
    let (ada, bob, room) = server.pair();
    let mut stalled = connect(&bob).await;
    let mut sender = connect(&ada).await;
    let start = Instant::now();
    for n in 0..MESSAGES {
        let payload = json!({ "conversationId": room, "content": long_content(n) });
        sender.send(&format!(r#"42{n}["send_message",{payload}]"#)).await;
        sender.receive_until(&format!("43{n}[")).await;
    }
    sleep(Duration::from_secs(10).saturating_sub(start.elapsed())).await;

    let first = seqs(&mut stalled, MESSAGES).await;
    assert!(first.len() < MESSAGES, "nothing was missed, so the test shows nothing");
    assert!(
        first.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "a later message was shown after a missed one"
    );
    let mut received: BTreeSet<u64> = first.iter().copied().collect();
    let replayed = replay_all(&bob, &room, received.last().copied().unwrap_or(0), &mut received).await;
    report(&format!("{} of {MESSAGES} before the close, {replayed} by replay", first.len()));
    assert_eq!(received.len(), MESSAGES);
}

/// Reconnects with `lastSeq` and continues the replay until it is complete. Returns how many messages came.
async fn replay_all(who: &Person, room: &str, last_seq: u64, received: &mut BTreeSet<u64>) -> usize {
    let mut client = SocketClient::open(who.port, SOCKET_IO).await.unwrap();
    client.receive_until("0{").await;
    let auth = json!({ "token": who.access_token, "lastSeq": { room: last_seq } });
    client.send(&format!("40{auth}")).await;
    let (mut count, mut asked) = (0, 0);
    loop {
        let text = client.receive().await;
        let body = text.trim_start_matches(|c: char| c.is_ascii_digit());
        let Ok(event) = serde_json::from_str::<Value>(body) else { continue };
        let more = match event[0].as_str() {
            Some("message_received") => {
                count += 1;
                received.insert(event[1]["message"]["seq"].as_u64().unwrap());
                // The last message of the conversation ends a replay that needs no continuation.
                if received.len() == 1_500 && asked == 0 {
                    return count;
                }
                continue;
            }
            Some("replay_incomplete") => event[1]["lastSeq"].clone(),
            None if text.starts_with("43") => event[0]["data"]["more"].clone(),
            _ => continue,
        };
        if more.as_object().is_none_or(serde_json::Map::is_empty) {
            return count;
        }
        asked += 1;
        client.send(&format!(r#"42{asked}["replay",{}]"#, json!({ "lastSeq": more }))).await;
    }
}
