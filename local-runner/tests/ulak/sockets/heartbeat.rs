//! The heartbeat at given times: who stays silent is swept, who answers stays, whatever the clock on the wall
//! says.

use std::process::Command;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use shared::time::Time;
use test_support::person::Person;
use test_support::report;
use test_support::repository;
use test_support::socket_crowd::{SocketCrowd, memory_of_listener, now_millis, run_heartbeat, send_pong};

use super::line::{Line, SOCKET_IO};
use crate::server::{BINARY, own_server};

fn is_online(who: &Person, whom: &Person) -> bool {
    who.get(&format!("/api/user/online/{}", whom.id)).data(200)["online"] == json!(true)
}

/// The id of a connection, from its CONNECT.
async fn connected(person: &Person) -> (Line, String) {
    let mut line = Line::open(person.port, SOCKET_IO).await.unwrap();
    line.hear().await;
    line.say(&format!(r#"40{{"token":"{}"}}"#, person.access_token)).await;
    let session: Value = serde_json::from_str(&line.hear_until("40{").await[2..]).unwrap();
    (line, session["sid"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_half_open_socket_is_swept_and_one_that_answers_is_not() {
    let server = own_server(&[]);
    let (ada, bob) = (server.person(), server.person());
    let (mut answers, bob_id) = connected(&bob).await;
    let (mut silent, _) = connected(&ada).await;
    let mut json = Line::json(&bob).await;
    let start = now_millis();
    let (mut pings, mut closed) = (0, 0);
    for minute in 1..=8 {
        let report = run_heartbeat(server.port(), start, minute);
        if report["pinged"].as_u64().unwrap() > 0 {
            pings += 1;
            send_pong(server.port(), &bob_id, start + minute * 60_000);
        }
        closed += report["closed"].as_u64().unwrap();
        // 300 s and 120 s, and a minute until the next run.
        assert!(minute == 7 || is_online(&bob, &ada) == (minute < 7), "minute {minute}: {report}");
    }
    assert_eq!(closed, 1);
    assert_eq!(pings, 2, "one each four minutes");
    answers.hear_until("2").await;
    let offline = answers.hear_until(r#"42["user_offline""#).await;
    assert!(offline.contains(&ada.id), "{offline}");
    answers.hear_until("2").await;
    assert_eq!(silent.closed().await, 1000, "it was told in case it lives after all");
    assert!(is_online(&ada, &bob));
    // The JSON dialect has no pong: that the gateway takes the ping is its sign of life.
    assert_eq!(json.event("ping").await["data"], json!({}));
    json.say(r#"{"action":"online_users","id":1}"#).await;
    assert_eq!(json.event("ack").await["data"]["data"]["userIds"], json!([bob.id]));
}

#[tokio::test]
async fn who_never_says_who_it_is_is_closed_pongs_or_not() {
    let server = own_server(&[]);
    let mut line = Line::open(server.port(), SOCKET_IO).await.unwrap();
    line.hear().await;
    let start = now_millis();
    line.say("3").await;
    line.say("3").await;
    let report = run_heartbeat(server.port(), start, 1);
    assert_eq!(report["closed"], json!(1), "{report}");
    assert_eq!(line.closed().await, 1000);
}

#[tokio::test]
async fn a_killed_server_leaves_nobody_online() {
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
    // And who comes back is there, and seen to come.
    let (mut watch, _) = connected(&bob).await;
    let ada = Person { port: server.port(), ..ada };
    connected(&ada).await;
    assert!(watch.hear_until(r#"42["user_online""#).await.contains(&ada.id));
}

#[test]
fn the_command_fires_the_heartbeat_of_the_runner_that_is_up() {
    let server = own_server(&[]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let ada = server.person();
    let (mut line, _) = runtime.block_on(connected(&ada));
    let at = Time::from_millis(now_millis() + 250_000).to_string();
    let output = Command::new(BINARY)
        .args(["fire", "ws-heartbeat", "--at", &at, "--port", &server.port().0.to_string(), "--template"])
        .arg(repository().join("template.yaml"))
        .env_clear()
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let report: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    assert_eq!(report, json!({ "pinged": 1, "closed": 0, "corrected": 0, "announced": 0, "synced": 0 }));
    assert_eq!(runtime.block_on(line.hear_until("2")), "2");
}

/// `ULAK_CROWD` sets how many.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_sockets_live_through_ten_idle_minutes_and_hear_who_comes() {
    let count = std::env::var("ULAK_CROWD").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000);
    let server = own_server(&[]);
    let tokens: Vec<String> = (0..20).map(|_| server.person().access_token).collect();
    let before = memory_of_listener(server.port()).unwrap();
    let crowd = SocketCrowd::connect(server.port(), &tokens, count, 200).await;
    let after = memory_of_listener(server.port()).unwrap();
    let per_connection = after.saturating_sub(before) / u64::try_from(count).unwrap();
    report(&format!("the runner's resident memory: {} KiB per connection", per_connection / 1024));
    // Measured: 10 to 17 KiB. Far more is a leak or a buffer that nobody needs.
    assert!(per_connection < 64 * 1024, "{per_connection} bytes per connection");

    let rounds = crowd.idle(server.port(), now_millis(), 10).await;
    assert_eq!(rounds, 2, "a ping each four minutes");
    assert_eq!(crowd.counters.closed.load(Ordering::Relaxed), 0);

    let seen = crowd.counters.arrivals.load(Ordering::Relaxed);
    let (_late, _) = connected(&server.person()).await;
    let took = crowd.wait_until(|counters| &counters.arrivals, seen + count).await;
    report(&format!("{count} sockets heard who came within {} ms of the welcome", took.as_millis()));
    crowd.close().await;
}
