//! Users and presence: the list with its search and cursor, online users, and hidden e-mails.

use serde_json::{Value, json};
use test_support::person::{Person, texts};
use test_support::unique_name;

use crate::server::{own_server, shared_server};

/// The usernames on each page of the list.
fn pages(reader: &Person, query: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut cursor = String::new();
    loop {
        let data = reader.get(&format!("/api/user/list?{query}{cursor}")).data(200);
        pages.push(texts(&data["users"], "username"));
        match data["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return pages,
        }
    }
}

#[test]
fn list_pages_contain_each_match_once() {
    let server = shared_server();
    let family = unique_name();
    let people: Vec<Person> = (0..7).map(|n| server.person_named(&format!("{family}-{n}"))).collect();
    let all: Vec<String> = people.iter().map(|person| person.username.clone()).collect();
    for (limit, sizes) in [(1, vec![1; 7]), (3, vec![3, 3, 1]), (7, vec![7]), (100, vec![7])] {
        let pages = pages(&people[0], &format!("search={family}&limit={limit}"));
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), sizes, "limit {limit}");
        assert_eq!(pages.concat(), all, "limit {limit}");
    }
    assert_eq!(pages(&people[0], &format!("search={}", family.to_uppercase())).concat(), all);
    assert_eq!(pages(&people[0], &format!("search={family}-3")).concat(), [all[3].clone()]);
    assert_eq!(pages(&people[0], &format!("search=%20{family}-3%20")).concat(), [all[3].clone()]);
    assert!(pages(&people[0], &format!("search={family}-9")).concat().is_empty());
}

#[test]
fn search_matches_display_name_words_without_accents() {
    let server = shared_server();
    let ada = server.person();
    let (first, last) = (unique_name(), unique_name());
    let name = format!("Şükrü{first} İpek{last}");
    ada.put("/api/user/profile", &json!({ "displayName": name })).data(200);
    for search in [format!("%C5%9F%C3%BCkr%C3%BC{first}"), format!("sukru{first}"), format!("IPEK{last}")] {
        let found = pages(&ada, &format!("search={search}")).concat();
        assert_eq!(found, [ada.username.as_str()], "{search}");
    }
    for search in [format!("kru{first}"), "%25".to_owned(), "_".repeat(20), ".*".to_owned()] {
        let found = pages(&ada, &format!("search={search}&limit=100")).concat();
        assert!(!found.contains(&ada.username), "{search} is not a prefix of a word");
    }
}

#[test]
fn email_and_hash_are_hidden_from_other_users() {
    let server = shared_server();
    let (ada, bob, conversation) = server.pair();
    ada.send(&conversation, "hello");
    for path in [
        format!("/api/user/list?search={}", bob.username),
        format!("/api/user/online/{}", bob.id),
        format!("/api/conversations/{conversation}"),
        "/api/conversations".to_owned(),
    ] {
        let text = ada.get(&path).send().text();
        assert!(text.contains(&bob.id), "{path}: {text}");
        for secret in [&bob.email, "argon2", "password", "email"] {
            assert!(!text.contains(secret), "{path} shows {secret}: {text}");
        }
    }
    let user = ada.get(&format!("/api/user/list?search={}", bob.username)).data(200)["users"][0].take();
    let mut keys: Vec<&String> = user.as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(keys, ["createdAt", "displayName", "id", "lastSeenAt", "online", "username"]);
    assert_eq!(user["online"], false);
}

#[test]
fn invalid_query_parameters_are_reported() {
    let ada = shared_server().person();
    let long = "x".repeat(101);
    for (query, field) in [
        ("limit=0".to_owned(), "limit"),
        ("limit=101".to_owned(), "limit"),
        ("limit=-1".to_owned(), "limit"),
        ("limit=ten".to_owned(), "limit"),
        ("limit=1.5".to_owned(), "limit"),
        ("limit=".to_owned(), "limit"),
        ("limit=99999999999999999999".to_owned(), "limit"),
        (format!("search={long}"), "search"),
        (format!("cursor={long}"), "cursor"),
    ] {
        let answer = ada.get(&format!("/api/user/list?{query}")).fails(422, "VALIDATION_FAILED");
        assert_eq!(answer.fields(), [field], "{query}");
    }
}

#[test]
fn three_routes_return_presence() {
    let server = own_server(&[]);
    let (ada, bob) = (server.person(), server.person());
    assert_eq!(ada.get("/api/user/online").data(200), json!({ "count": 0, "userIds": [] }));
    assert_eq!(ada.get("/api/user/online/count").data(200), json!({ "count": 0 }));
    let bobs: Value = ada.get(&format!("/api/user/online/{}", bob.id)).data(200);
    let seen = &bob.me()["lastSeenAt"];
    assert_eq!(bobs, json!({ "userId": bob.id, "online": false, "lastSeenAt": seen }));
    for unknown in ["no-such-user", "%24gt", &"x".repeat(500)] {
        ada.get(&format!("/api/user/online/{unknown}")).fails(404, "NOT_FOUND");
    }
}
