//! What every adapter is held to, whatever it stands on: a list of named cases per port, made from the
//! sentences of the ports' docs and from the failures that real systems have shown.
//!
//! Each case makes its own people, ids and times, so that all cases of a port may run one after the other on
//! one shared server. An adapter's tests call [`hold`] with a port's list and themselves:
//!
//! ```ignore
//! contract::hold("users", "embedded", contract::users(), Arc::new(adapter)).await;
//! ```

mod auto_messages;
mod broker;
mod cache;
mod chats;
mod index_backlog;
mod lines;
mod messages;
mod rate_limits;
mod search;
mod sessions;
mod users;
mod world;

use std::fmt::Debug;
use std::io::Write as _;
use std::time::Duration;

use futures::future::BoxFuture;

use crate::error::StoreError;

pub use auto_messages::auto_messages;
pub use broker::{Broker, QueueView, outbox};
pub use cache::cache;
pub use chats::{Chats, conversations};
pub use index_backlog::{Waiting, index_backlog};
pub use lines::{Lines, connections, heartbeats, last_seen, presence, rooms};
pub use messages::messages;
pub use rate_limits::rate_limits;
pub use search::{Search, search};
pub use sessions::sessions;
pub use users::users;
pub use world::World;

/// Longer than any case needs on the slowest store; a case that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// One sentence about a port, and how to see whether it is true.
pub struct Case<P> {
    /// The sentence, as a function's name.
    pub name: &'static str,
    run: fn(P, World) -> BoxFuture<'static, Outcome>,
}

/// Whether the sentence is true.
pub type Outcome = Result<(), Failure>;

/// Why it is not.
#[derive(Debug)]
pub struct Failure(String);

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self(format!("the port failed: {error:?}"))
    }
}

impl From<tokio::task::JoinError> for Failure {
    fn from(error: tokio::task::JoinError) -> Self {
        Self(format!("a task died: {error}"))
    }
}

/// Runs every case, one after the other, and says on stderr how many there were.
///
/// # Panics
/// With the names and reasons of all cases that failed.
pub async fn hold<P: Clone + Send + 'static>(port: &str, adapter: &str, cases: Vec<Case<P>>, subject: P) {
    let mut failures = Vec::new();
    for case in &cases {
        let run = (case.run)(subject.clone(), World::fresh());
        let failure = match tokio::time::timeout(PATIENCE, tokio::spawn(run)).await {
            Ok(Ok(Ok(()))) => continue,
            Ok(Ok(Err(Failure(why)))) => why,
            Ok(Err(panicked)) => panicked.to_string(),
            Err(_) => format!("did not end within {PATIENCE:?}"),
        };
        failures.push(format!("{}: {failure}", case.name));
    }
    aloud(&format!("contract {port} on {adapter}: {} cases, {} failed", cases.len(), failures.len()));
    assert!(failures.is_empty(), "contract {port} on {adapter}:\n{}", failures.join("\n"));
}

/// Runs `each` for 0..`count` at the same time on the runtime's threads; the answers in that order.
/// Says it past the test harness, which shows only what failing tests print.
/// A suite that says how much it saw cannot pass by seeing nothing.
pub fn aloud(text: &str) {
    // Without standard error there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{text}");
}

async fn at_once<T, F>(count: usize, each: impl Fn(usize) -> F) -> Result<Vec<T>, Failure>
where
    T: Send + 'static,
    F: Future<Output = Result<T, StoreError>> + Send + 'static,
{
    let tasks: Vec<_> = (0..count).map(|n| tokio::spawn(each(n))).collect();
    let mut answers = Vec::with_capacity(count);
    for task in tasks {
        answers.push(task.await??);
    }
    Ok(answers)
}

/// `Ok` when both are equal.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "expectations are made on the spot")]
fn same<T: PartialEq + Debug>(found: T, expected: T) -> Outcome {
    let place = std::panic::Location::caller();
    if found == expected {
        return Ok(());
    }
    Err(Failure(format!("line {}: found {found:?}\n  expected {expected:?}", place.line())))
}

/// `Ok` when it is true.
#[track_caller]
fn yes(truth: bool, what: &str) -> Outcome {
    let place = std::panic::Location::caller();
    if truth { Ok(()) } else { Err(Failure(format!("line {}: not so: {what}", place.line()))) }
}

/// What must be there.
#[track_caller]
fn some<T>(value: Option<T>) -> Result<T, Failure> {
    let place = std::panic::Location::caller();
    value.ok_or_else(|| Failure(format!("line {}: nothing was there", place.line())))
}

/// The same things, whatever their order.
fn sorted<T: Ord>(values: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.into_iter().collect();
    values.sort();
    values
}

/// A list of cases from the names of async functions.
macro_rules! cases {
    ($($name:ident),+ $(,)?) => {
        vec![$($crate::contract::Case {
            name: stringify!($name),
            run: |subject, world| Box::pin($name(subject, world)),
        }),+]
    };
}
use cases;
