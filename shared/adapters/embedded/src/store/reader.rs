//! Reading: a few read-only connections on blocking threads. A read waits its turn without a thread.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OpenFlags};
use shared::error::StoreError;
use shared::ports::StoreResult;
use tokio::sync::Semaphore;

use super::schema;
use crate::error::{Done, STORE};

/// As many reads run at once; more would only share the same cores.
const CONNECTIONS: usize = 4;

pub(super) struct Readers {
    idle: Arc<Mutex<Vec<Connection>>>,
    turns: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn open(file: &Path) -> rusqlite::Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let one = |_| {
            let connection = Connection::open_with_flags(file, flags)?;
            schema::tune_reader(&connection)?;
            // The first read opens the log; whoever takes the files' names away afterwards disturbs nobody.
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
            Ok(connection)
        };
        let idle = (0..CONNECTIONS).map(one).collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(Self { idle: Arc::new(Mutex::new(idle)), turns: Arc::new(Semaphore::new(CONNECTIONS)) })
    }

    pub(super) async fn run<T, J>(&self, job: J) -> StoreResult<T>
    where
        T: Send + 'static,
        J: FnOnce(&Connection) -> Done<T> + Send + 'static,
    {
        let gone = |cause| StoreError::down(STORE, cause);
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|e| gone(e.to_string()))?;
        let idle = Arc::clone(&self.idle);
        let work = move || {
            // Dropped in this order, also when the job panics: first the connection is idle, then the turn.
            let _turn = turn;
            let lent = Lent::of(idle)?;
            Some(lent.connection.as_ref().map(job)?.map_err(StoreError::from))
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(Some(answer)) => answer,
            Ok(None) => Err(gone("no connection is left to read with".to_owned())),
            Err(panicked) => Err(gone(panicked.to_string())),
        }
    }
}

/// A connection that goes back where it came from.
struct Lent {
    connection: Option<Connection>,
    home: Arc<Mutex<Vec<Connection>>>,
}

impl Lent {
    fn of(home: Arc<Mutex<Vec<Connection>>>) -> Option<Self> {
        let connection = home.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
        Some(Self { connection: Some(connection), home })
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.home.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }
}
