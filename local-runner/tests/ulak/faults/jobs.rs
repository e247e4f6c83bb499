//! Automatic messages while the broker goes and comes: planned once, sent once.

use crate::aloud::aloud;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use shared::time::Time;

use super::wire::Wire;
use crate::client::Answer;
use crate::vhost::Vhost;
use crate::world::{World, unique};

const BOUND: Duration = Duration::from_secs(6);
const HEALED: Duration = Duration::from_secs(30);

/// So long after now, as a schedule says it.
fn at(after: Duration) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + after;
    json!({ "time": Time::from_millis(now.as_millis().try_into().unwrap()) })
}

fn invoke(world: &World, function: &str, event: &Value) -> Answer {
    world.call("POST", &format!("/2015-03-31/functions/{function}/invocations")).json(event).send()
}

fn failed(answer: &Answer) -> bool {
    answer.header("x-amz-function-error").is_some()
}

#[test]
fn the_broker_may_go_and_come() {
    let Ok(url) = std::env::var("AMQP_URL") else {
        aloud("SKIPPED: set AMQP_URL to cut the wire to that server");
        return;
    };
    let Some(vhost) = Vhost::new(&url, format!("ulak-test-{}", unique())) else { return };
    let wire = Wire::before(&vhost.url).unwrap();
    let own = unique();
    let names = [("MONGODB_DATABASE", own.as_str()), ("REDIS_PREFIX", &own), ("SEND_WINDOW_MINUTES", "1")];
    let world = World::own(&[&[("AMQP_URL", wire.url.as_str())][..], &names].concat());
    let people: Vec<_> = (0..20).map(|_| world.person()).collect();
    let planned = invoke(&world, "auto-message-planner", &at(Duration::ZERO));
    assert_eq!(planned.json()["planned"], 10, "{}", planned.text());

    // Every minute of the coming hour the queuer runs; the wire is cut, silent, and cut again.
    for (minute, silent) in [(2, false), (4, true), (6, false)] {
        wire.away(silent);
        let start = Instant::now();
        let answer = invoke(&world, "auto-message-queuer", &at(Duration::from_secs(60 * minute)));
        assert!(failed(&answer), "{}", answer.text());
        assert!(start.elapsed() < BOUND, "took {:?}", start.elapsed());
        assert_eq!(world.call("GET", "/api/health").send().json()["data"]["down"], json!(["rabbitmq"]));
        let ada = &people[0];
        ada.write_to(&people[1], "the rest goes on");
        wire.reconcile();
    }
    let start = Instant::now();
    while failed(&invoke(&world, "auto-message-queuer", &at(Duration::from_secs(60 * 8)))) {
        assert!(start.elapsed() < HEALED, "the broker was not found again");
    }
    let autos = || -> usize {
        let of = |person: &crate::person::Person| {
            let data = person.get("/api/conversations").data(200);
            let lists = data["conversations"].as_array().unwrap().clone();
            let histories = lists.iter().map(|c| person.whole_history(c["id"].as_str().unwrap()));
            histories.flatten().filter(|m| m["kind"] == "auto").count()
        };
        people.iter().map(of).sum()
    };
    // Each of the ten is seen by its two people.
    while autos() < 20 {
        assert!(start.elapsed() < HEALED, "{} of 20 arrived", autos());
        wire.blink();
        thread::sleep(Duration::from_millis(500));
    }
    thread::sleep(Duration::from_secs(1));
    assert_eq!(autos(), 20, "none arrives twice");
}
