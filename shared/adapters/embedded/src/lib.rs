//! Every port on one machine with nothing installed: one SQLite file for durable data, this process's memory
//! for data that may be lost. Read `store` for how writes become durable, then any port.
//!
//! Not here: rules, HTTP, AWS. No Lambda binary links this crate.

mod documents;
mod error;
mod known_addresses;
mod memory;
mod probe;
mod queue;
mod sessions;
mod store;

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use shared::ports::StoreResult;
use shared::time::Time;

pub use error::{BackupError, OpenError};
pub use queue::{DeadLetter, Delivery, Depth};

use memory::Memory;
use store::{Durability, Store};

/// All ports over one directory. Clones share it; dropping the last one stops the writer and frees the lock.
#[derive(Clone)]
pub struct Embedded {
    store: Arc<Store>,
    memory: Arc<Memory>,
    published: Arc<tokio::sync::Notify>,
    clock: Clock,
}

/// The queue's clock; every other port gets its `now` from the caller.
type Clock = Arc<dyn Fn() -> Time + Send + Sync>;

impl Embedded {
    /// Opens the directory; creates it and its schema if they do not exist. Blocks on disk reads and writes.
    ///
    /// # Errors
    /// [`OpenError::Busy`] when another process has the directory open; [`OpenError::Newer`] when a newer version
    /// wrote it; otherwise the error of the file system or of SQLite.
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        Ok(Self::over(Store::open(dir, Durability::Disk)?))
    }

    /// A store in a temporary directory (`:memory:` on the command line). Its files are deleted right after they
    /// are opened, so that the system frees them when the last clone is dropped or the process dies.
    ///
    /// # Errors
    /// The error of the file system or of SQLite.
    pub fn temporary() -> Result<Self, OpenError> {
        Ok(Self::over(Store::temporary()?))
    }

    /// The same store, with another clock for the queue's delays.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> Time + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Copies the write-ahead log into the database file: a copy of that one file is then a whole backup.
    ///
    /// # Errors
    /// The disk cannot be written.
    pub async fn checkpoint(&self) -> StoreResult<()> {
        self.store.checkpoint().await
    }

    /// Writes a consistent copy of the database to `file`, readable by its owner only, while writes go on. The copy
    /// is a whole database: put it into a data directory as `ulak.sqlite3` to use it.
    ///
    /// # Errors
    /// [`BackupError`]: the file exists already, or cannot be written.
    pub async fn backup(&self, file: &Path) -> Result<(), BackupError> {
        let copied = self.store.backup(file.to_owned()).await;
        copied.map_err(|cause| BackupError { file: file.to_owned(), cause })
    }

    fn over(store: Store) -> Self {
        Self {
            store: Arc::new(store),
            memory: Arc::default(),
            published: Arc::default(),
            clock: Arc::new(system_clock),
        }
    }
}

impl std::fmt::Debug for Embedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Embedded({})", self.store.dir().display())
    }
}

fn system_clock() -> Time {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}
