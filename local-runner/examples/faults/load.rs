//! The load: pairs of users who write, read, search and get automatic messages all the time. A failed message is sent
//! again with the same `clientMessageId`, as a client should do.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use test_support::http_client::Port;
use test_support::person::Person;

use crate::jobs;
use crate::sampling::{Sample, Shared};

/// Pairs of users.
const PAIRS: usize = 4;
/// The longest time until all messages are searchable. A failed job waits for its retry, and a message without a job for
/// the sweep, which runs every minute.
const INDEX_LIMIT: Duration = Duration::from_secs(180);

/// The word in every message of a phase.
fn phase_word(phase: u32) -> String {
    format!("phase{phase}x")
}

/// A running load.
pub(crate) struct Load {
    shared: Arc<Shared>,
    people: Vec<(Person, Person, String)>,
    threads: Vec<JoinHandle<()>>,
    jobs: JoinHandle<u64>,
}

/// The messages of one phase.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) acknowledged: usize,
    pub(crate) lost: usize,
    pub(crate) duplicated: usize,
    pub(crate) searchable: usize,
}

/// All automatic messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Jobs {
    pub(crate) planned: u64,
    pub(crate) delivered: u64,
}

impl Load {
    /// Registers the users and starts their threads.
    pub(crate) fn start(port: Port) -> Self {
        let pair = |n: usize| {
            let (ada, bob) =
                (Person::register(port, &format!("ada{n}")), Person::register(port, &format!("bob{n}")));
            let conversation = ada.conversation_with(&bob);
            (ada, bob, conversation)
        };
        let shared: Arc<Shared> = Arc::default();
        let people: Vec<_> = (0..PAIRS).map(pair).collect();
        let mut threads = Vec::new();
        for (ada, bob, conversation) in people.clone() {
            let (one, two) = (Arc::clone(&shared), Arc::clone(&shared));
            let same = conversation.clone();
            threads.push(thread::spawn(move || write(&one, &ada, &same)));
            threads.push(thread::spawn(move || read(&two, &bob, &conversation)));
        }
        let planner = Arc::clone(&shared);
        let jobs = thread::spawn(move || jobs::plan_days(&planner, port, PAIRS as u64));
        Self { shared, people, threads, jobs }
    }

    /// Starts the next phase. Returns the word that all its messages contain.
    pub(crate) fn start_phase(&self) -> String {
        phase_word(self.shared.phase.fetch_add(1, Ordering::SeqCst) + 1)
    }

    /// The end of the last request that failed.
    pub(crate) fn last_failure(&self) -> Option<Instant> {
        let samples = self.shared.samples.lock().unwrap();
        let failed = samples.iter().rev().find(|sample| !(200..300).contains(&sample.status));
        failed.map(|sample| sample.start + sample.took)
    }

    pub(crate) fn samples_since(&self, start: Instant) -> Vec<Sample> {
        let samples = self.shared.samples.lock().unwrap();
        samples.iter().filter(|sample| sample.start >= start).copied().collect()
    }

    /// Stops the load, waits for the last jobs, and counts the messages of each phase.
    pub(crate) fn count(self, words: &[String]) -> (Vec<Count>, Jobs) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.threads.into_iter().for_each(|thread| thread.join().unwrap());
        let planned = self.jobs.join().unwrap();
        let people = || self.people.iter();
        let users: Vec<&Person> = people().flat_map(|(ada, bob, _)| [ada, bob]).collect();
        let delivered = jobs::count_delivered(&users, planned);
        let acknowledged = self.shared.acknowledged.lock().unwrap();
        let stored: Vec<Value> =
            people().flat_map(|(_, bob, conversation)| bob.whole_history(conversation)).collect();
        let mut times: HashMap<&str, usize> = HashMap::new();
        for key in stored.iter().filter_map(|message| message["clientMessageId"].as_str()) {
            *times.entry(key).or_default() += 1;
        }
        let count = |word: &String| {
            let keys: Vec<&String> = acknowledged.iter().filter(|key| key.starts_with(word)).collect();
            let seen = |key: &str| times.get(key).copied().unwrap_or(0);
            Count {
                acknowledged: keys.len(),
                lost: keys.iter().filter(|key| seen(key) == 0).count(),
                duplicated: keys.iter().filter(|key| seen(key) > 1).count(),
                searchable: wait_until_found(keys.len(), || {
                    people().map(|(_, bob, conversation)| count_found(bob, conversation, word)).sum()
                }),
            }
        };
        (words.iter().map(count).collect(), Jobs { planned, delivered })
    }
}

fn write(shared: &Shared, user: &Person, conversation: &str) {
    for n in 0_u64.. {
        if shared.is_stopped() {
            return;
        }
        let word = phase_word(shared.phase.load(Ordering::SeqCst));
        let key = format!("{word}-{}-{n}", user.username);
        let content = format!("{word} {n}");
        let body = json!({ "conversationId": conversation, "content": content, "clientMessageId": key });
        while shared.request(&user.post("/api/messages/send", &body)).is_none() {}
        shared.acknowledged.lock().unwrap().push(key);
    }
}

fn read(shared: &Shared, user: &Person, conversation: &str) {
    let calls = [
        user.get(&format!("/api/messages/{conversation}?limit=20")),
        user.get("/api/conversations"),
        user.get("/api/user/online"),
        user.get("/api/messages/search?q=phase&limit=5"),
    ];
    calls.iter().cycle().take_while(|_| !shared.is_stopped()).for_each(|call| drop(shared.request(call)));
}

/// Calls `found` until it returns `wanted`, or [`INDEX_LIMIT`] has passed. Returns the last number.
fn wait_until_found(wanted: usize, found: impl Fn() -> usize) -> usize {
    let start = Instant::now();
    loop {
        let count = found();
        if count >= wanted || start.elapsed() > INDEX_LIMIT {
            return count;
        }
        thread::sleep(Duration::from_secs(1));
    }
}

/// The number of messages of a phase that search finds in a conversation.
fn count_found(user: &Person, conversation: &str, word: &str) -> usize {
    let path = format!("/api/messages/search?q={word}&limit=100&conversationId={conversation}");
    let (mut count, mut cursor) = (0, String::new());
    loop {
        let data = user.get(&format!("{path}{cursor}")).data(200);
        count += data["hits"].as_array().unwrap().len();
        let Some(next) = data["nextCursor"].as_str() else { return count };
        cursor = format!("&cursor={next}");
    }
}
