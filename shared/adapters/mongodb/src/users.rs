//! `Users`: unique indexes on the folded usernames and e-mails decide which are taken.

use async_trait::async_trait;
use futures::TryStreamExt;
use mongodb::bson::{Document, doc};
use mongodb::options::ReturnDocument;
use shared::error::StoreError;
use shared::id::UserId;
use shared::ports::{StoreResult, Users};
use shared::search::vocabulary;
use shared::time::Time;
use shared::user::{Email, Login, User, UserChange};

use crate::client::Mongo;
use crate::failure::{store_error, taken_error};
use crate::indexes::{EMAIL, USERNAME, USERS};
use crate::rows::{IdRow, UserRow, date};
use crate::search::prefix;

/// How many users are read at once.
const PAGE: i64 = 1_000;

/// The unique indexes and the fields that they protect.
const UNIQUE_FIELDS: &[(&str, &str)] = &[(USERNAME, "username"), (EMAIL, "email")];

#[async_trait]
impl Users for Mongo {
    async fn insert(&self, user: &User) -> StoreResult<()> {
        let users = self.collection::<UserRow>(USERS);
        self.with_deadline(async {
            self.ensure_indexes(USERS).await?;
            users.insert_one(UserRow::from(user)).await.map(drop).map_err(|e| taken_error(e, UNIQUE_FIELDS))
        })
        .await
    }

    async fn by_ids(&self, ids: &[UserId]) -> StoreResult<Vec<User>> {
        let ids: Vec<&str> = ids.iter().map(UserId::as_str).collect();
        self.find_users(doc! { "_id": { "$in": ids } }, None).await
    }

    async fn by_login(&self, login: &Login) -> StoreResult<Option<User>> {
        let filter = match login {
            Login::Email(key) => doc! { "emailKey": key },
            Login::Username(key) => doc! { "usernameKey": key },
        };
        Ok(self.find_users(filter, Some(1)).await?.pop())
    }

    async fn update(&self, id: &UserId, change: &UserChange) -> StoreResult<Option<User>> {
        let set = changed_fields(change);
        if set.is_empty() {
            return Ok(self.find_users(doc! { "_id": id.as_str(), "active": true }, Some(1)).await?.pop());
        }
        let users = self.collection::<UserRow>(USERS);
        let update = users
            .find_one_and_update(doc! { "_id": id.as_str(), "active": true }, doc! { "$set": set })
            .max_time(self.max_time())
            .return_document(ReturnDocument::After);
        let updated = async {
            self.ensure_indexes(USERS).await?;
            update.await.map_err(|e| taken_error(e, UNIQUE_FIELDS))
        };
        Ok(self.with_deadline(updated).await?.map(User::from))
    }

    async fn delete_account(&self, id: &UserId, now: Time) -> StoreResult<bool> {
        let Some(before) = self.find_users(doc! { "_id": id.as_str() }, Some(1)).await?.pop() else {
            return Ok(false);
        };
        let after = before.deleted(now);
        let mut set = changed_fields(&UserChange {
            username: Some(after.username.clone()),
            email: Some(after.email),
            display_name: Some(after.display_name),
            password_hash: Some(after.password_hash),
        });
        set.extend(doc! { "deactivatedAt": date(now), "active": false });
        // What the deletion replaces does not depend on what was read, so a change in between is no problem; another
        // deletion in between is found by the filter.
        let filter = doc! { "_id": id.as_str(), "username": { "$ne": after.username.as_str() } };
        let users = self.collection::<UserRow>(USERS);
        let update = users.update_one(filter, doc! { "$set": set });
        let updated = self.with_deadline(async { update.await.map_err(store_error) }).await?;
        Ok(updated.modified_count > 0)
    }

    async fn mark_seen(&self, id: &UserId, at: Time) -> StoreResult<()> {
        let users = self.collection::<UserRow>(USERS);
        let update =
            users.update_one(doc! { "_id": id.as_str() }, doc! { "$max": { "lastSeenAt": date(at) } });
        self.with_deadline(async { update.await.map(drop).map_err(store_error) }).await
    }

    async fn list(&self, search: Option<&str>, after: Option<&str>, limit: u32) -> StoreResult<Vec<User>> {
        let mut filter = doc! { "active": true };
        if let Some(after) = after {
            filter.insert("usernameKey", doc! { "$gt": after });
        }
        if let Some(search) = search {
            let either = [doc! { "usernameKey": prefix(search) }, doc! { "nameWords": prefix(search) }];
            filter.insert("$or", either.to_vec());
        }
        self.find_users(filter, Some(limit)).await
    }

    async fn active(&self, since: Time, after: Option<&UserId>, limit: u32) -> StoreResult<Vec<UserId>> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let mut filter = doc! { "active": true, "lastSeenAt": { "$gte": date(since) } };
        if let Some(after) = after {
            filter.insert("_id", doc! { "$gt": after.as_str() });
        }
        let users = self.collection::<IdRow<UserId>>(USERS);
        let find = users
            .find(filter)
            .max_time(self.max_time())
            .projection(doc! { "_id": 1 })
            .sort(doc! { "_id": 1 })
            .limit(limit.into());
        let rows = async { find.await?.map_ok(|row| row.id).try_collect().await };
        self.with_deadline(async { rows.await.map_err(store_error) }).await
    }
}

impl Mongo {
    /// Computes the keys of all stored e-mails again, page by page. An e-mail whose new key is another user's keeps its
    /// old one.
    pub(crate) async fn refold_emails(&self) -> StoreResult<()> {
        let users = self.collection::<EmailRow>(USERS);
        let mut after = String::new();
        loop {
            let find = users.find(doc! { "_id": { "$gt": &after } }).sort(doc! { "_id": 1 }).limit(PAGE);
            let find = find.projection(doc! { "email": 1, "emailKey": 1 });
            let rows = async { find.await?.try_collect::<Vec<EmailRow>>().await };
            let page = self.with_deadline(async { rows.await.map_err(store_error) }).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after.clone_from(&last.id);
            for row in page {
                self.refold_email(row).await?;
            }
        }
    }

    async fn refold_email(&self, row: EmailRow) -> StoreResult<()> {
        let key = Email::trusted(row.email).key();
        if key == row.email_key {
            return Ok(());
        }
        let users = self.collection::<UserRow>(USERS);
        let update = users.update_one(doc! { "_id": row.id }, doc! { "$set": { "emailKey": key } });
        let updated = async { update.await.map(drop).map_err(|error| taken_error(error, UNIQUE_FIELDS)) };
        match self.with_deadline(updated).await {
            Err(StoreError::Taken(_)) => Ok(()),
            done => done,
        }
    }

    /// Users by folded username; all of them without a `limit`.
    async fn find_users(&self, filter: Document, limit: Option<u32>) -> StoreResult<Vec<User>> {
        if limit == Some(0) {
            return Ok(Vec::new()); // MongoDB reads 0 as no limit.
        }
        let users = self.collection::<UserRow>(USERS);
        let find = users
            .find(filter)
            .max_time(self.max_time())
            .sort(doc! { "usernameKey": 1 })
            .limit(limit.map_or(0, i64::from));
        let rows = async { find.await?.map_ok(User::from).try_collect().await };
        self.with_deadline(async { rows.await.map_err(store_error) }).await
    }
}

/// A user of whom only the e-mail is read.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct EmailRow {
    #[serde(rename = "_id")]
    id: String,
    email: String,
    email_key: String,
}

/// The stored fields of a change, including the derived ones.
fn changed_fields(change: &UserChange) -> Document {
    let mut set = Document::new();
    if let Some(username) = &change.username {
        set.extend(doc! { "username": username.as_str(), "usernameKey": username.key() });
    }
    if let Some(email) = &change.email {
        set.extend(doc! { "email": email.as_str(), "emailKey": email.key() });
    }
    if let Some(name) = &change.display_name {
        set.extend(doc! { "displayName": name, "nameWords": vocabulary(name) });
    }
    if let Some(hash) = &change.password_hash {
        set.insert("passwordHash", hash.0.as_str());
    }
    set
}
