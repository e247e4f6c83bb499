//! Writing: one thread owns the one writing connection. Jobs that wait together share one commit, each in a
//! savepoint of its own, and hear of it only after the commit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;

use rusqlite::Connection;
use shared::error::StoreError;
use shared::ports::StoreResult;
use tokio::sync::{mpsc, oneshot};

use crate::error::{Done, STORE};

/// Jobs that may wait; more callers wait for a place.
const WAITING: usize = 1024;
/// Jobs that share a commit at most, so that the first one's caller is not kept for ever.
const BATCH: usize = 256;

/// Runs on the writing connection, and gives what is still to do after the commit.
type Job = Box<dyn FnOnce(&Connection) -> Finish + Send>;

/// Answers a caller, with how the commit went.
type Tell = Box<dyn FnOnce(Result<(), &str>) + Send>;

/// A job that ran.
struct Finish {
    /// Whether its changes stay.
    keep: bool,
    /// What the caller waits for.
    tell: Tell,
}

pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(connection: Connection) -> std::io::Result<Self> {
        let (jobs, waiting) = mpsc::channel(WAITING);
        let write = move || run(&connection, waiting);
        let thread = std::thread::Builder::new().name("embedded-writer".to_owned()).spawn(write)?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    pub(super) async fn run<T, J>(&self, job: J) -> StoreResult<T>
    where
        T: Send + 'static,
        J: FnOnce(&Connection) -> Done<T> + Send + 'static,
    {
        let stopped = || StoreError::down(STORE, "the writer has stopped");
        let (reply, answer) = oneshot::channel();
        let boxed: Job = Box::new(move |connection| {
            let outcome = job(connection).map_err(StoreError::from);
            let keep = outcome.is_ok();
            let tell = Box::new(move |commit: Result<(), &str>| {
                let lost = |why: &str| Err(StoreError::down(STORE, why));
                // A caller that no longer listens has nothing to hear.
                let _ = reply.send(outcome.and_then(|value| commit.map(|()| value).or_else(lost)));
            });
            Finish { keep, tell }
        });
        self.jobs.as_ref().ok_or_else(stopped)?.send(boxed).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| StoreError::down(STORE, "the write was abandoned"))?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        // What was accepted is written before the directory is given up.
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the embedded writer panicked");
        }
    }
}

fn run(connection: &Connection, mut waiting: mpsc::Receiver<Job>) {
    while let Some(first) = waiting.blocking_recv() {
        let rest = std::iter::from_fn(|| waiting.try_recv().ok());
        commit_together(connection, std::iter::once(first).chain(rest).take(BATCH));
    }
    // Leaves one tidy file behind; with an error the log simply stays for the next start.
    let _ = connection.execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE)");
}

/// One transaction. When SQLite gives it up half-way (disk full), what ran in it is told so, and the rest
/// runs in another.
fn commit_together(connection: &Connection, mut jobs: impl Iterator<Item = Job>) {
    loop {
        let mut finished = Vec::new();
        let began = sql(connection, "BEGIN IMMEDIATE");
        let complete = began.is_err() || run_each(connection, &mut jobs, &mut finished);
        let outcome = match began {
            Ok(()) if complete => commit(connection),
            Ok(()) => {
                roll_back(connection);
                Err("the transaction was given up".to_owned())
            }
            // Nothing can run now: the jobs are dropped, and their callers hear that they were abandoned.
            Err(why) => {
                jobs.by_ref().for_each(drop);
                Err(why)
            }
        };
        if let Err(why) = &outcome {
            tracing::error!(store = STORE, error = %why, "writes were lost before they were acknowledged");
        }
        for Finish { tell, .. } in finished {
            tell(outcome.as_ref().map(|&()| ()).map_err(String::as_str));
        }
        if complete {
            return;
        }
    }
}

/// Runs jobs until none is left (`true`) or the transaction is no more (`false`).
fn run_each(
    connection: &Connection,
    jobs: &mut impl Iterator<Item = Job>,
    finished: &mut Vec<Finish>,
) -> bool {
    for job in jobs {
        if sql(connection, "SAVEPOINT job").is_err() {
            return false;
        }
        // A panic drops the caller's reply channel, which is the caller's answer.
        let finish = catch_unwind(AssertUnwindSafe(|| job(connection))).ok();
        let keep = finish.as_ref().is_some_and(|finish| finish.keep);
        finished.extend(finish);
        if connection.is_autocommit() {
            return false;
        }
        let settled = keep || sql(connection, "ROLLBACK TO job").is_ok();
        if !settled || sql(connection, "RELEASE job").is_err() {
            return false;
        }
    }
    true
}

fn commit(connection: &Connection) -> Result<(), String> {
    sql(connection, "COMMIT").inspect_err(|_| roll_back(connection))
}

/// SQLite may have done so itself.
fn roll_back(connection: &Connection) {
    if !connection.is_autocommit() && sql(connection, "ROLLBACK").is_err() {
        tracing::error!(store = STORE, "a transaction could not be rolled back");
    }
}

fn sql(connection: &Connection, statement: &str) -> Result<(), String> {
    connection.prepare_cached(statement).and_then(|mut s| s.execute([])).map(drop).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;
    use shared::ports::StoreResult;

    use super::Writer;

    const COUNT: &str = "SELECT count(*) FROM t";

    fn writer() -> Writer {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (x)").unwrap();
        Writer::start(connection).unwrap()
    }

    async fn insert(writer: &Writer, bytes: u32) -> StoreResult<()> {
        let job = move |db: &Connection| Ok(db.execute("INSERT INTO t VALUES (zeroblob(?1))", [bytes])?);
        writer.run(job).await.map(drop)
    }

    async fn count(writer: &Writer) -> u32 {
        writer.run(|db| Ok(db.query_row(COUNT, [], |row| row.get(0))?)).await.unwrap()
    }

    #[tokio::test]
    async fn a_panic_takes_only_its_own_changes() {
        let writer = writer();
        let panicking = writer.run(|db| -> crate::error::Done<()> {
            db.execute("INSERT INTO t VALUES (1)", [])?;
            panic!("a bug in a job")
        });
        let (before, panicked, after) = tokio::join!(insert(&writer, 1), panicking, insert(&writer, 1));
        assert!(before.is_ok() && after.is_ok());
        assert!(panicked.is_err());
        assert_eq!(count(&writer).await, 2);
    }

    #[tokio::test]
    async fn a_full_disk_refuses_and_later_takes_again() {
        let writer = writer();
        writer.run(|db| Ok(db.pragma_update(None, "max_page_count", 100)?)).await.unwrap();
        let (small, large, other) =
            tokio::join!(insert(&writer, 10), insert(&writer, 1_000_000), insert(&writer, 10));
        assert!(large.is_err());
        // Whoever was told so is there, and nobody else.
        let told = [small, other].iter().filter(|answer| answer.is_ok()).count();
        assert_eq!(count(&writer).await as usize, told);
        writer.run(|db| Ok(db.pragma_update(None, "max_page_count", 100_000)?)).await.unwrap();
        insert(&writer, 1_000_000).await.unwrap();
        assert_eq!(count(&writer).await as usize, told + 1);
    }

    #[tokio::test]
    async fn a_transaction_that_is_given_up_is_told_to_all_in_it() {
        let writer = writer();
        let giving_up = writer.run(|db| Ok(db.execute_batch("ROLLBACK")?));
        let (before, given_up, after) = tokio::join!(insert(&writer, 1), giving_up, insert(&writer, 1));
        assert!(given_up.is_err());
        let told = [before, after].iter().filter(|answer| answer.is_ok()).count();
        assert_eq!(count(&writer).await as usize, told);
        assert!(told >= 1, "the rest ran in another transaction");
    }
}
