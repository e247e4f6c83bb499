//! What goes wrong inside: SQLite's own failures and ours, translated once into the ports' [`StoreError`].

use std::path::PathBuf;

use rusqlite::ErrorCode;
use shared::error::StoreError;

/// The name that health reports.
pub(crate) const STORE: &str = "embedded";

/// Why a directory could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process holds the lock.
    #[error("{} is in use by another process; stop it or choose another --data directory", .0.display())]
    Busy(PathBuf),
    /// A later version wrote it.
    #[error("{} was written by a newer version (schema {found}, this one knows {known})", dir.display())]
    Newer {
        /// Where.
        dir: PathBuf,
        /// Its schema's number.
        found: usize,
        /// The newest that is known here.
        known: usize,
    },
    /// The directory itself.
    #[error("cannot use the data directory {}", dir.display())]
    Directory {
        /// Where.
        dir: PathBuf,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// The database in it.
    #[error("cannot open the database")]
    Database(#[from] rusqlite::Error),
}

/// What a job on the database fails with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error(transparent)]
    Sql(#[from] rusqlite::Error),
    #[error(transparent)]
    Port(#[from] StoreError),
}

/// What a job on the database gives.
pub(crate) type Done<T> = Result<T, Fault>;

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Port(error) => error,
            Fault::Sql(error) => match error.sqlite_error_code() {
                Some(ErrorCode::ConstraintViolation) => Self::Taken("id"),
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                    Self::Corrupt(STORE, Box::new(error))
                }
                _ => Self::down(STORE, error),
            },
        }
    }
}

/// A row that holds something that we never wrote.
pub(crate) fn corrupt(what: &'static str, why: impl Into<String>) -> Fault {
    Fault::Port(StoreError::Corrupt(what, why.into().into()))
}
