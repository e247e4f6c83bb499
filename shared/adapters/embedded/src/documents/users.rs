//! `Users`: unique by folded username and e-mail, listed by username, searched by prefixes of words.

use std::collections::BTreeSet;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use shared::error::StoreError;
use shared::id::UserId;
use shared::ports::{StoreResult, Users};
use shared::search::vocabulary;
use shared::time::Time;
use shared::user::{Email, Login, PasswordHash, User, UserChange, Username};

use super::rows::{optional_time, time};
use crate::Embedded;
use crate::error::DbResult;

/// The columns that [`user`] reads, from `users u`.
const COLUMNS: &str = "u.id, u.username, u.email, u.display_name, u.password_hash, u.created_at, \
     u.last_seen_at, u.deactivated_at";

#[async_trait]
impl Users for Embedded {
    async fn insert(&self, user: &User) -> StoreResult<()> {
        let user = user.clone();
        self.store.write(move |db| insert(db, &user)).await
    }

    async fn by_ids(&self, ids: &[UserId]) -> StoreResult<Vec<User>> {
        let ids: BTreeSet<UserId> = ids.iter().cloned().collect();
        self.store
            .read(move |db| {
                let found = ids.iter().map(|id| by_id(db, id));
                found.filter_map(Result::transpose).collect()
            })
            .await
    }

    async fn by_login(&self, login: &Login) -> StoreResult<Option<User>> {
        let (column, key) = match login.clone() {
            Login::Email(key) => ("email_key", key),
            Login::Username(key) => ("username_key", key),
        };
        let sql = format!("SELECT {COLUMNS} FROM users u WHERE u.{column} = ?1");
        self.store.read(move |db| Ok(db.prepare_cached(&sql)?.query_row([key], user).optional()?)).await
    }

    async fn update(&self, id: &UserId, change: &UserChange) -> StoreResult<Option<User>> {
        let (id, change) = (id.clone(), change.clone());
        self.store.write(move |db| update(db, &id, change)).await
    }

    async fn delete_account(&self, id: &UserId, now: Time) -> StoreResult<bool> {
        let id = id.clone();
        self.store.write(move |db| delete_account(db, &id, now)).await
    }

    async fn mark_seen(&self, id: &UserId, at: Time) -> StoreResult<()> {
        let id = id.clone();
        let sql = "UPDATE users SET last_seen_at = ?2 WHERE id = ?1 AND last_seen_at < ?2";
        self.store
            .write(move |db| {
                db.prepare_cached(sql)?.execute(params![id.as_str(), at.millis()])?;
                Ok(())
            })
            .await
    }

    async fn list(&self, search: Option<&str>, after: Option<&str>, limit: u32) -> StoreResult<Vec<User>> {
        let after = after.unwrap_or_default().to_owned();
        match search.map(str::to_owned) {
            Some(prefix) => self.store.read(move |db| list_by_prefix(db, &prefix, &after, limit)).await,
            None => self.store.read(move |db| list_all(db, &after, limit)).await,
        }
    }

    async fn active(&self, since: Time, after: Option<&UserId>, limit: u32) -> StoreResult<Vec<UserId>> {
        let after = after.map(UserId::to_string).unwrap_or_default();
        // The primary key orders the table by id, so each page is a range scan that starts after the last one.
        let sql = "SELECT id FROM users WHERE id > ?1 AND last_seen_at >= ?2 AND deactivated_at IS NULL
                   ORDER BY id LIMIT ?3";
        self.store
            .read(move |db| {
                let mut select = db.prepare_cached(sql)?;
                let ids = select.query_map(params![after, since.millis(), limit], |row| {
                    row.get::<_, String>(0).map(UserId::trusted)
                })?;
                Ok(ids.collect::<rusqlite::Result<_>>()?)
            })
            .await
    }
}

fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: UserId::trusted(row.get::<_, String>(0)?),
        username: Username::trusted(row.get::<_, String>(1)?),
        email: Email::trusted(row.get::<_, String>(2)?),
        display_name: row.get(3)?,
        password_hash: PasswordHash(row.get(4)?),
        created_at: time(row, 5)?,
        last_seen_at: time(row, 6)?,
        deactivated_at: optional_time(row, 7)?,
    })
}

fn by_id(db: &Connection, id: &UserId) -> DbResult<Option<User>> {
    let sql = format!("SELECT {COLUMNS} FROM users u WHERE u.id = ?1");
    Ok(db.prepare_cached(&sql)?.query_row([id.as_str()], user).optional()?)
}

fn insert(db: &Connection, user: &User) -> DbResult<()> {
    check_unique(db, user)?;
    db.prepare_cached("INSERT INTO users VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?.execute(
        params![
            user.id.as_str(),
            user.username.as_str(),
            user.username.key(),
            user.email.as_str(),
            user.email.key(),
            user.display_name,
            user.password_hash.0,
            user.created_at.millis(),
            user.last_seen_at.millis(),
            user.deactivated_at.map(Time::millis),
        ],
    )?;
    insert_words(db, user)
}

/// `Taken` when another user has the username or the e-mail. There is one writer, so a free name stays free until
/// this job ends.
fn check_unique(db: &Connection, user: &User) -> DbResult<()> {
    let sql = "SELECT username_key = ?1 FROM users WHERE (username_key = ?1 OR email_key = ?2) AND id <> ?3
               ORDER BY 1 DESC";
    let taken = db
        .prepare_cached(sql)?
        .query_row(params![user.username.key(), user.email.key(), user.id.as_str()], |row| row.get(0))
        .optional()?;
    match taken {
        None => Ok(()),
        Some(true) => Err(StoreError::Taken("username").into()),
        Some(false) => Err(StoreError::Taken("email").into()),
    }
}

fn update(db: &Connection, id: &UserId, change: UserChange) -> DbResult<Option<User>> {
    let Some(before) = by_id(db, id)?.filter(|user| user.deactivated_at.is_none()) else { return Ok(None) };
    let after = User {
        username: change.username.unwrap_or_else(|| before.username.clone()),
        email: change.email.unwrap_or_else(|| before.email.clone()),
        display_name: change.display_name.unwrap_or_else(|| before.display_name.clone()),
        password_hash: change.password_hash.unwrap_or_else(|| before.password_hash.clone()),
        ..before.clone()
    };
    check_unique(db, &after)?;
    write_row(db, &after)?;
    delete_words(db, &before)?;
    insert_words(db, &after)?;
    Ok(Some(after))
}

/// Writes what a change of the account may change.
fn write_row(db: &Connection, user: &User) -> DbResult<()> {
    let sql = "UPDATE users SET username = ?2, username_key = ?3, email = ?4, email_key = ?5,
               display_name = ?6, password_hash = ?7, deactivated_at = ?8 WHERE id = ?1";
    db.prepare_cached(sql)?.execute(params![
        user.id.as_str(),
        user.username.as_str(),
        user.username.key(),
        user.email.as_str(),
        user.email.key(),
        user.display_name,
        user.password_hash.0,
        user.deactivated_at.map(Time::millis),
    ])?;
    Ok(())
}

fn delete_account(db: &Connection, id: &UserId, now: Time) -> DbResult<bool> {
    let Some(before) = by_id(db, id)?.filter(|user| !user.is_deleted()) else { return Ok(false) };
    let after = before.deleted(now);
    write_row(db, &after)?;
    delete_words(db, &before)?;
    Ok(true)
}

/// The words by whose prefixes a search finds the user.
fn words(user: &User) -> BTreeSet<String> {
    vocabulary(&user.display_name).into_iter().chain([user.username.key()]).collect()
}

fn insert_words(db: &Connection, user: &User) -> DbResult<()> {
    let mut insert = db.prepare_cached("INSERT INTO user_words VALUES (?1, ?2)")?;
    for word in words(user) {
        insert.execute(params![word, user.id.as_str()])?;
    }
    Ok(())
}

fn delete_words(db: &Connection, user: &User) -> DbResult<()> {
    let mut delete = db.prepare_cached("DELETE FROM user_words WHERE word = ?1 AND user_id = ?2")?;
    for word in words(user) {
        delete.execute(params![word, user.id.as_str()])?;
    }
    Ok(())
}

fn list_all(db: &Connection, after: &str, limit: u32) -> DbResult<Vec<User>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM users u WHERE u.username_key > ?1 AND u.deactivated_at IS NULL
         ORDER BY u.username_key LIMIT ?2"
    );
    let mut select = db.prepare_cached(&sql)?;
    let rows = select.query_map(params![after, limit], user)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn list_by_prefix(db: &Connection, prefix: &str, after: &str, limit: u32) -> DbResult<Vec<User>> {
    // The range ends at the prefix followed by the highest Unicode character; no word with the prefix sorts later.
    let sql = format!(
        "SELECT {COLUMNS} FROM users u
         WHERE u.id IN (SELECT user_id FROM user_words WHERE word >= ?1 AND word < ?1 || char(1114111))
         AND u.username_key > ?2 AND u.deactivated_at IS NULL ORDER BY u.username_key LIMIT ?3"
    );
    let mut select = db.prepare_cached(&sql)?;
    let rows = select.query_map(params![prefix, after, limit], user)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
