//! The load: pairs of people who write, read, search and are sent automatic messages, without a pause. Whoever gets
//! no success sends the same again under the same key, as a client should.

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

/// Pairs of people.
const PAIRS: usize = 4;
/// How long the search index is given for what was written last: a job that failed waits for its retry, and what
/// has none for the minutely sweep.
const SETTLE: Duration = Duration::from_secs(180);

fn word(phase: u32) -> String {
    format!("phase{phase}x")
}

/// A running load.
pub(crate) struct Load {
    shared: Arc<Shared>,
    people: Vec<(Person, Person, String)>,
    threads: Vec<JoinHandle<()>>,
    jobs: JoinHandle<u64>,
}

/// What became of the messages of one phase.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) acknowledged: usize,
    pub(crate) lost: usize,
    pub(crate) doubled: usize,
    pub(crate) searchable: usize,
}

/// What became of all automatic messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Jobs {
    pub(crate) planned: u64,
    pub(crate) delivered: u64,
}

impl Load {
    /// Registers everybody and lets them begin.
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
        for (ada, bob, place) in people.clone() {
            let (one, two, there) = (Arc::clone(&shared), Arc::clone(&shared), place.clone());
            threads.push(thread::spawn(move || write(&one, &ada, &place)));
            threads.push(thread::spawn(move || read(&two, &bob, &there)));
        }
        let planner = Arc::clone(&shared);
        let jobs = thread::spawn(move || jobs::plan_days(&planner, port, PAIRS as u64));
        Self { shared, people, threads, jobs }
    }

    /// Begins a phase; its word.
    pub(crate) fn begin(&self) -> String {
        word(self.shared.phase.fetch_add(1, Ordering::SeqCst) + 1)
    }

    /// When the last request that failed was begun.
    pub(crate) fn last_failure(&self) -> Option<Instant> {
        let samples = self.shared.samples.lock().unwrap();
        let failed = samples.iter().rev().find(|sample| !(200..300).contains(&sample.status));
        failed.map(|sample| sample.begun + sample.took)
    }

    pub(crate) fn samples_since(&self, begun: Instant) -> Vec<Sample> {
        let samples = self.shared.samples.lock().unwrap();
        samples.iter().filter(|sample| sample.begun >= begun).copied().collect()
    }

    /// Ends the load, gives the last jobs time, and says what became of the messages of each phase.
    pub(crate) fn count(self, words: &[String]) -> (Vec<Count>, Jobs) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.threads.into_iter().for_each(|thread| thread.join().unwrap());
        let planned = self.jobs.join().unwrap();
        let people = || self.people.iter();
        let everybody: Vec<&Person> = people().flat_map(|(ada, bob, _)| [ada, bob]).collect();
        let delivered = jobs::delivered(&everybody, planned);
        let acknowledged = self.shared.acknowledged.lock().unwrap();
        let stored: Vec<Value> = people().flat_map(|(_, bob, place)| bob.whole_history(place)).collect();
        let mut times: HashMap<&str, usize> = HashMap::new();
        for key in stored.iter().filter_map(|message| message["clientMessageId"].as_str()) {
            *times.entry(key).or_default() += 1;
        }
        let of = |word: &String| {
            let keys: Vec<&String> = acknowledged.iter().filter(|key| key.starts_with(word)).collect();
            let seen = |key: &str| times.get(key).copied().unwrap_or(0);
            Count {
                acknowledged: keys.len(),
                lost: keys.iter().filter(|key| seen(key) == 0).count(),
                doubled: keys.iter().filter(|key| seen(key) > 1).count(),
                searchable: until_found(keys.len(), || {
                    people().map(|(_, bob, place)| found(bob, place, word)).sum()
                }),
            }
        };
        (words.iter().map(of).collect(), Jobs { planned, delivered })
    }
}

fn write(shared: &Shared, who: &Person, conversation: &str) {
    for n in 0_u64.. {
        if shared.stopped() {
            return;
        }
        let word = word(shared.phase.load(Ordering::SeqCst));
        let key = format!("{word}-{}-{n}", who.username);
        let content = format!("{word} {n}");
        let body = json!({ "conversationId": conversation, "content": content, "clientMessageId": key });
        while shared.ask(&who.post("/api/messages/send", &body)).is_none() {}
        shared.acknowledged.lock().unwrap().push(key);
    }
}

fn read(shared: &Shared, who: &Person, conversation: &str) {
    let calls = [
        who.get(&format!("/api/messages/{conversation}?limit=20")),
        who.get("/api/conversations"),
        who.get("/api/user/online"),
        who.get("/api/messages/search?q=phase&limit=5"),
    ];
    calls.iter().cycle().take_while(|_| !shared.stopped()).for_each(|call| drop(shared.ask(call)));
}

/// Asks until so many are found, or nobody waits any longer.
fn until_found(wanted: usize, found: impl Fn() -> usize) -> usize {
    let begun = Instant::now();
    loop {
        let count = found();
        if count >= wanted || begun.elapsed() > SETTLE {
            return count;
        }
        thread::sleep(Duration::from_secs(1));
    }
}

/// How many messages of a phase search finds.
fn found(who: &Person, conversation: &str, word: &str) -> usize {
    let path = format!("/api/messages/search?q={word}&limit=100&conversationId={conversation}");
    let (mut count, mut cursor) = (0, String::new());
    loop {
        let data = who.get(&format!("{path}{cursor}")).data(200);
        count += data["hits"].as_array().unwrap().len();
        let Some(next) = data["nextCursor"].as_str() else { return count };
        cursor = format!("&cursor={next}");
    }
}
