//! Cases of `Users`.

mod deletion;
mod emails;

use std::sync::Arc;

use shared::error::StoreError;
use shared::ports::{StoreResult, Users};
use shared::user::{Email, Login, PasswordHash, User, UserChange, Username};

use super::{Case, CaseData, Outcome, cases, concurrently, expect_eq, expect_some, expect_true, sorted};

type Subject = Arc<dyn Users>;

/// Every case of [`Users`].
pub fn users() -> Vec<Case<Subject>> {
    let mut cases = cases![
        inserted_user_is_returned_unchanged,
        insert_names_a_taken_username_in_any_case,
        refused_insert_stores_nothing,
        one_of_twenty_concurrent_inserts_gets_the_username,
        by_ids_omits_unknown_users,
        by_login_never_confuses_emails_with_usernames,
        update_changes_only_the_given_fields,
        update_of_an_unknown_user_returns_none,
        update_to_a_taken_name_changes_nothing,
        update_may_change_the_case_of_the_own_username,
        last_seen_never_moves_back,
        list_pages_are_sorted_and_start_after_the_cursor,
        search_matches_prefixes_of_the_username_or_of_a_word,
        search_takes_every_character_literally,
        search_finds_a_changed_name,
        active_user_pages_are_sorted_by_id_and_start_after_the_cursor,
    ];
    cases.extend(emails::emails());
    cases.extend(deletion::deletion());
    cases
}

async fn found(users: &Subject, user: &User) -> StoreResult<Option<User>> {
    Ok(users.by_ids(std::slice::from_ref(&user.id)).await?.pop())
}

#[expect(clippy::needless_pass_by_value, reason = "answers come straight from the port")]
fn taken_field<T>(answer: Result<T, StoreError>) -> Option<&'static str> {
    match answer {
        Err(StoreError::Taken(field)) => Some(field),
        _ => None,
    }
}

async fn inserted_user_is_returned_unchanged(users: Subject, data: CaseData) -> Outcome {
    let plain = data.user("Ada", "Ada İpek Şahin 👋");
    let gone = User { deactivated_at: Some(data.now), ..data.user("gone", "'; DROP TABLE users; --") };
    users.insert(&plain).await?;
    users.insert(&gone).await?;
    expect_eq(found(&users, &plain).await?, Some(plain))?;
    expect_eq(found(&users, &gone).await?, Some(gone))
}

async fn insert_names_a_taken_username_in_any_case(users: Subject, data: CaseData) -> Outcome {
    users.insert(&data.user("ada", "Ada")).await?;
    let other = User { email: Email::trusted(format!("x@{}.org", data.tag)), ..data.user("ADA", "Ada") };
    expect_eq(taken_field(users.insert(&other).await), Some("username"))
}

async fn refused_insert_stores_nothing(users: Subject, data: CaseData) -> Outcome {
    let first = data.user("ada", "Ada");
    users.insert(&first).await?;
    let refused = User { email: first.email.clone(), ..data.user("bob", "Bob") };
    expect_eq(taken_field(users.insert(&refused).await), Some("email"))?;
    expect_eq(found(&users, &refused).await?, None)?;
    expect_eq(users.by_login(&Login::Username(refused.username.key())).await?, None)?;
    users.insert(&data.user("bob", "Bob")).await?;
    expect_eq(found(&users, &first).await?, Some(first))
}

async fn one_of_twenty_concurrent_inserts_gets_the_username(users: Subject, data: CaseData) -> Outcome {
    let answers = concurrently(20, |n| {
        let users = Arc::clone(&users);
        let email = Email::trusted(format!("{n}@{}.net", data.tag));
        let user = User { email, ..data.user("ada", "Ada") };
        async move { Ok(users.insert(&user).await) }
    })
    .await?;
    expect_eq(answers.iter().filter(|answer| answer.is_ok()).count(), 1)?;
    expect_eq(answers.into_iter().filter_map(taken_field).filter(|field| *field == "username").count(), 19)
}

async fn by_ids_omits_unknown_users(users: Subject, data: CaseData) -> Outcome {
    let (ada, bob) = (data.user("ada", "Ada"), data.user("bob", "Bob"));
    users.insert(&ada).await?;
    users.insert(&bob).await?;
    expect_eq(users.by_ids(&[]).await?.len(), 0)?;
    expect_eq(users.by_ids(&[data.user_id()]).await?.len(), 0)?;
    let ids = [bob.id.clone(), data.user_id(), ada.id.clone(), bob.id.clone()];
    let found = users.by_ids(&ids).await?;
    expect_eq(sorted(found.into_iter().map(|user| user.id)), sorted([ada.id, bob.id]))
}

async fn by_login_never_confuses_emails_with_usernames(users: Subject, data: CaseData) -> Outcome {
    let ada = data.user("Ada", "Ada");
    users.insert(&ada).await?;
    expect_eq(users.by_login(&Login::Username(ada.username.key())).await?, Some(ada.clone()))?;
    expect_eq(users.by_login(&Login::Email(ada.email.key())).await?, Some(ada.clone()))?;
    expect_eq(users.by_login(&Login::Username(ada.email.key())).await?, None)?;
    expect_eq(users.by_login(&Login::Email(ada.username.key())).await?, None)?;
    expect_eq(users.by_login(&Login::Username(data.tag.clone())).await?, None)
}

async fn update_changes_only_the_given_fields(users: Subject, data: CaseData) -> Outcome {
    let ada = data.user("ada", "Ada");
    users.insert(&ada).await?;
    let name = UserChange { display_name: Some("Countess".to_owned()), ..UserChange::default() };
    let after = User { display_name: "Countess".to_owned(), ..ada.clone() };
    expect_eq(users.update(&ada.id, &name).await?, Some(after.clone()))?;
    let all = UserChange {
        username: Some(Username::trusted(format!("{}Lady", data.tag))),
        email: Some(Email::trusted(format!("Lady@{}.org", data.tag))),
        display_name: None,
        password_hash: Some(PasswordHash("$argon2id$new".to_owned())),
    };
    let last = expect_some(users.update(&ada.id, &all).await?)?;
    expect_eq(Some(&last.username), all.username.as_ref())?;
    expect_eq(Some(&last.email), all.email.as_ref())?;
    expect_eq(last.display_name.as_str(), "Countess")?;
    expect_eq(Some(&last.password_hash), all.password_hash.as_ref())?;
    expect_eq(users.by_login(&Login::Username(ada.username.key())).await?, None)?;
    expect_eq(users.by_login(&Login::Email(last.email.key())).await?, Some(last.clone()))?;
    expect_eq(users.update(&ada.id, &UserChange::default()).await?, Some(last))
}

async fn update_of_an_unknown_user_returns_none(users: Subject, data: CaseData) -> Outcome {
    let change = UserChange { display_name: Some("Ada".to_owned()), ..UserChange::default() };
    expect_eq(users.update(&data.user_id(), &change).await?, None)
}

async fn update_to_a_taken_name_changes_nothing(users: Subject, data: CaseData) -> Outcome {
    let (ada, bob) = (data.user("ada", "Ada"), data.user("bob", "Bob"));
    users.insert(&ada).await?;
    users.insert(&bob).await?;
    let username = Some(Username::trusted(ada.username.as_str().to_uppercase()));
    let name = UserChange { username, display_name: Some("X".to_owned()), ..UserChange::default() };
    expect_eq(taken_field(users.update(&bob.id, &name).await), Some("username"))?;
    let email = UserChange { email: Some(ada.email.clone()), ..UserChange::default() };
    expect_eq(taken_field(users.update(&bob.id, &email).await), Some("email"))?;
    expect_eq(found(&users, &bob).await?, Some(bob))
}

async fn update_may_change_the_case_of_the_own_username(users: Subject, data: CaseData) -> Outcome {
    let ada = data.user("ada", "Ada");
    users.insert(&ada).await?;
    let username = Username::trusted(ada.username.as_str().to_uppercase());
    let change = UserChange { username: Some(username.clone()), ..UserChange::default() };
    expect_eq(expect_some(users.update(&ada.id, &change).await?)?.username, username)
}

async fn last_seen_never_moves_back(users: Subject, data: CaseData) -> Outcome {
    let ada = data.user("ada", "Ada");
    users.insert(&ada).await?;
    users.mark_seen(&ada.id, data.before(10)).await?;
    expect_eq(expect_some(found(&users, &ada).await?)?.last_seen_at, data.now)?;
    concurrently(20, |n| {
        let (users, id, at) = (Arc::clone(&users), ada.id.clone(), data.after(20 - n as u64));
        async move { users.mark_seen(&id, at).await }
    })
    .await?;
    expect_eq(expect_some(found(&users, &ada).await?)?.last_seen_at, data.after(20))?;
    users.mark_seen(&data.user_id(), data.now).await?;
    Ok(())
}

async fn list_pages_are_sorted_and_start_after_the_cursor(users: Subject, data: CaseData) -> Outcome {
    for name in ["d", "B", "a", "C", "e"] {
        users.insert(&data.user(name, "Someone Else")).await?;
    }
    users.insert(&User { deactivated_at: Some(data.now), ..data.user("bb", "Gone") }).await?;
    let mut seen = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = users.list(Some(&data.tag), after.as_deref(), 2).await?;
        expect_true(page.len() <= 2, "the page is longer than its limit")?;
        let Some(last) = page.last() else { break };
        after = Some(last.username.key());
        seen.extend(page.into_iter().map(|user| user.username.key().replace(&data.tag, "")));
        expect_true(seen.len() <= 5, "a user came twice")?;
    }
    expect_eq(seen.join(""), "abcde".to_owned())?;
    // Without a search the list contains all users.
    let first = format!("{}a", data.tag);
    let rest = users.list(None, Some(&first), 100).await?;
    expect_true(
        rest.iter().all(|user| user.username.key() > first && user.deactivated_at.is_none()),
        "a listed user is deactivated or not after the cursor",
    )?;
    expect_true(
        rest.is_sorted_by_key(|user| user.username.key()),
        "the list is not sorted by the folded username",
    )?;
    expect_true(
        rest.iter().any(|user| user.username.key() == format!("{}b", data.tag)),
        "the next user is missing",
    )
}

async fn names(users: &Subject, data: &CaseData, search: &str) -> StoreResult<String> {
    let found = users.list(Some(search), None, 100).await?;
    let own =
        found.iter().filter_map(|user| user.username.as_str().strip_prefix(&data.tag).map(str::to_owned));
    Ok(own.collect::<Vec<_>>().join(" "))
}

async fn search_matches_prefixes_of_the_username_or_of_a_word(users: Subject, data: CaseData) -> Outcome {
    let word = |text: &str| format!("{text}{}", data.tag);
    users.insert(&data.user("ada", &format!("Countess {}", word("Işıl")))).await?;
    users.insert(&data.user("bob", &format!("{} Çelik", word("Şükrü")))).await?;
    for (search, expected) in [
        (format!("{}a", data.tag), "ada"),
        (data.tag.clone(), "ada bob"),
        (word("isil"), "ada"),
        (word("sukru"), "bob"),
        (word("ukru"), ""),
        (data.tag[1..].to_owned(), ""),
        (word("absent"), ""),
    ] {
        expect_eq(
            (search.as_str(), names(&users, &data, &search).await?.as_str()),
            (search.as_str(), expected),
        )?;
    }
    Ok(())
}

async fn search_takes_every_character_literally(users: Subject, data: CaseData) -> Outcome {
    for name in ["_x", "-x", ".x"] {
        users.insert(&data.user(name, "Someone Else")).await?;
    }
    for (tail, expected) in
        [("_", "_x"), (".", ".x"), ("-", "-x"), ("%", ""), ("*", ""), (".*", ""), ("[", "")]
    {
        let search = format!("{}{tail}", data.tag);
        expect_eq((tail, names(&users, &data, &search).await?.as_str()), (tail, expected))?;
    }
    for hostile in ["\\", "(", "$", "^", "'", "\"", "\u{10ffff}", ""] {
        users.list(Some(hostile), None, 1).await?;
    }
    Ok(())
}

async fn search_finds_a_changed_name(users: Subject, data: CaseData) -> Outcome {
    let (old, new) = (format!("old{}", data.tag), format!("new{}", data.tag));
    let ada = data.user("ada", &old);
    users.insert(&ada).await?;
    let change = UserChange { display_name: Some(new.clone()), ..UserChange::default() };
    users.update(&ada.id, &change).await?;
    expect_eq(names(&users, &data, &old).await?.as_str(), "")?;
    expect_eq(names(&users, &data, &new).await?.as_str(), "ada")
}

async fn active_user_pages_are_sorted_by_id_and_start_after_the_cursor(
    users: Subject,
    data: CaseData,
) -> Outcome {
    let mut expected = Vec::new();
    for n in 0..5 {
        let user = User { last_seen_at: data.after(n), ..data.user(&format!("a{n}"), "Active") };
        users.insert(&user).await?;
        expected.push(user.id);
    }
    let long_ago = User { last_seen_at: data.before(1), ..data.user("ago", "Long ago") };
    let gone = User { deactivated_at: Some(data.now), ..data.user("gone", "Gone") };
    users.insert(&long_ago).await?;
    users.insert(&gone).await?;
    let excluded = [long_ago.id, gone.id];
    let (mut own, mut after) = (Vec::new(), None);
    loop {
        let page = users.active(data.now, after.as_ref(), 2).await?;
        expect_true(page.len() <= 2 && page.is_sorted(), "the page is longer than its limit or not sorted")?;
        expect_true(
            page.iter().all(|id| Some(id) > after.as_ref() && !excluded.contains(id)),
            "the page contains an excluded user or one before the cursor",
        )?;
        let Some(last) = page.last() else { break };
        after = Some(last.clone());
        own.extend(page.into_iter().filter(|id| expected.contains(id)));
    }
    expect_eq(own, sorted(expected))
}
