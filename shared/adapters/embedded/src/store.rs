//! The SQLite file: opened by one process, written by one thread, read through a few connections.
//!
//! * A write is acknowledged after its transaction's commit is on disk; many writes share one commit.
//! * A write that fails does not undo the other writes of its commit.
//! * No async thread ever waits for the disk.

mod lock;
mod private;
mod reader;
mod schema;
mod writer;

use std::error::Error as _;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use shared::ports::StoreResult;
use tempfile::TempDir;

use crate::error::{DbResult, OpenError};
use lock::DirLock;
use reader::Readers;
use writer::Writer;

/// When a commit returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// After the disk has stored it; it survives a power cut.
    Disk,
    /// At once; for a directory that is deleted when the process ends.
    None,
}

/// One open database. The order of the fields is the order of their drop: the writer commits its last jobs and
/// stops, the readers close, the lock is freed, a temporary directory is deleted.
pub(crate) struct Store {
    writer: Writer,
    readers: Readers,
    _lock: DirLock,
    dir: PathBuf,
    /// `None` also when the directory was deleted at opening.
    _temporary: Option<TempDir>,
}

impl Store {
    pub(crate) fn open(dir: &Path, durability: Durability) -> Result<Self, OpenError> {
        let directory_error = |cause| OpenError::Directory { dir: dir.to_owned(), cause };
        private::create_dir(dir).map_err(directory_error)?;
        let lock = DirLock::acquire(dir)?;
        let file = dir.join("ulak.sqlite3");
        // SQLite gives its other files the permissions of this one.
        private::create_file(&file).map_err(directory_error)?;
        let database_error = |cause| OpenError::Database { file: file.clone(), cause };
        let mut connection = Connection::open(&file).map_err(database_error)?;
        schema::tune_writer(&connection, durability).map_err(database_error)?;
        schema::migrate(&mut connection, dir)?;
        let readers = Readers::open(&file).map_err(database_error)?;
        let writer = Writer::start(connection).map_err(directory_error)?;
        Ok(Self { writer, readers, _lock: lock, dir: dir.to_owned(), _temporary: None })
    }

    pub(crate) fn temporary() -> Result<Self, OpenError> {
        let directory_error = |cause| OpenError::Directory { dir: std::env::temp_dir(), cause };
        let temporary = tempfile::Builder::new().prefix("ulak-").tempdir().map_err(directory_error)?;
        let store = Self::open(temporary.path(), Durability::None)?;
        // Every file is open now and none is opened again. Deleted files are freed when the process ends, even
        // when it is killed. Where open files cannot be deleted, the directory is deleted with the store.
        let still_there = match std::fs::remove_dir_all(temporary.path()) {
            Ok(()) => None,
            Err(_) => Some(temporary),
        };
        Ok(Self { _temporary: still_there, ..store })
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Runs `job` in a transaction, which other jobs may share; returns when the commit is durable.
    pub(crate) async fn write<T, J>(&self, job: J) -> StoreResult<T>
    where
        T: Send + 'static,
        J: FnOnce(&Connection) -> DbResult<T> + Send + 'static,
    {
        self.writer.run(job).await
    }

    /// Copies the write-ahead log into the database file, so that a copy of that one file is complete.
    pub(crate) async fn checkpoint(&self) -> StoreResult<()> {
        self.writer.checkpoint().await
    }

    /// Writes a consistent copy of the database to `file`, which must not exist, while writes go on.
    pub(crate) async fn backup(&self, file: PathBuf) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        private::create_new_file(&file)?;
        let copied = self.readers.run(move |connection| reader::copy_to(connection, &file)).await;
        copied.map_err(|error| error.source().map_or_else(|| error.to_string(), ToString::to_string).into())
    }

    /// Runs `job` on a connection that sees every acknowledged write.
    pub(crate) async fn read<T, J>(&self, job: J) -> StoreResult<T>
    where
        T: Send + 'static,
        J: FnOnce(&Connection) -> DbResult<T> + Send + 'static,
    {
        self.readers.run(job).await
    }
}
