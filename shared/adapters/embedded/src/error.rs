//! Errors of opening the directory and of database jobs; the latter become the ports' [`StoreError`] here.

use std::path::PathBuf;

use rusqlite::ErrorCode;
use shared::error::StoreError;

/// This store's name in errors, in logs and in the health response.
pub(crate) const STORE: &str = "embedded";

/// Why the data directory could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process holds the directory's lock.
    #[error("{} is in use by another process; stop it or choose another --data directory", .0.display())]
    Busy(PathBuf),
    /// A newer version migrated the database to a schema that this version does not know.
    #[error(
        "{} was written by a newer version (schema {found}; this version knows {known}); \
         use that version or choose another --data directory",
        dir.display()
    )]
    Newer {
        dir: PathBuf,
        /// The schema version of the database.
        found: usize,
        /// The newest schema version of this program.
        known: usize,
    },
    /// The directory cannot be created, locked or written to.
    #[error("cannot use the data directory {}: {cause}", dir.display())]
    Directory { dir: PathBuf, cause: std::io::Error },
    /// SQLite cannot open or migrate the database.
    #[error("cannot open the database {}: {cause}", file.display())]
    Database { file: PathBuf, cause: rusqlite::Error },
}

/// Why a backup could not be written. The text names the file.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the backup {}: {cause}", file.display())]
pub struct BackupError {
    /// The file that was to be written.
    pub file: PathBuf,
    /// The error of the file system or of SQLite.
    pub cause: Box<dyn std::error::Error + Send + Sync>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum DbError {
    #[error(transparent)]
    Sql(#[from] rusqlite::Error),
    #[error(transparent)]
    Port(#[from] StoreError),
}

pub(crate) type DbResult<T> = Result<T, DbError>;

impl From<DbError> for StoreError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Port(error) => error,
            DbError::Sql(error) => match error.sqlite_error_code() {
                Some(ErrorCode::ConstraintViolation) => Self::Taken("id"),
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                    Self::Corrupt(STORE, Box::new(error))
                }
                _ => Self::down(STORE, error),
            },
        }
    }
}

/// Stored data that contradicts what this adapter writes; `table` names where.
pub(crate) fn corrupt(table: &'static str, why: impl Into<String>) -> DbError {
    DbError::Port(StoreError::Corrupt(table, why.into().into()))
}
