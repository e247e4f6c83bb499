//! The file: who may open it (one process), one thread that writes to it, a few connections that read.
//!
//! * a write is acknowledged after its transaction's commit is on disk; many writes share one commit
//! * a write that fails takes nobody else's with it
//! * no async thread ever waits for the disk

mod lock;
mod reader;
mod schema;
mod writer;

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use shared::ports::StoreResult;
use tempfile::TempDir;

use crate::error::{Done, OpenError};
use lock::DirLock;
use reader::Readers;
use writer::Writer;

/// What a commit waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// For the disk: survives a power cut.
    Disk,
    /// For nothing: the directory dies with the process.
    None,
}

/// One database. Fields are dropped in this order: the writer ends, then the lock, then what is left of a
/// temporary directory.
pub(crate) struct Store {
    writer: Writer,
    readers: Readers,
    _lock: DirLock,
    dir: PathBuf,
    _temporary: Option<TempDir>,
}

impl Store {
    pub(crate) fn open(dir: &Path, durability: Durability) -> Result<Self, OpenError> {
        let failed = |cause| OpenError::Directory { dir: dir.to_owned(), cause };
        std::fs::create_dir_all(dir).map_err(failed)?;
        let lock = DirLock::take(dir)?;
        let file = dir.join("ulak.sqlite3");
        let mut connection = Connection::open(&file)?;
        schema::tune_writer(&connection, durability)?;
        schema::migrate(&mut connection, dir)?;
        let readers = Readers::open(&file)?;
        let writer = Writer::start(connection).map_err(failed)?;
        Ok(Self { writer, readers, _lock: lock, dir: dir.to_owned(), _temporary: None })
    }

    pub(crate) fn temporary() -> Result<Self, OpenError> {
        let failed = |cause| OpenError::Directory { dir: std::env::temp_dir(), cause };
        let temporary = tempfile::Builder::new().prefix("ulak-").tempdir().map_err(failed)?;
        let store = Self::open(temporary.path(), Durability::None)?;
        // Every file is open now, and none is opened again: without names they end with the process, however it
        // ends. Where open files cannot be removed, the directory goes with the store.
        let left = match std::fs::remove_dir_all(temporary.path()) {
            Ok(()) => None,
            Err(_) => Some(temporary),
        };
        Ok(Self { _temporary: left, ..store })
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Runs `job` in a transaction of its own or shared; returns when the commit is durable.
    pub(crate) async fn write<T, J>(&self, job: J) -> StoreResult<T>
    where
        T: Send + 'static,
        J: FnOnce(&Connection) -> Done<T> + Send + 'static,
    {
        self.writer.run(job).await
    }

    /// Runs `job` on a connection that sees every acknowledged write.
    pub(crate) async fn read<T, J>(&self, job: J) -> StoreResult<T>
    where
        T: Send + 'static,
        J: FnOnce(&Connection) -> Done<T> + Send + 'static,
    {
        self.readers.run(job).await
    }
}
