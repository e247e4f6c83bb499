//! `Users`.

use std::sync::Arc;

use super::{Case, Outcome, World, at_once, cases, same, some, sorted, yes};
use crate::error::StoreError;
use crate::ports::{StoreResult, Users};
use crate::user::{Email, Login, PasswordHash, User, UserChange, Username};

type Subject = Arc<dyn Users>;

/// Every case of [`Users`].
pub fn users() -> Vec<Case<Subject>> {
    cases![
        an_inserted_user_comes_back_whole,
        a_taken_username_is_named_whatever_its_case,
        a_taken_email_is_named_whatever_its_case,
        a_refused_insert_leaves_nothing_behind,
        of_twenty_that_want_one_username_one_gets_it,
        by_ids_leaves_out_strangers,
        a_login_is_an_email_or_a_username_but_not_the_other,
        an_update_changes_what_is_some,
        an_update_of_nobody_gives_nothing,
        an_update_to_a_taken_name_changes_nothing,
        ones_own_name_may_be_written_otherwise,
        seen_moves_forward_and_never_back,
        the_list_is_sorted_and_pages_are_strict,
        a_search_is_a_prefix_of_the_username_or_of_a_word,
        a_search_takes_every_character_literally,
        a_search_sees_a_changed_name,
        active_users_come_by_id_in_strict_pages,
    ]
}

async fn found(users: &Subject, user: &User) -> StoreResult<Option<User>> {
    Ok(users.by_ids(std::slice::from_ref(&user.id)).await?.pop())
}

#[expect(clippy::needless_pass_by_value, reason = "answers come straight from the port")]
fn taken<T>(answer: Result<T, StoreError>) -> Option<&'static str> {
    match answer {
        Err(StoreError::Taken(field)) => Some(field),
        _ => None,
    }
}

async fn an_inserted_user_comes_back_whole(users: Subject, world: World) -> Outcome {
    let plain = world.user("Ada", "Ada İpek Şahin 👋");
    let gone = User { deactivated_at: Some(world.now), ..world.user("gone", "'; DROP TABLE users; --") };
    users.insert(&plain).await?;
    users.insert(&gone).await?;
    same(found(&users, &plain).await?, Some(plain))?;
    same(found(&users, &gone).await?, Some(gone))
}

async fn a_taken_username_is_named_whatever_its_case(users: Subject, world: World) -> Outcome {
    users.insert(&world.user("ada", "Ada")).await?;
    let other = User { email: Email::trusted(format!("x@{}.org", world.tag)), ..world.user("ADA", "Ada") };
    same(taken(users.insert(&other).await), Some("username"))
}

async fn a_taken_email_is_named_whatever_its_case(users: Subject, world: World) -> Outcome {
    let first = world.user("ada", "Ada");
    users.insert(&first).await?;
    let email = Email::trusted(first.email.as_str().to_uppercase());
    same(taken(users.insert(&User { email, ..world.user("bob", "Bob") }).await), Some("email"))
}

async fn a_refused_insert_leaves_nothing_behind(users: Subject, world: World) -> Outcome {
    let first = world.user("ada", "Ada");
    users.insert(&first).await?;
    let refused = User { email: first.email.clone(), ..world.user("bob", "Bob") };
    same(taken(users.insert(&refused).await), Some("email"))?;
    same(found(&users, &refused).await?, None)?;
    same(users.by_login(&Login::Username(refused.username.key())).await?, None)?;
    users.insert(&world.user("bob", "Bob")).await?;
    same(found(&users, &first).await?, Some(first))
}

async fn of_twenty_that_want_one_username_one_gets_it(users: Subject, world: World) -> Outcome {
    let answers = at_once(20, |n| {
        let users = Arc::clone(&users);
        let email = Email::trusted(format!("{n}@{}.net", world.tag));
        let user = User { email, ..world.user("ada", "Ada") };
        async move { Ok(users.insert(&user).await) }
    })
    .await?;
    same(answers.iter().filter(|answer| answer.is_ok()).count(), 1)?;
    same(answers.into_iter().filter_map(taken).filter(|field| *field == "username").count(), 19)
}

async fn by_ids_leaves_out_strangers(users: Subject, world: World) -> Outcome {
    let (ada, bob) = (world.user("ada", "Ada"), world.user("bob", "Bob"));
    users.insert(&ada).await?;
    users.insert(&bob).await?;
    same(users.by_ids(&[]).await?.len(), 0)?;
    same(users.by_ids(&[world.user_id()]).await?.len(), 0)?;
    let ids = [bob.id.clone(), world.user_id(), ada.id.clone(), bob.id.clone()];
    let found = users.by_ids(&ids).await?;
    same(sorted(found.into_iter().map(|user| user.id)), sorted([ada.id, bob.id]))
}

async fn a_login_is_an_email_or_a_username_but_not_the_other(users: Subject, world: World) -> Outcome {
    let ada = world.user("Ada", "Ada");
    users.insert(&ada).await?;
    same(users.by_login(&Login::Username(ada.username.key())).await?, Some(ada.clone()))?;
    same(users.by_login(&Login::Email(ada.email.key())).await?, Some(ada.clone()))?;
    same(users.by_login(&Login::Username(ada.email.key())).await?, None)?;
    same(users.by_login(&Login::Email(ada.username.key())).await?, None)?;
    same(users.by_login(&Login::Username(world.tag.clone())).await?, None)
}

async fn an_update_changes_what_is_some(users: Subject, world: World) -> Outcome {
    let ada = world.user("ada", "Ada");
    users.insert(&ada).await?;
    let name = UserChange { display_name: Some("Countess".to_owned()), ..UserChange::default() };
    let after = User { display_name: "Countess".to_owned(), ..ada.clone() };
    same(users.update(&ada.id, &name).await?, Some(after.clone()))?;
    let all = UserChange {
        username: Some(Username::trusted(format!("{}Lady", world.tag))),
        email: Some(Email::trusted(format!("Lady@{}.org", world.tag))),
        display_name: None,
        password_hash: Some(PasswordHash("$argon2id$new".to_owned())),
    };
    let last = some(users.update(&ada.id, &all).await?)?;
    same(Some(&last.username), all.username.as_ref())?;
    same(Some(&last.email), all.email.as_ref())?;
    same(last.display_name.as_str(), "Countess")?;
    same(Some(&last.password_hash), all.password_hash.as_ref())?;
    same(users.by_login(&Login::Username(ada.username.key())).await?, None)?;
    same(users.by_login(&Login::Email(last.email.key())).await?, Some(last.clone()))?;
    same(users.update(&ada.id, &UserChange::default()).await?, Some(last))
}

async fn an_update_of_nobody_gives_nothing(users: Subject, world: World) -> Outcome {
    let change = UserChange { display_name: Some("Ada".to_owned()), ..UserChange::default() };
    same(users.update(&world.user_id(), &change).await?, None)
}

async fn an_update_to_a_taken_name_changes_nothing(users: Subject, world: World) -> Outcome {
    let (ada, bob) = (world.user("ada", "Ada"), world.user("bob", "Bob"));
    users.insert(&ada).await?;
    users.insert(&bob).await?;
    let username = Some(Username::trusted(ada.username.as_str().to_uppercase()));
    let name = UserChange { username, display_name: Some("X".to_owned()), ..UserChange::default() };
    same(taken(users.update(&bob.id, &name).await), Some("username"))?;
    let email = UserChange { email: Some(ada.email.clone()), ..UserChange::default() };
    same(taken(users.update(&bob.id, &email).await), Some("email"))?;
    same(found(&users, &bob).await?, Some(bob))
}

async fn ones_own_name_may_be_written_otherwise(users: Subject, world: World) -> Outcome {
    let ada = world.user("ada", "Ada");
    users.insert(&ada).await?;
    let username = Username::trusted(ada.username.as_str().to_uppercase());
    let change = UserChange { username: Some(username.clone()), ..UserChange::default() };
    same(some(users.update(&ada.id, &change).await?)?.username, username)
}

async fn seen_moves_forward_and_never_back(users: Subject, world: World) -> Outcome {
    let ada = world.user("ada", "Ada");
    users.insert(&ada).await?;
    users.mark_seen(&ada.id, world.before(10)).await?;
    same(some(found(&users, &ada).await?)?.last_seen_at, world.now)?;
    at_once(20, |n| {
        let (users, id, at) = (Arc::clone(&users), ada.id.clone(), world.after(20 - n as u64));
        async move { users.mark_seen(&id, at).await }
    })
    .await?;
    same(some(found(&users, &ada).await?)?.last_seen_at, world.after(20))?;
    users.mark_seen(&world.user_id(), world.now).await?;
    Ok(())
}

async fn the_list_is_sorted_and_pages_are_strict(users: Subject, world: World) -> Outcome {
    for name in ["d", "B", "a", "C", "e"] {
        users.insert(&world.user(name, "Somebody")).await?;
    }
    users.insert(&User { deactivated_at: Some(world.now), ..world.user("bb", "Gone") }).await?;
    let mut seen = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = users.list(Some(&world.tag), after.as_deref(), 2).await?;
        yes(page.len() <= 2, "a page keeps its limit")?;
        let Some(last) = page.last() else { break };
        after = Some(last.username.key());
        seen.extend(page.into_iter().map(|user| user.username.key().replace(&world.tag, "")));
        yes(seen.len() <= 5, "pages come to an end")?;
    }
    same(seen.join(""), "abcde".to_owned())?;
    // Without a search the same people come, among others.
    let first = format!("{}a", world.tag);
    let rest = users.list(None, Some(&first), 100).await?;
    yes(rest.iter().all(|user| user.username.key() > first && user.deactivated_at.is_none()), "after a")?;
    yes(rest.is_sorted_by_key(|user| user.username.key()), "sorted by the folded username")?;
    yes(rest.iter().any(|user| user.username.key() == format!("{}b", world.tag)), "the next one is there")
}

async fn names(users: &Subject, world: &World, search: &str) -> StoreResult<String> {
    let found = users.list(Some(search), None, 100).await?;
    let own =
        found.iter().filter_map(|user| user.username.as_str().strip_prefix(&world.tag).map(str::to_owned));
    Ok(own.collect::<Vec<_>>().join(" "))
}

async fn a_search_is_a_prefix_of_the_username_or_of_a_word(users: Subject, world: World) -> Outcome {
    let word = |text: &str| format!("{text}{}", world.tag);
    users.insert(&world.user("ada", &format!("Countess {}", word("Işıl")))).await?;
    users.insert(&world.user("bob", &format!("{} Çelik", word("Şükrü")))).await?;
    for (search, expected) in [
        (format!("{}a", world.tag), "ada"),
        (world.tag.clone(), "ada bob"),
        (word("isil"), "ada"),
        (word("sukru"), "bob"),
        (word("ukru"), ""),
        (world.tag[1..].to_owned(), ""),
        (word("nobody"), ""),
    ] {
        same((search.as_str(), names(&users, &world, &search).await?.as_str()), (search.as_str(), expected))?;
    }
    Ok(())
}

async fn a_search_takes_every_character_literally(users: Subject, world: World) -> Outcome {
    for name in ["_x", "-x", ".x"] {
        users.insert(&world.user(name, "Somebody")).await?;
    }
    for (tail, expected) in
        [("_", "_x"), (".", ".x"), ("-", "-x"), ("%", ""), ("*", ""), (".*", ""), ("[", "")]
    {
        let search = format!("{}{tail}", world.tag);
        same((tail, names(&users, &world, &search).await?.as_str()), (tail, expected))?;
    }
    for hostile in ["\\", "(", "$", "^", "'", "\"", "\u{10ffff}", ""] {
        users.list(Some(hostile), None, 1).await?;
    }
    Ok(())
}

async fn a_search_sees_a_changed_name(users: Subject, world: World) -> Outcome {
    let (old, new) = (format!("old{}", world.tag), format!("new{}", world.tag));
    let ada = world.user("ada", &old);
    users.insert(&ada).await?;
    let change = UserChange { display_name: Some(new.clone()), ..UserChange::default() };
    users.update(&ada.id, &change).await?;
    same(names(&users, &world, &old).await?.as_str(), "")?;
    same(names(&users, &world, &new).await?.as_str(), "ada")
}

async fn active_users_come_by_id_in_strict_pages(users: Subject, world: World) -> Outcome {
    let mut expected = Vec::new();
    for n in 0..5 {
        let user = User { last_seen_at: world.after(n), ..world.user(&format!("a{n}"), "Active") };
        users.insert(&user).await?;
        expected.push(user.id);
    }
    let long_ago = User { last_seen_at: world.before(1), ..world.user("ago", "Long ago") };
    let gone = User { deactivated_at: Some(world.now), ..world.user("gone", "Gone") };
    users.insert(&long_ago).await?;
    users.insert(&gone).await?;
    let strangers = [long_ago.id, gone.id];
    let (mut own, mut after) = (Vec::new(), None);
    loop {
        let page = users.active(world.now, after.as_ref(), 2).await?;
        yes(page.len() <= 2 && page.is_sorted(), "a page keeps its limit and order")?;
        yes(page.iter().all(|id| Some(id) > after.as_ref() && !strangers.contains(id)), "strictly after")?;
        let Some(last) = page.last() else { break };
        after = Some(last.clone());
        own.extend(page.into_iter().filter(|id| expected.contains(id)));
    }
    same(own, sorted(expected))
}
