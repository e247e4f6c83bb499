//! The heartbeat at given times: who stays silent is swept, who answers stays, whatever the clock on the wall
//! says.

use crate::aloud::aloud;
use std::process::Command;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::crowd::{Crowd, fire, memory_of_listener, now, pong, rfc_3339};
use super::line::{Line, SOCKET_IO};
use crate::person::Person;
use crate::world::{BINARY, World, repository};

fn is_online(who: &Person, whom: &Person) -> bool {
    who.get(&format!("/api/user/online/{}", whom.id)).data(200)["online"] == json!(true)
}

/// The id of a connection, from its CONNECT.
async fn connected(person: &Person) -> (Line, String) {
    let mut line = Line::open(person.port, SOCKET_IO).await.unwrap();
    line.hear().await;
    line.say(&format!(r#"40{{"token":"{}"}}"#, person.access)).await;
    let session: Value = serde_json::from_str(&line.hear_until("40{").await[2..]).unwrap();
    (line, session["sid"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_half_open_socket_is_swept_and_one_that_answers_is_not() {
    let world = World::own(&[]);
    let (ada, bob) = (world.person(), world.person());
    let (mut answers, bob_id) = connected(&bob).await;
    let (mut silent, _) = connected(&ada).await;
    let mut json = Line::json(&bob).await;
    let start = now();
    let (mut pings, mut closed) = (0, 0);
    for minute in 1..=8 {
        let report = fire(world.port(), start, minute);
        if report["pinged"].as_u64().unwrap() > 0 {
            pings += 1;
            pong(world.port(), &bob_id, start + minute * 60_000);
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
    let world = World::own(&[]);
    let mut line = Line::open(world.port(), SOCKET_IO).await.unwrap();
    line.hear().await;
    let start = now();
    line.say("3").await;
    line.say("3").await;
    let report = fire(world.port(), start, 1);
    assert_eq!(report["closed"], json!(1), "{report}");
    assert_eq!(line.closed().await, 1000);
}

#[tokio::test]
async fn a_killed_server_leaves_nobody_online() {
    let mut world = World::own(&[]);
    let (ada, bob) = (world.person(), world.person());
    let (_one, _) = connected(&ada).await;
    assert!(is_online(&bob, &ada));
    world.kill_and_restart();
    let start = now();
    let bob = Person { port: world.port(), ..bob };
    for minute in 1..=8 {
        fire(world.port(), start, minute);
    }
    assert!(!is_online(&bob, &ada));
    // And who comes back is there, and seen to come.
    let (mut watch, _) = connected(&bob).await;
    let ada = Person { port: world.port(), ..ada };
    connected(&ada).await;
    assert!(watch.hear_until(r#"42["user_online""#).await.contains(&ada.id));
}

#[test]
fn the_command_fires_the_heartbeat_of_the_runner_that_is_up() {
    let world = World::own(&[]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let ada = world.person();
    let (mut line, _) = runtime.block_on(connected(&ada));
    let at = rfc_3339(now() + 250_000);
    let output = Command::new(BINARY)
        .args(["fire", "ws-heartbeat", "--at", &at, "--port", &world.port().0.to_string(), "--template"])
        .arg(repository().join("template.yaml"))
        .env_clear()
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let report: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    assert_eq!(report, json!({ "pinged": 1, "closed": 0, "corrected": 0, "synced": 0 }));
    assert_eq!(runtime.block_on(line.hear_until("2")), "2");
}

/// `ULAK_CROWD` sets how many.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_sockets_live_through_ten_idle_minutes_and_hear_who_comes() {
    let count = std::env::var("ULAK_CROWD").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000);
    let world = World::own(&[]);
    let tokens: Vec<String> = (0..20).map(|_| world.person().access).collect();
    let before = memory_of_listener(world.port()).unwrap();
    let crowd = Crowd::gather(world.port(), &tokens, count, 200).await;
    let after = memory_of_listener(world.port()).unwrap();
    let per_connection = after.saturating_sub(before) / u64::try_from(count).unwrap();
    aloud(&format!("the runner's resident memory: {} KiB per connection", per_connection / 1024));
    // Measured: 10 to 17 KiB. Far more is a leak or a buffer that nobody needs.
    assert!(per_connection < 64 * 1024, "{per_connection} bytes per connection");

    let rounds = crowd.idle(world.port(), now(), 10).await;
    assert_eq!(rounds, 2, "a ping each four minutes");
    assert_eq!(crowd.met.ended.load(Ordering::Relaxed), 0);

    let seen = crowd.met.arrivals.load(Ordering::Relaxed);
    let (_late, _) = connected(&world.person()).await;
    let took = crowd.until(|met| &met.arrivals, seen + count).await;
    aloud(&format!("{count} sockets heard who came within {} ms of the welcome", took.as_millis()));
    crowd.leave().await;
}
