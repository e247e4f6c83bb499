//! Every function by its handle and through its door: the same answer, the same refusals, and 503 when a
//! store is out of reach.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;
use shared::auth::Rates;
use shared::lambda::invoke;
use test_support::repository;

use super::bench::{Bench, CAUSE, entry, through_the_door};
use super::rows::rows;
use super::scene::Scene;

/// What the tests of sockets, schedules and queues hold instead.
const ELSEWHERE: [&str; 3] = ["ws-", "auto-message-", "message-index"];

#[test]
fn every_function_has_a_row() {
    let entries = std::fs::read_dir(repository().join("functions")).unwrap();
    let folders: BTreeSet<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|folder| !ELSEWHERE.iter().any(|start| folder.starts_with(start)))
        .collect();
    let tested: BTreeSet<String> = rows().iter().map(|row| row.function.to_owned()).collect();
    assert_eq!(folders, tested);
}

/// Texts are as long as they will; what they are made of is random or a time.
fn shape(value: &Value) -> Value {
    match value {
        Value::String(_) => Value::from("text"),
        Value::Array(list) => list.iter().map(shape).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), shape(value))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handle_and_its_door_answer_alike_and_repeatably() {
    for row in rows() {
        let mut direct = Vec::new();
        for _ in 0..2 {
            let bench = Bench::new();
            let scene = Scene::of(&bench).await;
            let request = bench.request(&(row.ask)(&scene));
            let reply = (row.handle)(&bench, request).await;
            let reply = reply.unwrap_or_else(|error| panic!("{}: {error:?}", row.function));
            assert_eq!(reply.status(), row.status, "{}", row.function);
            let (place, expected) = (row.told)(&scene);
            assert_eq!(reply.data().pointer(place), Some(&expected), "{}: {}", row.function, reply.data());
            direct.push(reply.data().clone());
        }
        assert_eq!(
            direct[0], direct[1],
            "{}: the same instant and randomness, the same answer",
            row.function
        );
        let bench = Arc::new(Bench::new());
        let scene = Scene::of(&bench).await;
        let request = bench.request(&(row.ask)(&scene));
        let answer = through_the_door(&bench, row.handle, &request).await;
        assert_eq!(answer.status, u64::from(row.status), "{}: {}", row.function, answer.body);
        assert_eq!(answer.body["success"], true);
        assert_eq!(answer.headers["x-request-id"], "a-request", "{}", row.function);
        let (place, expected) = (row.told)(&scene);
        assert_eq!(answer.body["data"].pointer(place), Some(&expected), "{}", row.function);
        assert_eq!(shape(&answer.body["data"]), shape(&direct[0]), "{}", row.function);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_needs_a_caller_refuses_nobody_and_the_dead() {
    let bench = Arc::new(Bench::new());
    let scene = Scene::of(&bench).await;
    let mut gated = 0;
    for row in rows() {
        let mut ask = (row.ask)(&scene);
        if ask.token.take().is_none() {
            continue;
        }
        gated += 1;
        let answer = through_the_door(&bench, row.handle, &bench.request(&ask)).await;
        assert_eq!(
            (answer.status, &answer.body["error"]["code"]),
            (401, &"UNAUTHENTICATED".into()),
            "{}",
            row.function
        );
        ask.token = Some(format!("{}x", scene.ada.token));
        let answer = through_the_door(&bench, row.handle, &bench.request(&ask)).await;
        assert_eq!(answer.status, 401, "{}", row.function);
        assert_eq!(answer.headers["www-authenticate"], "Bearer", "{}", row.function);
    }
    assert_eq!(gated, rows().len() - 4, "only register, login, refresh and health are open");
}

/// The same request may be sent again; who asked learns nothing of the cause.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_out_of_reach_is_503_and_its_cause_stays_inside() {
    for row in rows() {
        let mut bench = Bench::new();
        let scene = Scene::of(&bench).await;
        (bench.cut, bench.rates) = (true, Rates::scaled(1.0));
        let request = bench.request(&(row.ask)(&scene));
        let bench = Arc::new(bench);
        let answer = through_the_door(&bench, row.handle, &request).await;
        if row.function == "health" {
            assert_eq!(answer.status, 200, "the report itself needs no limits");
            continue;
        }
        assert_eq!(
            (answer.status, &answer.body["error"]["code"]),
            (503, &"UNAVAILABLE".into()),
            "{}",
            row.function
        );
        let all = format!("{}{}", answer.body, answer.headers);
        assert!(
            !all.contains(CAUSE) && !all.contains("redis") && !all.contains("10.1."),
            "{}: {all}",
            row.function
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_event_of_theirs_fails_the_invocation() {
    let bench = Arc::new(Bench::new());
    for row in rows() {
        for event in ["{}", "[]", "null", "{\"version\":\"2.0\"}", "{\"Records\":[]}", "no JSON"] {
            let failed = invoke(&entry(&bench, row.handle), "i".to_owned(), u64::MAX, event.as_bytes()).await;
            let failed = failed.expect_err(row.function);
            assert_eq!(failed.error_type, "InvalidEvent", "{}: {event}", row.function);
        }
    }
}
