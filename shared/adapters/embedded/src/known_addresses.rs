//! `KnownAddresses`, stored durably.

use async_trait::async_trait;
use rusqlite::params;
use shared::id::UserId;
use shared::ports::{KnownAddresses, StoreResult};
use shared::time::Time;

use crate::Embedded;

/// The most addresses kept per user.
const MOST: u32 = 20;

#[async_trait]
impl KnownAddresses for Embedded {
    async fn remember(&self, user: &UserId, address: &str, now: Time) -> StoreResult<()> {
        let (user, address) = (user.clone(), address.to_owned());
        let insert = "INSERT INTO known_addresses VALUES (?1, ?2, ?3) ON CONFLICT (user_id, address)
                      DO UPDATE SET seen_at = max(seen_at, excluded.seen_at)";
        let prune = "DELETE FROM known_addresses WHERE user_id = ?1 AND address IN
                     (SELECT address FROM known_addresses WHERE user_id = ?1
                      ORDER BY seen_at DESC, address DESC LIMIT -1 OFFSET ?2)";
        self.store
            .write(move |db| {
                db.prepare_cached(insert)?.execute(params![user.as_str(), address, now.millis()])?;
                db.prepare_cached(prune)?.execute(params![user.as_str(), MOST])?;
                Ok(())
            })
            .await
    }

    async fn knows(&self, user: &UserId, address: &str) -> StoreResult<bool> {
        let (user, address) = (user.clone(), address.to_owned());
        let sql = "SELECT EXISTS (SELECT 1 FROM known_addresses WHERE user_id = ?1 AND address = ?2)";
        self.store
            .read(move |db| {
                Ok(db.prepare_cached(sql)?.query_row([user.as_str(), &address], |row| row.get(0))?)
            })
            .await
    }

    async fn forget(&self, user: &UserId) -> StoreResult<()> {
        let user = user.clone();
        let sql = "DELETE FROM known_addresses WHERE user_id = ?1";
        self.store
            .write(move |db| {
                db.prepare_cached(sql)?.execute([user.as_str()])?;
                Ok(())
            })
            .await
    }
}
