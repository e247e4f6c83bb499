//! The schema as numbered migrations, and the settings of the connections.

use std::path::Path;

use rusqlite::Connection;

use super::Durability;
use crate::error::OpenError;

/// In order; `user_version` counts those that have run. Never change the statements of a released migration: add
/// another one.
const MIGRATIONS: &[&str] = &[include_str!("schema/001_first.sql"), include_str!("schema/002_unindexed.sql")];

pub(super) fn tune_writer(connection: &Connection, durability: Durability) -> rusqlite::Result<()> {
    let synchronous = match durability {
        Durability::Disk => "FULL",
        Durability::None => "OFF",
    };
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", synchronous)?;
    // 64 MiB of cached pages, and a write-ahead log of 64 MiB between checkpoints: bulk writes touch many pages.
    connection.pragma_update(None, "cache_size", -65_536)?;
    connection.pragma_update(None, "wal_autocheckpoint", 16_384)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(())
}

pub(super) fn tune_reader(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cache_size", -16_384)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// Migrates the file to the newest schema, each migration in its own transaction.
pub(super) fn migrate(connection: &mut Connection, dir: &Path) -> Result<(), OpenError> {
    let database_error = |cause| OpenError::Database { file: dir.join("ulak.sqlite3"), cause };
    let found = version(connection).map_err(database_error)?;
    if found > MIGRATIONS.len() {
        return Err(OpenError::Newer { dir: dir.to_owned(), found, known: MIGRATIONS.len() });
    }
    run_migrations(connection, found).map_err(database_error)
}

/// The number of migrations that have run.
fn version(connection: &Connection) -> rusqlite::Result<usize> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0))? as usize)
}

fn run_migrations(connection: &mut Connection, found: usize) -> rusqlite::Result<()> {
    for (number, migration) in MIGRATIONS.iter().enumerate().skip(found) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", number as u32 + 1)?;
        transaction.commit()?;
    }
    // The consumers of the last process are gone: what they had not acked becomes ready again.
    connection.execute("UPDATE queue_messages SET unacked = 0 WHERE unacked = 1", [])?;
    Ok(())
}
