//! Writes: one thread owns the one writing connection. Jobs that wait at the same time share one commit, each in
//! its own savepoint. A caller gets its reply only after the commit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;

use rusqlite::Connection;
use shared::error::StoreError;
use shared::ports::StoreResult;
use tokio::sync::{mpsc, oneshot};

use crate::error::{DbResult, STORE};

/// How many jobs may be queued; further callers wait until one is taken.
const QUEUE_SIZE: usize = 1024;
/// How many jobs may share a commit, so that the first one's caller is answered soon.
const MAX_BATCH: usize = 256;

/// A caller's job, run on the writing connection.
type Job = Box<dyn FnOnce(&Connection) -> FinishedJob + Send>;

/// Sends the caller its result: the job's own, or the reason why the commit failed.
type Reply = Box<dyn FnOnce(Result<(), &str>) + Send>;

/// What callers ask of the writing thread.
enum Request {
    Write(Job),
    /// A checkpoint of the write-ahead log, after the writes before it.
    Checkpoint(oneshot::Sender<rusqlite::Result<()>>),
}

/// A job that ran and whose commit is still to come.
struct FinishedJob {
    /// Whether its changes are committed; a failed job's are rolled back.
    keep: bool,
    reply: Reply,
}

pub(super) struct Writer {
    requests: Option<mpsc::Sender<Request>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(connection: Connection) -> std::io::Result<Self> {
        let (requests, queue) = mpsc::channel(QUEUE_SIZE);
        let write = move || run(&connection, queue);
        let thread = std::thread::Builder::new().name("embedded-writer".to_owned()).spawn(write)?;
        Ok(Self { requests: Some(requests), thread: Some(thread) })
    }

    pub(super) async fn run<T, J>(&self, job: J) -> StoreResult<T>
    where
        T: Send + 'static,
        J: FnOnce(&Connection) -> DbResult<T> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let boxed: Job = Box::new(move |connection| {
            let result = job(connection).map_err(StoreError::from);
            let keep = result.is_ok();
            let reply = Box::new(move |commit: Result<(), &str>| {
                let not_committed = |why: &str| Err(StoreError::down(STORE, why));
                // Sending fails only when the caller no longer waits.
                let _ = sender.send(result.and_then(|value| commit.map(|()| value).or_else(not_committed)));
            });
            FinishedJob { keep, reply }
        });
        self.send(Request::Write(boxed)).await?;
        receiver.await.map_err(|_| StoreError::down(STORE, "the write was dropped before its commit"))?
    }
}

impl Writer {
    /// Copies the write-ahead log into the database file and empties it.
    pub(super) async fn checkpoint(&self) -> StoreResult<()> {
        let (sender, receiver) = oneshot::channel();
        self.send(Request::Checkpoint(sender)).await?;
        let done = receiver.await.map_err(|_| StoreError::down(STORE, "the writer thread has stopped"))?;
        done.map_err(|cause| StoreError::down(STORE, cause))
    }

    async fn send(&self, request: Request) -> StoreResult<()> {
        let stopped = || StoreError::down(STORE, "the writer thread has stopped");
        self.requests.as_ref().ok_or_else(stopped)?.send(request).await.map_err(|_| stopped())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.requests.take());
        // Queued jobs are still committed, before the lock on the directory is freed.
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!(store = STORE, "writer thread panicked");
        }
    }
}

fn run(connection: &Connection, mut queue: mpsc::Receiver<Request>) {
    while let Some(first) = queue.blocking_recv() {
        let mut checkpoints = Vec::new();
        let rest = std::iter::from_fn(|| queue.try_recv().ok());
        let jobs = std::iter::once(first).chain(rest).take(MAX_BATCH).filter_map(|request| match request {
            Request::Write(job) => Some(job),
            Request::Checkpoint(reply) => {
                checkpoints.push(reply);
                None
            }
        });
        commit_together(connection, jobs);
        for reply in checkpoints {
            // Sending fails only when the caller no longer waits.
            let _ = reply.send(connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)"));
        }
    }
    // Copies the write-ahead log into the database file. If this fails, the next start reads the log.
    let _ = connection.execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE)");
}

/// Runs all jobs in one transaction. If SQLite rolls it back half-way (disk full), the jobs that ran in it fail,
/// and the rest run in another one.
fn commit_together(connection: &Connection, mut jobs: impl Iterator<Item = Job>) {
    loop {
        let mut finished = Vec::new();
        let began = sql(connection, "BEGIN IMMEDIATE");
        let complete = began.is_err() || run_each(connection, &mut jobs, &mut finished);
        let committed = match began {
            Ok(()) if complete => commit(connection),
            Ok(()) => {
                roll_back(connection);
                Err("the transaction was rolled back".to_owned())
            }
            // No job can run. Dropping a job drops its reply channel, so its caller gets an error.
            Err(why) => {
                jobs.by_ref().for_each(drop);
                Err(why)
            }
        };
        if let Err(why) = &committed {
            tracing::error!(store = STORE, error = %why, "writes failed before they were acknowledged");
        }
        for FinishedJob { reply, .. } in finished {
            reply(committed.as_ref().map(|&()| ()).map_err(String::as_str));
        }
        if complete {
            return;
        }
    }
}

/// Runs each job in a savepoint. `true` when no job is left, `false` when the transaction cannot go on.
fn run_each(
    connection: &Connection,
    jobs: &mut impl Iterator<Item = Job>,
    finished: &mut Vec<FinishedJob>,
) -> bool {
    for job in jobs {
        if sql(connection, "SAVEPOINT job").is_err() {
            return false;
        }
        // A panic drops the reply channel, so the caller gets an error.
        let ran = catch_unwind(AssertUnwindSafe(|| job(connection))).ok();
        let keep = ran.as_ref().is_some_and(|job| job.keep);
        finished.extend(ran);
        // Autocommit mode means that SQLite has rolled back the whole transaction.
        if connection.is_autocommit() {
            return false;
        }
        let undone_or_kept = keep || sql(connection, "ROLLBACK TO job").is_ok();
        if !undone_or_kept || sql(connection, "RELEASE job").is_err() {
            return false;
        }
    }
    true
}

fn commit(connection: &Connection) -> Result<(), String> {
    sql(connection, "COMMIT").inspect_err(|_| roll_back(connection))
}

/// Does nothing if SQLite has rolled back already.
fn roll_back(connection: &Connection) {
    if !connection.is_autocommit() && sql(connection, "ROLLBACK").is_err() {
        tracing::error!(store = STORE, "transaction could not be rolled back");
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
    async fn a_panicking_job_undoes_only_its_own_changes() {
        let writer = writer();
        let panicking = writer.run(|db| -> crate::error::DbResult<()> {
            db.execute("INSERT INTO t VALUES (1)", [])?;
            panic!("a bug in a job")
        });
        let (before, panicked, after) = tokio::join!(insert(&writer, 1), panicking, insert(&writer, 1));
        assert!(before.is_ok() && after.is_ok());
        assert!(panicked.is_err());
        assert_eq!(count(&writer).await, 2);
    }

    #[tokio::test]
    async fn writes_fail_while_the_disk_is_full_and_succeed_afterwards() {
        let writer = writer();
        writer.run(|db| Ok(db.pragma_update(None, "max_page_count", 100)?)).await.unwrap();
        let (small, large, other) =
            tokio::join!(insert(&writer, 10), insert(&writer, 1_000_000), insert(&writer, 10));
        assert!(large.is_err());
        // Exactly the acknowledged rows are stored.
        let acknowledged = [small, other].iter().filter(|result| result.is_ok()).count();
        assert_eq!(count(&writer).await as usize, acknowledged);
        writer.run(|db| Ok(db.pragma_update(None, "max_page_count", 100_000)?)).await.unwrap();
        insert(&writer, 1_000_000).await.unwrap();
        assert_eq!(count(&writer).await as usize, acknowledged + 1);
    }

    #[tokio::test]
    async fn all_jobs_of_a_transaction_fail_when_sqlite_rolls_it_back() {
        let writer = writer();
        let rolling_back = writer.run(|db| Ok(db.execute_batch("ROLLBACK")?));
        let (before, rolled_back, after) = tokio::join!(insert(&writer, 1), rolling_back, insert(&writer, 1));
        assert!(rolled_back.is_err());
        let acknowledged = [before, after].iter().filter(|result| result.is_ok()).count();
        assert_eq!(count(&writer).await as usize, acknowledged);
        assert!(acknowledged >= 1, "the rest ran in another transaction");
    }
}
