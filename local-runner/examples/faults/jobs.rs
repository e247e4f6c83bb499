//! Automatic messages under load: days are planned and queued one after the other, and the sent messages are counted at
//! the end.

use std::collections::HashSet;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use shared::time::Time;
use test_support::http_client::{HttpRequest, Port};
use test_support::person::Person;

use crate::sampling::Shared;

/// The pause between two days, and between two attempts.
const PAUSE: Duration = Duration::from_millis(500);
const DAY: Duration = Duration::from_secs(24 * 3_600);
/// The longest time until the last messages are sent.
const PATIENCE: Duration = Duration::from_secs(60);

/// Plans and queues days until the load is stopped. Returns the number of planned messages, `pairs` per day.
pub(crate) fn plan_days(shared: &Shared, port: Port, pairs: u64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let mut days = 0;
    while !shared.is_stopped() {
        days += 1;
        let morning = now + DAY * days;
        invoke_until_success(port, "auto-message-planner", morning);
        // A later run claims the rows of a failed run, whose lease has expired by then.
        for minute in 2..5 {
            invoke_until_success(port, "auto-message-queuer", morning + Duration::from_secs(60 * minute));
        }
        thread::sleep(PAUSE);
    }
    invoke_until_success(port, "auto-message-queuer", now + DAY * (days + 1));
    u64::from(days) * pairs
}

/// Invokes a scheduled function until it succeeds.
fn invoke_until_success(port: Port, function: &str, at: Duration) {
    let time = Time::from_millis(at.as_millis().try_into().unwrap());
    let path = format!("/2015-03-31/functions/{function}/invocations");
    let call = HttpRequest::new(port, "POST", &path).json(&json!({ "time": time }));
    while call.send().header("x-amz-function-error").is_some() {
        thread::sleep(PAUSE);
    }
}

/// Waits until the users' conversations contain `planned` automatic messages. Returns their number, without duplicates.
pub(crate) fn count_delivered(people: &[&Person], planned: u64) -> u64 {
    let start = Instant::now();
    loop {
        let found: HashSet<String> = people.iter().flat_map(|person| auto_message_ids(person)).collect();
        let found = found.len() as u64;
        if found >= planned || start.elapsed() > PATIENCE {
            return found;
        }
        thread::sleep(PAUSE);
    }
}

/// The ids of a user's automatic messages.
fn auto_message_ids(person: &Person) -> Vec<String> {
    let data = person.get("/api/conversations?limit=100").data(200);
    let conversations = data["conversations"].as_array().unwrap().clone();
    let all = conversations
        .iter()
        .flat_map(|conversation| person.whole_history(conversation["id"].as_str().unwrap()));
    let automatic = all.filter(|message: &Value| message["kind"] == "auto");
    automatic.map(|message| message["id"].as_str().unwrap().to_owned()).collect()
}
