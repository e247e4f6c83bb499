//! Reads: a few read-only connections on blocking threads. A read that waits for a connection occupies no thread.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OpenFlags};
use shared::error::StoreError;
use shared::ports::StoreResult;
use tokio::sync::Semaphore;

use super::schema;
use crate::error::{DbResult, STORE};

/// How many reads run at once; more would only share the same cores.
const CONNECTIONS: usize = 4;

pub(super) struct Readers {
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn open(file: &Path) -> rusqlite::Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open_one = |_| {
            let connection = Connection::open_with_flags(file, flags)?;
            schema::tune_reader(&connection)?;
            // SQLite opens the write-ahead log only at the first read. A temporary store deletes its files after this,
            // so read once now.
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
            Ok(connection)
        };
        let idle = (0..CONNECTIONS).map(open_one).collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(Self { idle: Arc::new(Mutex::new(idle)), permits: Arc::new(Semaphore::new(CONNECTIONS)) })
    }

    pub(super) async fn run<T, J>(&self, job: J) -> StoreResult<T>
    where
        T: Send + 'static,
        J: FnOnce(&Connection) -> DbResult<T> + Send + 'static,
    {
        let down = |cause| StoreError::down(STORE, cause);
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|e| down(e.to_string()))?;
        let idle = Arc::clone(&self.idle);
        let work = move || {
            // Locals are dropped in reverse order, also when the job panics: the connection becomes idle before
            // the permit is freed, so the next read finds it.
            let _permit = permit;
            let borrowed = BorrowedConnection::take_from(idle)?;
            Some(borrowed.connection.as_ref().map(job)?.map_err(StoreError::from))
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(Some(answer)) => answer,
            Ok(None) => Err(down("no read connection is idle".to_owned())),
            Err(panicked) => Err(down(panicked.to_string())),
        }
    }
}

/// Writes a copy of the database, in one read transaction, to an empty file.
pub(super) fn copy_to(connection: &Connection, file: &Path) -> DbResult<()> {
    // SQLite refuses `VACUUM INTO` on such a connection, although it writes to the other file only.
    connection.pragma_update(None, "query_only", false)?;
    let copied = connection.execute("VACUUM INTO ?1", [file.to_string_lossy()]);
    connection.pragma_update(None, "query_only", true)?;
    copied?;
    let synced = std::fs::File::open(file).and_then(|file| file.sync_all());
    Ok(synced.map_err(|cause| StoreError::down(STORE, cause))?)
}

/// A connection that returns to the idle ones when it is dropped.
struct BorrowedConnection {
    connection: Option<Connection>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl BorrowedConnection {
    fn take_from(idle: Arc<Mutex<Vec<Connection>>>) -> Option<Self> {
        let connection = idle.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
        Some(Self { connection: Some(connection), idle })
    }
}

impl Drop for BorrowedConnection {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }
}
