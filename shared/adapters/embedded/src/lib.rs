//! Every port on one machine with nothing installed: one SQLite file for what must survive, this process's
//! memory for what may be lost. Read `store` for how writes become durable, then any port.
//!
//! Not here: rules, HTTP, anything of AWS. Never part of a Lambda binary.

mod documents;
mod error;
mod memory;
mod probe;
mod queue;
mod sessions;
mod store;

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use shared::time::Time;

pub use error::OpenError;
pub use queue::{DeadLetter, Delivery, Depth};

use memory::Memory;
use store::{Durability, Store};

/// All ports over one directory. Clones share it; the last one to go stops the writer and frees the lock.
#[derive(Clone)]
pub struct Embedded {
    store: Arc<Store>,
    memory: Arc<Memory>,
    published: Arc<tokio::sync::Notify>,
    clock: Clock,
}

/// What the queue's delays go by; everything else gets its `now` from the caller.
type Clock = Arc<dyn Fn() -> Time + Send + Sync>;

impl Embedded {
    /// Opens the directory, making it and its schema where needed. Blocks on the disk for a moment.
    ///
    /// # Errors
    /// [`OpenError::Busy`] when another process has it; else what the disk or SQLite said.
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        Ok(Self::over(Store::open(dir, Durability::Disk)?))
    }

    /// A world of its own that disappears with the last clone or the process, however that ends (`:memory:` on the
    /// command line). What does not fit into memory is in files without names.
    ///
    /// # Errors
    /// What the disk or SQLite said.
    pub fn temporary() -> Result<Self, OpenError> {
        Ok(Self::over(Store::temporary()?))
    }

    /// The same, with another clock behind the queue's delays.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> Time + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
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
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
