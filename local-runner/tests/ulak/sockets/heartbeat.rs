//! The heartbeat at given times, independent of the clock: it closes connections without pongs and keeps the others.

use std::process::Command;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use shared::time::Time;
use test_support::person::Person;
use test_support::report;
use test_support::repository;
use test_support::socket_crowd::{SocketCrowd, memory_of_listener, now_millis, run_heartbeat, send_pong};

use super::socket_client::{SOCKET_IO, SocketClient};
use crate::server::{BINARY, own_server};

fn is_online(caller: &Person, user: &Person) -> bool {
    caller.get(&format!("/api/user/online/{}", user.id)).data(200)["online"] == json!(true)
}

/// A user's Socket.IO connection and its id.
async fn connected(person: &Person) -> (SocketClient, String) {
    let mut client = SocketClient::open(person.port, SOCKET_IO).await.unwrap();
    client.receive().await;
    client.send(&format!(r#"40{{"token":"{}"}}"#, person.access_token)).await;
    let session: Value = serde_json::from_str(&client.receive_until("40{").await[2..]).unwrap();
    (client, session["sid"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn half_open_socket_is_closed_and_one_that_answers_stays_open() {
    let server = own_server(&[]);
    let (ada, bob) = (server.person(), server.person());
    let (mut answering, bob_id) = connected(&bob).await;
    let (mut silent, _) = connected(&ada).await;
    let mut json = SocketClient::json(&bob).await;
    let start = now_millis();
    let (mut pings, mut closed) = (0, 0);
    for minute in 1..=8 {
        let report = run_heartbeat(server.port(), start, minute);
        if report["pinged"].as_u64().unwrap() > 0 {
            pings += 1;
            send_pong(server.port(), &bob_id, start + minute * 60_000);
        }
        closed += report["closed"].as_u64().unwrap();
        // A lease ends after 300 s and 120 s; the next run of the heartbeat closes the connection.
        assert!(minute == 7 || is_online(&bob, &ada) == (minute < 7), "minute {minute}: {report}");
    }
    assert_eq!(closed, 1);
    assert_eq!(pings, 2, "not one ping in four minutes");
    answering.receive_until("2").await;
    let offline = answering.receive_until(r#"42["user_offline""#).await;
    assert!(offline.contains(&ada.id), "{offline}");
    answering.receive_until("2").await;
    assert_eq!(silent.close_code().await, 1000, "the socket was not closed");
    assert!(is_online(&ada, &bob));
    // The JSON dialect has no pong: a ping that the gateway accepts renews the lease.
    assert_eq!(json.receive_event("ping").await["data"], json!({}));
    json.send(r#"{"action":"online_users","id":1}"#).await;
    assert_eq!(json.receive_event("ack").await["data"]["data"]["userIds"], json!([bob.id]));
}

#[tokio::test]
async fn unauthenticated_socket_is_closed_although_it_sends_pongs() {
    let server = own_server(&[]);
    let mut client = SocketClient::open(server.port(), SOCKET_IO).await.unwrap();
    client.receive().await;
    let start = now_millis();
    client.send("3").await;
    client.send("3").await;
    let report = run_heartbeat(server.port(), start, 1);
    assert_eq!(report["closed"], json!(1), "{report}");
    assert_eq!(client.close_code().await, 1000);
}

#[tokio::test]
async fn users_go_offline_after_their_server_was_killed() {
    let mut server = own_server(&[]);
    let (ada, bob) = (server.person(), server.person());
    let (_one, _) = connected(&ada).await;
    assert!(is_online(&bob, &ada));
    server.kill_and_restart();
    let start = now_millis();
    let bob = Person { port: server.port(), ..bob };
    for minute in 1..=8 {
        run_heartbeat(server.port(), start, minute);
    }
    assert!(!is_online(&bob, &ada));
    // A user who connects again is announced again.
    let (mut watcher, _) = connected(&bob).await;
    let ada = Person { port: server.port(), ..ada };
    connected(&ada).await;
    assert!(watcher.receive_until(r#"42["user_online""#).await.contains(&ada.id));
}

#[test]
fn fire_command_runs_the_heartbeat_of_a_running_server() {
    let server = own_server(&[]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let ada = server.person();
    let (mut client, _) = runtime.block_on(connected(&ada));
    let at = Time::from_millis(now_millis() + 250_000).to_string();
    let output = Command::new(BINARY)
        .args(["fire", "ws-heartbeat", "--at", &at, "--port", &server.port().0.to_string(), "--template"])
        .arg(repository().join("template.yaml"))
        .env_clear()
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let report: Value = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}"));
    assert_eq!(
        report,
        json!({ "pinged": 1, "closed": 0, "ended": 0, "corrected": 0, "announced": 0, "synced": 0 })
    );
    assert_eq!(runtime.block_on(client.receive_until("2")), "2");
}

/// `ULAK_CROWD` sets the number of connections.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousand_idle_sockets_stay_open_and_receive_user_online() {
    let count = std::env::var("ULAK_CROWD").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000);
    let server = own_server(&[("MAX_CONNECTIONS_PER_USER", "0"), ("MAX_CONNECTIONS_PER_ADDRESS", "0")]);
    let tokens: Vec<String> = (0..20).map(|_| server.person().access_token).collect();
    let before = memory_of_listener(server.port()).unwrap();
    let crowd = SocketCrowd::connect(server.port(), &tokens, count, 200).await;
    let after = memory_of_listener(server.port()).unwrap();
    let per_connection = after.saturating_sub(before) / u64::try_from(count).unwrap();
    report(&format!("the runner's resident memory: {} KiB per connection", per_connection / 1024));
    // Measured: 10 to 17 KiB. Far more indicates a leak or an oversized buffer.
    assert!(per_connection < 64 * 1024, "{per_connection} bytes per connection");

    let rounds = crowd.idle(server.port(), now_millis(), 10).await;
    assert_eq!(rounds, 2, "not one ping in four minutes");
    assert_eq!(crowd.counters.closed.load(Ordering::Relaxed), 0);

    let seen = crowd.counters.arrivals.load(Ordering::Relaxed);
    let (_late, _) = connected(&server.person()).await;
    let took = crowd.wait_until(|counters| &counters.arrivals, seen + count).await;
    report(&format!("{count} sockets received user_online within {} ms after the CONNECT", took.as_millis()));
    crowd.close().await;
}
