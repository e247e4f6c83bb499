//! The ports of accounts with failures: users and sessions.

use async_trait::async_trait;
use shared::id::{SessionId, UserId};
use shared::ports::{Sessions, StoreResult, Users};
use shared::session::{Rotation, RotationRequest, Session};
use shared::time::Time;
use shared::user::{Login, User, UserChange};

use super::FaultyStore;

#[async_trait]
impl Users for FaultyStore<'_> {
    async fn insert(&self, user: &User) -> StoreResult<()> {
        self.call("insert", self.store.insert(user)).await
    }

    async fn by_ids(&self, ids: &[UserId]) -> StoreResult<Vec<User>> {
        Users::by_ids(self.store, ids).await
    }

    async fn by_login(&self, login: &Login) -> StoreResult<Option<User>> {
        self.store.by_login(login).await
    }

    async fn update(&self, id: &UserId, change: &UserChange) -> StoreResult<Option<User>> {
        self.call("update", self.store.update(id, change)).await
    }

    async fn delete_account(&self, id: &UserId, now: Time) -> StoreResult<bool> {
        self.call("delete_account", self.store.delete_account(id, now)).await
    }

    async fn mark_seen(&self, id: &UserId, at: Time) -> StoreResult<()> {
        self.call("mark_seen", self.store.mark_seen(id, at)).await
    }

    async fn list(&self, search: Option<&str>, after: Option<&str>, limit: u32) -> StoreResult<Vec<User>> {
        Users::list(self.store, search, after, limit).await
    }

    async fn active(&self, since: Time, after: Option<&UserId>, limit: u32) -> StoreResult<Vec<UserId>> {
        self.store.active(since, after, limit).await
    }
}

#[async_trait]
impl Sessions for FaultyStore<'_> {
    async fn open(&self, session: &Session, per_user: u32) -> StoreResult<Vec<SessionId>> {
        self.call("open_session", Sessions::open(self.store, session, per_user)).await
    }

    async fn live(&self, id: &SessionId, now: Time) -> StoreResult<Option<Session>> {
        self.store.live(id, now).await
    }

    async fn not_live(&self, ids: &[SessionId], now: Time) -> StoreResult<Vec<SessionId>> {
        self.store.not_live(ids, now).await
    }

    async fn rotate(&self, request: &RotationRequest) -> StoreResult<Rotation> {
        self.call("rotate", self.store.rotate(request)).await
    }

    async fn end(&self, user: &UserId, id: &SessionId) -> StoreResult<bool> {
        self.call("end_session", Sessions::end(self.store, user, id)).await
    }

    async fn end_all(&self, user: &UserId, except: Option<&SessionId>) -> StoreResult<Vec<SessionId>> {
        self.call("end_all", self.store.end_all(user, except)).await
    }

    async fn list(&self, user: &UserId, now: Time) -> StoreResult<Vec<Session>> {
        Sessions::list(self.store, user, now).await
    }
}
