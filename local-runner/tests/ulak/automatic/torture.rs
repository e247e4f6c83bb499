//! kill -9 at random moments while the plan is made, queued and worked off; with RabbitMQ also cut connections and
//! a broker that dies. Afterwards history holds every message exactly once, none is missing and none is dead.

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
use test_support::test_server::{EMBEDDED, TestServer};
use test_support::{report, servers_are_required, skip};

use super::broker::{Node, Wire};
use crate::server::own_server;

const PATIENCE: Duration = Duration::from_secs(240);

/// How much is done.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) messages: usize,
    pub(super) kills: usize,
    pub(super) cuts: usize,
}

impl Size {
    /// `ULAK_TORTURE=full` is the real one.
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

/// What happened, for the one who reads the output.
#[derive(Debug, Default)]
struct Figures {
    kills_of_the_planner: usize,
    kills: usize,
    broken_by_the_broker: usize,
    /// After so many of the restarts, jobs were waiting or taken and not done.
    restarts_with_work_left: usize,
    /// Rows that a queuer took more than once, for a kill came between its claim and its mark.
    claimed_again: usize,
}

pub(super) fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(work)
}

/// Seeded, so that a run can be repeated; the moments are the scheduler's anyway.
struct Dice(Entropy);

impl Dice {
    fn below(&self, limit: u128) -> u64 {
        u64::try_from(self.0.bits() % limit).unwrap()
    }

    /// When to strike: while rows are claimed and published, while they lie in the queue, or while the consumer
    /// works, which begins when its batch closes after a second.
    fn moment(&self) -> Duration {
        let millis = match self.below(3) {
            0 => self.below(150),
            1 => 150 + self.below(800),
            _ => 950 + self.below(500),
        };
        Duration::from_millis(millis)
    }
}

/// Two people for each message, put straight into the data of a world that does not run.
fn seed(server: &TestServer, count: usize) -> Vec<UserId> {
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

/// Fires, and kills the runner meanwhile.
fn fire_and_kill(server: &mut TestServer, function: &'static str, at: Time, after: Duration) {
    let port = server.port();
    let firing = thread::spawn(move || fire(port, function, at));
    thread::sleep(after);
    server.kill();
    // Whether it was done before the kill is what nobody knows.
    let _ = firing.join().unwrap();
    server.kill_and_restart();
}

/// What the queues hold, by name; empty ones left out.
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

/// Waits until the queues look so.
pub(super) fn settled(server: &TestServer, wanted: impl Fn(&[(String, u64)]) -> bool) {
    let start = Instant::now();
    loop {
        let found = depths(server);
        if found.as_ref().is_some_and(|found| wanted(found)) {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "the queues hold {found:?}");
        thread::sleep(Duration::from_millis(100));
    }
}

/// What strikes beside the kills of the runner.
enum Broker {
    None,
    Cut(Wire),
    Kill(Node),
}

impl Broker {
    fn strike(&mut self) {
        match self {
            Self::None => {}
            Self::Cut(wire) => wire.cut(),
            Self::Kill(node) => node.kill_and_restart(),
        }
    }

    fn url(&self) -> String {
        match self {
            Self::None => String::new(),
            Self::Cut(wire) => wire.url().to_owned(),
            Self::Kill(node) => node.url(),
        }
    }
}

fn torture(mut broker: Broker, size: Size) {
    let start = Instant::now();
    let (dice, mut figures) = (Dice(Entropy::seeded(2_096)), Figures::default());
    let url = broker.url();
    let mut environment = EMBEDDED.to_vec();
    environment.extend([("ACTIVE_DAYS", "40000"), ("AMQP_URL", url.as_str()), ("RUST_LOG", "error")]);
    let mut server = own_server(&environment);
    server.kill();
    let people = seed(&server, 2 * size.messages);
    server.kill_and_restart();
    plan_under_kills(&mut server, &dice, size, &mut figures);
    flow_under_kills(&mut server, &mut broker, &dice, size, &mut figures);
    let rows = wait_until_done(&mut server, &people, size);
    check(&server, &rows, size, &mut figures);
    report(&format!("{} messages in {:.1?}: {figures:?}", size.messages, start.elapsed()));
    // RabbitMQ does not tell what is taken and not done.
    let interrupted = figures.restarts_with_work_left > 0 || !matches!(broker, Broker::None);
    assert!(interrupted, "nothing was interrupted, so nothing was tried");
}

fn plan_under_kills(server: &mut TestServer, dice: &Dice, size: Size, figures: &mut Figures) {
    for _ in 0..size.kills / 3 {
        let after = Duration::from_millis(dice.below(120));
        fire_and_kill(server, "auto-message-planner", time(NIGHT), after);
        figures.kills_of_the_planner += 1;
    }
    let report = fire(server.port(), "auto-message-planner", time(NIGHT)).expect("the planner answers");
    assert_eq!(report["plannedFor"], DAY);
    let again = fire(server.port(), "auto-message-planner", time(NIGHT)).expect("the planner answers");
    assert_eq!((&again["users"], &again["planned"]), (&0.into(), &0.into()), "everybody has a part");
}

/// The day in as many steps as there are strikes; at each something is due, and something dies.
fn flow_under_kills(
    server: &mut TestServer,
    broker: &mut Broker,
    dice: &Dice,
    size: Size,
    figures: &mut Figures,
) {
    let cuts = if matches!(broker, Broker::None) { 0 } else { size.cuts };
    let rounds = size.kills + cuts;
    let step = Duration::from_secs(24 * 3_600) / u32::try_from(rounds).unwrap();
    for round in 1..=rounds {
        let now = time(NIGHT) + step * u32::try_from(round).unwrap();
        if round * cuts / rounds > (round - 1) * cuts / rounds {
            let port = server.port();
            let firing = thread::spawn(move || fire(port, "auto-message-queuer", now));
            thread::sleep(dice.moment());
            broker.strike();
            let _ = firing.join().unwrap();
            figures.broken_by_the_broker += 1;
        } else {
            fire_and_kill(server, "auto-message-queuer", now, dice.moment());
            figures.kills += 1;
            figures.restarts_with_work_left +=
                usize::from(depths(server).is_none_or(|held| !held.is_empty()));
        }
    }
}

/// Fires past every lease until nothing is due, and lets the consumer finish; the plan as it is then.
fn wait_until_done(server: &mut TestServer, people: &[UserId], size: Size) -> Vec<AutoMessage> {
    let mut now = time(NIGHT) + Duration::from_secs(25 * 3_600);
    let start = Instant::now();
    loop {
        now = now + Duration::from_secs(60);
        let queued = fire(server.port(), "auto-message-queuer", now).map(|report| report["queued"].clone());
        if queued == Some(0.into()) {
            settled(server, <[_]>::is_empty);
            server.kill();
            let rows = block_on(planned(&Embedded::open(&server.data()).unwrap(), people));
            if rows.iter().all(|row| row.is_sent) {
                assert_eq!(rows.len(), size.messages, "a row for every two");
                return rows;
            }
            // RabbitMQ does not say what is taken and not done: it was still under way.
            server.kill_and_restart();
            // So that it can finish: what is killed at every look is never done on a slow machine.
            thread::sleep(Duration::from_secs(4));
        }
        assert!(start.elapsed() < PATIENCE, "still not done");
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
    assert_eq!(participants(rows).len(), 2 * size.messages, "everybody has one part");
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
    torture(Broker::None, Size::of_this_run());
}

#[test]
fn every_planned_message_exists_once_after_kills_and_cut_connections() {
    if let Some(wire) = Wire::new() {
        torture(Broker::Cut(wire), Size::of_this_run());
    }
}

#[test]
fn every_planned_message_exists_once_after_a_broker_died() {
    if !is_full() && !servers_are_required() {
        skip("set ULAK_TORTURE=full to start a broker and kill it");
        return;
    }
    if let Some(node) = Node::new() {
        torture(Broker::Kill(node), Size { kills: 5, ..Size::of_this_run() });
    }
}
