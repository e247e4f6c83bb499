//! Automatic messages under the load: day after day is planned and queued, and what was planned is compared in the
//! end with what arrived.

use std::collections::HashSet;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use shared::time::Time;
use test_support::http_client::{HttpRequest, Port};
use test_support::person::Person;

use crate::sampling::Shared;

/// Between two days.
const BEAT: Duration = Duration::from_millis(500);
const DAY: Duration = Duration::from_secs(24 * 3_600);
/// How long the last jobs may take to arrive.
const PATIENCE: Duration = Duration::from_secs(60);

/// Plans and queues day after day until the load is over; how many messages that makes, at `pairs` a day.
pub(crate) fn plan_days(shared: &Shared, port: Port, pairs: u64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let mut days = 0;
    while !shared.stopped() {
        days += 1;
        let morning = now + DAY * days;
        until_done(port, "auto-message-planner", morning);
        // What a run that failed had claimed is free again for the next minute's.
        for minute in 2..5 {
            until_done(port, "auto-message-queuer", morning + Duration::from_secs(60 * minute));
        }
        thread::sleep(BEAT);
    }
    until_done(port, "auto-message-queuer", now + DAY * (days + 1));
    u64::from(days) * pairs
}

/// Invokes until it succeeds, as a schedule does again and again.
fn until_done(port: Port, function: &str, at: Duration) {
    let time = Time::from_millis(at.as_millis().try_into().unwrap());
    let path = format!("/2015-03-31/functions/{function}/invocations");
    let call = HttpRequest::new(port, "POST", &path).json(&json!({ "time": time }));
    while call.send().header("x-amz-function-error").is_some() {
        thread::sleep(BEAT);
    }
}

/// Automatic messages in these people's conversations, each message once, as soon as they are as many as planned.
pub(crate) fn delivered(people: &[&Person], planned: u64) -> u64 {
    let start = Instant::now();
    loop {
        let found: HashSet<String> = people.iter().flat_map(|person| automatic(person)).collect();
        let found = found.len() as u64;
        if found >= planned || start.elapsed() > PATIENCE {
            return found;
        }
        thread::sleep(BEAT);
    }
}

/// Ids of a person's automatic messages.
fn automatic(person: &Person) -> Vec<String> {
    let data = person.get("/api/conversations?limit=100").data(200);
    let places = data["conversations"].as_array().unwrap().clone();
    let all = places.iter().flat_map(|place| person.whole_history(place["id"].as_str().unwrap()));
    let autos = all.filter(|message: &Value| message["kind"] == "auto");
    autos.map(|message| message["id"].as_str().unwrap().to_owned()).collect()
}
