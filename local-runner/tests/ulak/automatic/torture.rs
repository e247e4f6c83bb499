//! SIGKILL at random times while messages are planned, queued and sent; with RabbitMQ also cut connections and a killed
//! broker. Afterwards every planned message is stored exactly once, and no job is dead-lettered.

use std::thread;
use std::time::{Duration, Instant};

use adapter_embedded::Embedded;
use serde_json::Value;
use shared::auth::{Password, Passwords};
use shared::auto_message::{AutoMessage, SENDING_QUEUE};
use shared::id::{AutoMessageId, Entropy, UserId};
use shared::message::MessageKind;
use shared::ports::{AutoMessages, Users as _};
use shared::time::Time;
use shared::user::User;
use test_support::auto_messages::{DAY, NIGHT, history_of, participants, time, user_seen_at};
use test_support::events::schedule_event;
use test_support::http_client::{HttpRequest, Port};
use test_support::person::Person;
use test_support::test_server::{EMBEDDED, TestServer, leaves_process_mode};
use test_support::{report, servers_are_required, skip};

use super::broker::{BrokerNode, CuttableVhost};
use crate::server::own_server;

const PATIENCE: Duration = Duration::from_secs(240);

/// The size of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) messages: usize,
    pub(super) kills: usize,
    pub(super) cuts: usize,
}

impl Size {
    /// The full size with `ULAK_TORTURE=full`.
    pub(super) fn of_this_run() -> Self {
        if is_full() {
            return Self { messages: 1_000, kills: 30, cuts: 5 };
        }
        report("SHORTENED: set ULAK_TORTURE=full for 1,000 messages and 30 kills");
        Self { messages: 200, kills: 6, cuts: 5 }
    }
}

fn is_full() -> bool {
    std::env::var("ULAK_TORTURE").is_ok_and(|size| size == "full")
}

/// Counts for the test's output.
#[derive(Debug, Default)]
struct Figures {
    planner_kills: usize,
    kills: usize,
    broker_faults: usize,
    /// Restarts after which jobs were ready or unacknowledged.
    restarts_with_work_left: usize,
    /// Rows that were claimed more than once, because of a kill between the claim and the mark.
    claimed_again: usize,
}

pub(super) fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(work)
}

/// Seeded random delays. What a delay interrupts also depends on the operating system's scheduler.
struct RandomDelays(Entropy);

impl RandomDelays {
    /// A number from 0 to `limit - 1`.
    fn below(&self, limit: u128) -> u64 {
        u64::try_from(self.0.bits() % limit).unwrap()
    }

    /// A delay that ends while rows are claimed and published, while jobs wait in the queue, or while the consumer
    /// runs, whose batch closes after a second.
    fn delay(&self) -> Duration {
        let millis = match self.below(3) {
            0 => self.below(150),
            1 => 150 + self.below(800),
            _ => 950 + self.below(500),
        };
        Duration::from_millis(millis)
    }
}

/// Stores two users for each message in the data of a stopped server.
fn insert_people(server: &TestServer, count: usize) -> Vec<UserId> {
    block_on(async {
        let store = Embedded::open(&server.data()).unwrap();
        let password = Password::for_comparison(Person::PASSWORD).unwrap();
        let hash = Passwords::new(1).hash(password, &Entropy::default()).await.unwrap();
        let people: Vec<User> = (0..count)
            .map(|n| User { password_hash: hash.clone(), ..user_seen_at(&format!("person{n}"), time(NIGHT)) })
            .collect();
        futures::future::try_join_all(people.iter().map(|person| store.insert(person))).await.unwrap();
        people.into_iter().map(|person| person.id).collect()
    })
}

fn fire(port: Port, function: &str, at: Time) -> Option<Value> {
    let path = format!("/2015-03-31/functions/{function}/invocations");
    let answer =
        HttpRequest::new(port, "POST", &path).json(&schedule_event(&at.to_string())).try_send().ok()?;
    answer.header("x-amz-function-error").is_none().then(|| answer.json())
}

/// Fires a function and kills the server after a delay.
fn fire_and_kill(server: &mut TestServer, function: &'static str, at: Time, after: Duration) {
    let port = server.port();
    let firing = thread::spawn(move || fire(port, function, at));
    thread::sleep(after);
    server.kill();
    // The invocation may have succeeded or failed.
    let _ = firing.join().unwrap();
    server.kill_and_restart();
}

/// The number of jobs in each queue that is not empty.
fn depths(server: &TestServer) -> Option<Vec<(String, u64)>> {
    let answer =
        server.request("GET", "/_runner/queues").try_send().ok().filter(|answer| answer.status == 200)?;
    let report = answer.json();
    let depth = |queue: &Value| {
        let number = |name: &str| queue[name].as_u64().unwrap();
        (queue["queue"].as_str().unwrap().to_owned(), number("ready") + number("unacked"))
    };
    Some(report["queues"].as_array().unwrap().iter().map(depth).filter(|(_, depth)| *depth > 0).collect())
}

/// Waits until the depths of the queues satisfy a condition.
pub(super) fn wait_for_queues(server: &TestServer, is_reached: impl Fn(&[(String, u64)]) -> bool) {
    let start = Instant::now();
    loop {
        let found = depths(server);
        if found.as_ref().is_some_and(|found| is_reached(found)) {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "the queues hold {found:?}");
        thread::sleep(Duration::from_millis(100));
    }
}

/// The broker and its fault.
enum Broker {
    /// The embedded queue; only the server is killed.
    Embedded,
    CutConnections(CuttableVhost),
    Kill(BrokerNode),
}

impl Broker {
    fn fail(&mut self) {
        match self {
            Self::Embedded => {}
            Self::CutConnections(vhost) => vhost.cut_connections(),
            Self::Kill(node) => node.kill_and_restart(),
        }
    }

    fn url(&self) -> String {
        match self {
            Self::Embedded => String::new(),
            Self::CutConnections(vhost) => vhost.url().to_owned(),
            Self::Kill(node) => node.url(),
        }
    }
}

fn torture(mut broker: Broker, size: Size) {
    if leaves_process_mode("it opens the embedded store") {
        return;
    }
    let start = Instant::now();
    let (delays, mut figures) = (RandomDelays(Entropy::seeded(2_096)), Figures::default());
    let url = broker.url();
    let mut environment = EMBEDDED.to_vec();
    environment.extend([("ACTIVE_DAYS", "40000"), ("AMQP_URL", url.as_str()), ("RUST_LOG", "error")]);
    let mut server = own_server(&environment);
    server.kill();
    let people = insert_people(&server, 2 * size.messages);
    server.kill_and_restart();
    plan_under_kills(&mut server, &delays, size, &mut figures);
    flow_under_kills(&mut server, &mut broker, &delays, size, &mut figures);
    let rows = wait_until_done(&mut server, &people, size);
    check(&server, &rows, size, &mut figures);
    report(&format!("{} messages in {:.1?}: {figures:?}", size.messages, start.elapsed()));
    // RabbitMQ does not report unacknowledged jobs, so only the embedded queue can be checked.
    let interrupted = figures.restarts_with_work_left > 0 || !matches!(broker, Broker::Embedded);
    assert!(interrupted, "no kill interrupted any work");
}

fn plan_under_kills(server: &mut TestServer, delays: &RandomDelays, size: Size, figures: &mut Figures) {
    for _ in 0..size.kills / 3 {
        let after = Duration::from_millis(delays.below(120));
        fire_and_kill(server, "auto-message-planner", time(NIGHT), after);
        figures.planner_kills += 1;
    }
    let report = fire(server.port(), "auto-message-planner", time(NIGHT)).expect("the planner failed");
    assert_eq!(report["plannedFor"], DAY);
    let second = fire(server.port(), "auto-message-planner", time(NIGHT)).expect("the planner failed");
    assert_eq!((&second["users"], &second["planned"]), (&0.into(), &0.into()), "a user is not planned");
}

/// Divides the day into as many steps as there are faults. At each step rows are due, and the server is killed or the
/// broker fails.
fn flow_under_kills(
    server: &mut TestServer,
    broker: &mut Broker,
    delays: &RandomDelays,
    size: Size,
    figures: &mut Figures,
) {
    let cuts = if matches!(broker, Broker::Embedded) { 0 } else { size.cuts };
    let rounds = size.kills + cuts;
    let step = Duration::from_secs(24 * 3_600) / u32::try_from(rounds).unwrap();
    for round in 1..=rounds {
        let now = time(NIGHT) + step * u32::try_from(round).unwrap();
        if round * cuts / rounds > (round - 1) * cuts / rounds {
            let port = server.port();
            let firing = thread::spawn(move || fire(port, "auto-message-queuer", now));
            thread::sleep(delays.delay());
            broker.fail();
            let _ = firing.join().unwrap();
            figures.broker_faults += 1;
        } else {
            fire_and_kill(server, "auto-message-queuer", now, delays.delay());
            figures.kills += 1;
            figures.restarts_with_work_left +=
                usize::from(depths(server).is_none_or(|held| !held.is_empty()));
        }
    }
}

/// Runs the queuer at times after every lease until nothing is due, and waits for the consumer. Returns all rows.
fn wait_until_done(server: &mut TestServer, people: &[UserId], size: Size) -> Vec<AutoMessage> {
    let mut now = time(NIGHT) + Duration::from_secs(25 * 3_600);
    let start = Instant::now();
    loop {
        now = now + Duration::from_secs(60);
        let queued = fire(server.port(), "auto-message-queuer", now).map(|report| report["queued"].clone());
        if queued == Some(0.into()) {
            wait_for_queues(server, <[_]>::is_empty);
            server.kill();
            let rows = block_on(planned(&Embedded::open(&server.data()).unwrap(), people));
            if rows.iter().all(|row| row.is_sent) {
                assert_eq!(rows.len(), size.messages, "not every pair has a row");
                return rows;
            }
            // RabbitMQ does not report unacknowledged jobs, so some were still running.
            server.kill_and_restart();
            // Time to finish: on a slow machine a server that is killed at every check never does.
            thread::sleep(Duration::from_secs(4));
        }
        assert!(start.elapsed() < PATIENCE, "not all rows are sent");
        thread::sleep(Duration::from_millis(500));
    }
}

async fn planned(store: &Embedded, people: &[UserId]) -> Vec<AutoMessage> {
    let mut rows = Vec::new();
    for person in people {
        let id = AutoMessageId::trusted(format!("{DAY}-{person}"));
        rows.extend(AutoMessages::get(store, &id).await.unwrap());
    }
    rows
}

fn check(server: &TestServer, rows: &[AutoMessage], size: Size, figures: &mut Figures) {
    assert_eq!(participants(rows).len(), 2 * size.messages, "a user is missing");
    figures.claimed_again = rows.iter().filter(|row| row.attempts > 1).count();
    block_on(async {
        let store = Embedded::open(&server.data()).unwrap();
        assert_eq!(store.dead_letters(SENDING_QUEUE, 10).await.unwrap(), []);
        assert_eq!(store.depths().await.unwrap(), []);
        for row in rows {
            assert!(row.is_queued && row.is_sent, "{row:?}");
            let messages = history_of(&store, &row.receiver_id).await;
            assert_eq!(messages.len(), 1, "{row:?}: {messages:?}");
            let message = &messages[0];
            assert_eq!((message.kind, message.auto_message_id.as_ref()), (MessageKind::Auto, Some(&row.id)));
            assert_eq!((&message.sender_id, &message.content), (&row.sender_id, &row.content));
            assert_eq!(history_of(&store, &row.sender_id).await, messages);
        }
    });
}

#[test]
fn every_planned_message_exists_once_after_kills() {
    torture(Broker::Embedded, Size::of_this_run());
}

#[test]
fn every_planned_message_exists_once_after_kills_and_cut_connections() {
    if let Some(vhost) = CuttableVhost::new() {
        torture(Broker::CutConnections(vhost), Size::of_this_run());
    }
}

#[test]
fn every_planned_message_exists_once_after_broker_kills() {
    if !is_full() && !servers_are_required() {
        skip("set ULAK_TORTURE=full to start a broker and kill it");
        return;
    }
    if let Some(node) = BrokerNode::new() {
        torture(Broker::Kill(node), Size { kills: 5, ..Size::of_this_run() });
    }
}
