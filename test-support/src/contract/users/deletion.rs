//! Cases of `Users::delete_account`.

use std::sync::Arc;

use shared::user::{Login, User, UserChange};

use super::{Subject, found, names};
use crate::contract::{Case, CaseData, Outcome, cases, concurrently, expect_eq, expect_some, expect_true};

/// Every case of `Users::delete_account`.
pub(super) fn deletion() -> Vec<Case<Subject>> {
    cases![
        deleted_account_keeps_its_id_and_frees_its_names,
        deleted_user_is_neither_listed_nor_active,
        account_is_deleted_once,
        deleted_account_cannot_be_changed,
    ]
}

async fn deleted_account_keeps_its_id_and_frees_its_names(users: Subject, data: CaseData) -> Outcome {
    let ada = data.user("ada", "Ada");
    users.insert(&ada).await?;
    expect_true(users.delete_account(&ada.id, data.after(5)).await?, "nothing was deleted")?;
    let deleted = expect_some(found(&users, &ada).await?)?;
    expect_eq(deleted.clone(), ada.deleted(data.after(5)))?;
    expect_eq((deleted.display_name.as_str(), deleted.is_deleted()), ("Deleted user", true))?;
    expect_eq(users.by_login(&Login::Username(ada.username.key())).await?, None)?;
    expect_eq(users.by_login(&Login::Email(ada.email.key())).await?, None)?;
    let next = data.user("ada", "Another Ada");
    users.insert(&next).await?;
    expect_eq(users.by_login(&Login::Email(ada.email.key())).await?, Some(next))
}

async fn deleted_user_is_neither_listed_nor_active(users: Subject, data: CaseData) -> Outcome {
    let word = format!("word{}", data.tag);
    let ada = User { last_seen_at: data.now, ..data.user("ada", &word) };
    users.insert(&ada).await?;
    expect_eq(names(&users, &data, &word).await?.as_str(), "ada")?;
    users.delete_account(&ada.id, data.after(1)).await?;
    expect_eq(names(&users, &data, &word).await?.as_str(), "")?;
    expect_eq(names(&users, &data, &data.tag).await?.as_str(), "")?;
    let active = users.active(data.now, None, 10_000).await?;
    expect_true(!active.contains(&ada.id), "a deleted user is active")
}

async fn account_is_deleted_once(users: Subject, data: CaseData) -> Outcome {
    let (ada, bob) = (data.user("ada", "Ada"), data.user("bob", "Bob"));
    users.insert(&ada).await?;
    users.insert(&bob).await?;
    let deleted = concurrently(10, |n| {
        let (users, id, now) = (Arc::clone(&users), ada.id.clone(), data.after(n as u64));
        async move { users.delete_account(&id, now).await }
    })
    .await?;
    expect_eq(deleted.into_iter().filter(|deleted| *deleted).count(), 1)?;
    expect_eq(users.delete_account(&data.user_id(), data.now).await?, false)?;
    expect_true(users.delete_account(&bob.id, data.now).await?, "a second user cannot be deleted")
}

/// A change of the profile that was admitted before the deletion must not take a name again.
async fn deleted_account_cannot_be_changed(users: Subject, data: CaseData) -> Outcome {
    let ada = data.user("ada", "Ada");
    users.insert(&ada).await?;
    users.delete_account(&ada.id, data.now).await?;
    let change = UserChange { username: Some(ada.username.clone()), ..UserChange::default() };
    for change in [change, UserChange::default()] {
        expect_eq(users.update(&ada.id, &change).await?, None)?;
    }
    expect_eq(found(&users, &ada).await?, Some(ada.deleted(data.now)))
}
