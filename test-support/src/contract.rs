//! The contract suite: for every port a list of named cases, which every adapter of that port must pass. The cases
//! come from the sentences of the ports' docs and from failures of real systems.
//!
//! Each case makes its own users, ids and times, so all cases of a port can run one after the other on one server.
//! An adapter's test passes a port's cases and itself to [`verify`]:
//!
//! ```ignore
//! contract::verify("users", "embedded", contract::users(), Arc::new(adapter)).await;
//! ```

mod auto_messages;
mod case_data;
mod conversations;
mod index_backlog;
mod known_addresses;
mod member_cache;
mod messages;
mod outbox;
mod rate_limits;
mod realtime;
mod search;
mod sessions;
mod users;

use std::fmt::Debug;
use std::panic::Location;
use std::time::Duration;

use futures::future::BoxFuture;
use shared::error::StoreError;

use crate::report::report;

pub use auto_messages::auto_messages;
pub use case_data::CaseData;
pub use conversations::{DocumentPorts, conversations};
pub use index_backlog::{BacklogPorts, index_backlog};
pub use known_addresses::known_addresses;
pub use member_cache::member_cache;
pub use messages::messages;
pub use outbox::{QueuePorts, QueueView, outbox};
pub use rate_limits::rate_limits;
pub use realtime::{PresencePorts, connections, heartbeats, last_seen, presence, presence_changes, rooms};
pub use search::{SearchPorts, search};
pub use sessions::sessions;
pub use users::users;

/// The longest time of one case on the slowest store.
const PATIENCE: Duration = Duration::from_secs(60);

/// One rule of a port and its check.
pub struct Case<P> {
    /// The rule, as a function name.
    pub name: &'static str,
    run: fn(P, CaseData) -> BoxFuture<'static, Outcome>,
}

/// The result of a case.
pub type Outcome = Result<(), Failure>;

/// Why a case failed.
#[derive(Debug)]
pub struct Failure(String);

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self(format!("the port failed: {error:?}"))
    }
}

impl From<tokio::task::JoinError> for Failure {
    fn from(error: tokio::task::JoinError) -> Self {
        Self(format!("a task panicked: {error}"))
    }
}

/// Runs every case, one after the other, and reports how many there were, so that an empty list is noticed.
///
/// # Panics
/// With the names and reasons of all cases that failed.
pub async fn verify<P: Clone + Send + 'static>(port: &str, adapter: &str, cases: Vec<Case<P>>, subject: P) {
    let mut failures = Vec::new();
    for case in &cases {
        let run = (case.run)(subject.clone(), CaseData::fresh());
        let failure = match tokio::time::timeout(PATIENCE, tokio::spawn(run)).await {
            Ok(Ok(Ok(()))) => continue,
            Ok(Ok(Err(Failure(why)))) => why,
            Ok(Err(panicked)) => panicked.to_string(),
            Err(_) => format!("timed out after {PATIENCE:?}"),
        };
        failures.push(format!("{}: {failure}", case.name));
    }
    report(&format!("contract {port} on {adapter}: {} cases, {} failed", cases.len(), failures.len()));
    assert!(!cases.is_empty(), "contract {port} has no cases");
    assert!(failures.is_empty(), "contract {port} on {adapter}:\n{}", failures.join("\n"));
}

/// Runs `each` for 0..`count` concurrently. Returns the results in that order.
async fn concurrently<T, F>(count: usize, each: impl Fn(usize) -> F) -> Result<Vec<T>, Failure>
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

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "expected values are built in the call")]
fn expect_eq<T: PartialEq + Debug>(found: T, expected: T) -> Outcome {
    let place = Location::caller();
    if found == expected {
        return Ok(());
    }
    Err(Failure(format!("{place}: found {found:?}\n  expected {expected:?}")))
}

/// `problem` says what is wrong when `truth` is false.
#[track_caller]
fn expect_true(truth: bool, problem: &str) -> Outcome {
    let place = Location::caller();
    if truth { Ok(()) } else { Err(Failure(format!("{place}: {problem}"))) }
}

#[track_caller]
fn expect_some<T>(value: Option<T>) -> Result<T, Failure> {
    let place = Location::caller();
    value.ok_or_else(|| Failure(format!("{place}: found None")))
}

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
            run: |subject, data| Box::pin($name(subject, data)),
        }),+]
    };
}
use cases;
