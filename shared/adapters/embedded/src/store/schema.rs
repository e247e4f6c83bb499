//! The schema as numbered migrations, and the settings of the connections.

use std::path::Path;

use rusqlite::{Connection, Transaction};
use shared::user::Email;

use super::Durability;
use crate::error::OpenError;

/// In order; `user_version` counts those that have run. Never change the statements of a released migration: add
/// another one.
const MIGRATIONS: &[&str] = &[
    include_str!("schema/001_first.sql"),
    include_str!("schema/002_unindexed.sql"),
    include_str!("schema/003_accounts.sql"),
];

/// The position of the migration from which on e-mails are compared in one Unicode form.
const REFOLDED: usize = 2;

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
        if number == REFOLDED {
            refold_emails(&transaction)?;
        }
        transaction.pragma_update(None, "user_version", number as u32 + 1)?;
        transaction.commit()?;
    }
    // The consumers of the last process are gone: what they had not acked becomes ready again.
    connection.execute("UPDATE queue_messages SET unacked = 0 WHERE unacked = 1", [])?;
    Ok(())
}

/// Computes the keys of stored e-mails again. An e-mail whose new key is another user's keeps its old one.
fn refold_emails(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut select = transaction.prepare("SELECT id, email, email_key FROM users")?;
    let stored = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let stored: Vec<(String, String, String)> = stored.collect::<rusqlite::Result<_>>()?;
    let mut update = transaction.prepare("UPDATE OR IGNORE users SET email_key = ?2 WHERE id = ?1")?;
    for (id, email, key) in stored {
        let folded = Email::trusted(email).key();
        if folded != key {
            update.execute([id, folded])?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rusqlite::Connection;

    use super::{MIGRATIONS, migrate};

    /// A file of the second schema, with the keys and spent hashes that it stored.
    #[test]
    fn stored_emails_and_sessions_are_migrated() {
        let mut db = Connection::open_in_memory().unwrap();
        for migration in &MIGRATIONS[..2] {
            db.execute_batch(migration).unwrap();
        }
        db.pragma_update(None, "user_version", 2).unwrap();
        let user = |id: &str, email: &str| {
            let sql = "INSERT INTO users VALUES (?1, ?1, ?1, ?2, ?2, '', '', 0, 0, NULL)";
            db.execute(sql, [id, email]).unwrap();
        };
        user("a", "straße@example.com");
        user("b", "ｂ@example.com");
        user("c", "b@example.com");
        db.execute_batch(
            "INSERT INTO sessions VALUES ('s', 'a', 'hash', '', 1, 1, 77);
             INSERT INTO spent_hashes VALUES ('s', 'spent');",
        )
        .unwrap();
        migrate(&mut db, Path::new("")).unwrap();
        let key = |id: &str| -> String {
            db.query_row("SELECT email_key FROM users WHERE id = ?1", [id], |row| row.get(0)).unwrap()
        };
        assert_eq!(key("a"), "strasse@example.com");
        assert_eq!(
            (key("b").as_str(), key("c").as_str()),
            ("ｂ@example.com", "b@example.com"),
            "it is taken"
        );
        let expires: i64 = db.query_row("SELECT expires_at FROM spent_hashes", [], |row| row.get(0)).unwrap();
        assert_eq!(expires, 77);
    }
}
