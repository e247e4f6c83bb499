//! Automatic messages during outages of the broker.

use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use shared::time::Time;
use test_support::fault_proxy::Fault;
use test_support::http_client::HttpResponse;
use test_support::proxied_server::ProxiedServer;
use test_support::test_server::{TestServer, leaves_process_mode};
use test_support::vhost::Vhost;
use test_support::{server_url, unique_name};

use crate::server::own_server;

/// The longest time of an invocation during an outage.
const TIME_LIMIT: Duration = Duration::from_secs(6);
/// The longest time until everything works after an outage.
const RECOVERY_LIMIT: Duration = Duration::from_secs(30);

/// The event of a schedule, `after` from now.
fn schedule_event(after: Duration) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + after;
    json!({ "time": Time::from_millis(now.as_millis().try_into().unwrap()) })
}

fn invoke(server: &TestServer, function: &str, event: &Value) -> HttpResponse {
    server.request("POST", &format!("/2015-03-31/functions/{function}/invocations")).json(event).send()
}

fn failed(answer: &HttpResponse) -> bool {
    answer.header("x-amz-function-error").is_some()
}

#[test]
fn automatic_messages_arrive_once_after_broker_outages() {
    if leaves_process_mode("it asks for the state of a store that the deployed function health does not use")
    {
        return;
    }
    let Some(url) = server_url("AMQP_URL") else { return };
    let Some(vhost) = Vhost::create(&url, format!("ulak-test-{}", unique_name())) else { return };
    let proxy = ProxiedServer::start(&vhost.url);
    let own = unique_name();
    let names = [("MONGODB_DATABASE", own.as_str()), ("REDIS_PREFIX", &own), ("SEND_WINDOW_MINUTES", "1")];
    let server = own_server(&[&[("AMQP_URL", proxy.url.as_str())][..], &names].concat());
    let people: Vec<_> = (0..20).map(|_| server.person()).collect();
    let planned = invoke(&server, "auto-message-planner", &schedule_event(Duration::ZERO));
    assert_eq!(planned.json()["planned"], 10, "{}", planned.text());

    // The queuer runs for several minutes of the coming hour, during one fault each.
    for (minute, fault) in [(2, Fault::Refusing), (4, Fault::Silent), (6, Fault::Refusing)] {
        proxy.set(fault);
        let start = Instant::now();
        let answer =
            invoke(&server, "auto-message-queuer", &schedule_event(Duration::from_secs(60 * minute)));
        assert!(failed(&answer), "{}", answer.text());
        assert!(start.elapsed() < TIME_LIMIT, "took {:?}", start.elapsed());
        assert_eq!(server.request("GET", "/api/health").send().json()["data"]["down"], json!(["rabbitmq"]));
        let ada = &people[0];
        ada.send_to(&people[1], "sent without the broker");
        proxy.set(Fault::None);
    }
    let start = Instant::now();
    while failed(&invoke(&server, "auto-message-queuer", &schedule_event(Duration::from_secs(60 * 8)))) {
        assert!(start.elapsed() < RECOVERY_LIMIT, "the queuer does not reconnect");
    }
    let count_auto_messages = || -> usize {
        let count_for = |person: &test_support::person::Person| {
            let data = person.get("/api/conversations").data(200);
            let lists = data["conversations"].as_array().unwrap().clone();
            let histories = lists.iter().map(|c| person.whole_history(c["id"].as_str().unwrap()));
            histories.flatten().filter(|m| m["kind"] == "auto").count()
        };
        people.iter().map(count_for).sum()
    };
    // Each of the ten messages is in the history of two users.
    while count_auto_messages() < 20 {
        assert!(start.elapsed() < RECOVERY_LIMIT, "{} of 20 arrived", count_auto_messages());
        proxy.cut_connections();
        thread::sleep(Duration::from_millis(500));
    }
    thread::sleep(Duration::from_secs(1));
    assert_eq!(count_auto_messages(), 20, "a message arrived twice");
}
