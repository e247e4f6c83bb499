//! Jobs that fail: hopeless ones are dead-lettered, others are retried with growing delays, and a store that is
//! down fails the whole batch.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use expect_test::expect;
use shared::auto_message::{AutoMessage, SENDING_QUEUE};
use shared::error::Error;
use shared::id::{AutoMessageId, UserId};
use shared::lambda::queue::Delivery;
use shared::ports::{AutoMessages as _, Users as _};
use shared::user::User;
use test_support::auto_messages::{NIGHT, job_delivery, time, user_seen_at};
use test_support::events;
use test_support::faulty_store::{CallFailure, FaultyStore};

use crate::scenario::{JobScenario, Outcome};

/// A delivery with any body.
fn raw(id: &str, body: &str) -> Delivery {
    events::delivery(SENDING_QUEUE, Some(id), body.as_bytes())
}

/// The job of a new planned row between two users.
async fn planned(scenario: &JobScenario, name: &str, from: &UserId, to: &UserId, content: &str) -> Delivery {
    let row = AutoMessage {
        id: AutoMessageId::trusted(name),
        sender_id: from.clone(),
        receiver_id: to.clone(),
        content: content.to_owned(),
        planned_for: format!("day of {name}"),
        ..scenario.row.clone()
    };
    assert_eq!(scenario.store.plan(std::slice::from_ref(&row)).await.unwrap(), 1);
    job_delivery(&row)
}

/// A deactivated user.
async fn deactivated(scenario: &JobScenario, name: &str) -> UserId {
    let user = User { deactivated_at: Some(time(NIGHT)), ..user_seen_at(name, time(NIGHT)) };
    scenario.store.insert(&user).await.unwrap();
    user.id
}

#[tokio::test]
async fn hopeless_jobs_are_dead_lettered_with_their_reason_and_others_still_run() {
    let scenario = JobScenario::new().await;
    let (sender, receiver) = (&scenario.sender, &scenario.receiver);
    let (left, unknown) = (deactivated(&scenario, "left").await, UserId::trusted("unknown"));
    let long = "x".repeat(4_001);
    let jobs = vec![
        raw("no-json", "{"),
        raw("no-text", "\u{0}"),
        raw("empty", ""),
        raw("another-shape", r#"{"autoMessageId":7}"#),
        raw("a-list", "[]"),
        raw("unplanned", r#"{"autoMessageId":"never","senderId":"a","receiverId":"b","content":"c"}"#),
        planned(&scenario, "receiver-left", sender, &left, "hello").await,
        planned(&scenario, "receiver-unknown", sender, &unknown, "hello").await,
        planned(&scenario, "sender-left", &left, receiver, "hello").await,
        planned(&scenario, "sender-unknown", &unknown, receiver, "hello").await,
        planned(&scenario, "to-oneself", sender, sender, "hello").await,
        planned(&scenario, "without-content", sender, receiver, " ").await,
        planned(&scenario, "content-too-long", sender, receiver, &long).await,
        job_delivery(&scenario.row),
    ];
    scenario.consume(jobs).await.unwrap();
    assert_eq!(scenario.outcome().await, Outcome::DELIVERED, "the one good job");
    let mut dead = scenario.dead_letters().await;
    dead.sort();
    let lines: Vec<String> = dead.iter().map(|(id, attempt, why)| format!("{id} {attempt}: {why}")).collect();
    expect![[r#"
        a-list 1: the body is not valid JSON
        another-shape 1: the body is not valid JSON
        content-too-long 1: content must be at most 4000 characters
        empty 1: the body is not valid JSON
        no-json 1: the body is not valid JSON
        no-text 1: the body is not valid JSON
        receiver-left 1: receiverId is not a user
        receiver-unknown 1: receiverId is not a user
        sender-left 1: senderId is not a user
        sender-unknown 1: senderId is not a user
        to-oneself 1: receiverId must be another user, not yourself
        unplanned 1: the automatic message was not found
        without-content 1: content must not be empty
    "#]]
    .assert_eq(&(lines.join("\n") + "\n"));
    assert_eq!(scenario.retrying().await, 0);
}

#[tokio::test]
async fn dead_letter_keeps_its_body_and_can_be_replayed() {
    let scenario = JobScenario::new().await;
    let mut job = raw("no-json", "{ as it was");
    job.message_id = None;
    scenario.consume(vec![job]).await.unwrap();
    let dead = scenario.store.dead_letters(SENDING_QUEUE, 10).await.unwrap();
    assert_eq!((dead[0].message.body.as_slice(), dead[0].message.id.as_str()), (&b"{ as it was"[..], ""));
    assert_eq!(scenario.store.replay_dead(SENDING_QUEUE).await.unwrap(), 1);
    assert_eq!(scenario.dead_letters().await, []);
    let replayed = scenario.store.receive(SENDING_QUEUE, 10).await.unwrap();
    assert_eq!((replayed.len(), replayed[0].message.attempt), (1, 0));
}

#[tokio::test]
async fn failed_job_is_retried_and_its_fifth_failure_is_the_last() {
    for (attempt, retried_as) in
        [(0, Some(1)), (1, Some(2)), (2, Some(3)), (3, Some(4)), (4, None), (9, None)]
    {
        let scenario = JobScenario::new().await;
        let store = FaultyStore::new(&scenario.store).failing("append", 1, CallFailure::Corrupt);
        let job = Delivery { attempt, ..job_delivery(&scenario.row) };
        scenario.consume_over(&store, vec![job]).await.unwrap();
        assert_eq!(scenario.outcome().await, Outcome::NOTHING, "attempt {attempt}");
        let dead = scenario.dead_letters().await;
        match retried_as {
            Some(next) => {
                assert_eq!((scenario.retrying().await, dead), (1, vec![]), "attempt {attempt}");
                assert_eq!(attempt_of_retried_job(&scenario).await, next);
            }
            None => {
                let found: Vec<(&str, u32)> = dead.iter().map(|(id, n, _)| (id.as_str(), *n)).collect();
                assert_eq!(found, [(scenario.row.id.as_str(), attempt + 1)], "{dead:?}");
                assert_eq!(scenario.retrying().await, 0, "attempt {attempt}");
            }
        }
    }
}

/// The attempt of the job in the retry queue, received by a clock that is far ahead.
async fn attempt_of_retried_job(scenario: &JobScenario) -> u32 {
    let ahead = scenario.store.clone().with_clock(|| time("2999-01-01T00:00:00Z"));
    let retried = ahead.receive(SENDING_QUEUE, 10).await.unwrap();
    assert_eq!((retried.len(), retried[0].message.id.as_str()), (1, scenario.row.id.as_str()));
    retried[0].message.attempt
}

#[tokio::test]
async fn retry_delays_are_10_s_30_s_2_min_and_10_min() {
    let scenario = JobScenario::new().await;
    let clock = Arc::new(Mutex::new(time(NIGHT)));
    let queue_clock = Arc::clone(&clock);
    let queue = scenario.store.clone().with_clock(move || *queue_clock.lock().unwrap());
    let store = FaultyStore::new(&queue).failing("append", u32::MAX, CallFailure::Corrupt);
    let mut job = job_delivery(&scenario.row);
    let mut delays = Vec::new();
    loop {
        scenario.consume_over(&store, vec![job.clone()]).await.unwrap();
        if !scenario.dead_letters().await.is_empty() {
            break;
        }
        let failed_at = *clock.lock().unwrap();
        let retried = loop {
            let now = *clock.lock().unwrap() + Duration::from_secs(1);
            *clock.lock().unwrap() = now;
            if let Some(retried) = queue.receive(SENDING_QUEUE, 1).await.unwrap().pop() {
                break retried;
            }
        };
        queue.ack(&[retried.tag]).await.unwrap();
        delays.push((clock.lock().unwrap().millis() - failed_at.millis()) / 1_000);
        job.attempt = retried.message.attempt;
    }
    assert_eq!(delays, [10, 30, 120, 600]);
}

#[tokio::test]
async fn job_that_failed_twice_succeeds_at_the_third_attempt() {
    let scenario = JobScenario::new().await;
    let store = FaultyStore::new(&scenario.store).failing("append", 2, CallFailure::Corrupt);
    for attempt in 0..3 {
        let job = Delivery { attempt, ..job_delivery(&scenario.row) };
        scenario.consume_over(&store, vec![job]).await.unwrap();
    }
    assert_eq!(scenario.outcome().await, Outcome::DELIVERED);
}

/// The whole batch is delivered again, so a job that was retried or dead-lettered already would run twice.
#[tokio::test]
async fn unreachable_store_fails_the_batch_and_retries_and_dead_letters_nothing() {
    for call in ["get", "append", "of_users", "mark_sent"] {
        let scenario = JobScenario::new().await;
        let store = FaultyStore::new(&scenario.store).failing(call, u32::MAX, CallFailure::Unreachable);
        let jobs = vec![raw("hopeless", "{"), job_delivery(&scenario.row)];
        let failed = scenario.consume_over(&store, jobs.clone()).await.unwrap_err();
        assert!(matches!(failed, Error::Unavailable(_)), "{call}: {failed:?}");
        assert_eq!((scenario.retrying().await, scenario.dead_letters().await), (0, vec![]), "{call}");
        scenario.consume(jobs).await.unwrap();
        let Outcome { stored, is_sent, .. } = scenario.outcome().await;
        assert_eq!((stored, is_sent, scenario.dead_letters().await.len()), (1, true, 1), "{call}");
    }
}

#[tokio::test]
async fn unreachable_broker_fails_the_batch_and_the_repeat_settles_its_job_once() {
    for (call, failing_appends, settled) in [("dead_letter", 0, (0, 1)), ("retry_later", 2, (1, 0))] {
        let scenario = JobScenario::new().await;
        let store = FaultyStore::new(&scenario.store).failing(call, 1, CallFailure::Unreachable).failing(
            "append",
            failing_appends,
            CallFailure::Corrupt,
        );
        let job = if call == "dead_letter" { raw("hopeless", "{") } else { job_delivery(&scenario.row) };
        let failed = scenario.consume_over(&store, vec![job.clone()]).await.unwrap_err();
        assert!(matches!(failed, Error::Unavailable(_)), "{call}: {failed:?}");
        scenario.consume_over(&store, vec![job]).await.unwrap();
        let found = (scenario.retrying().await, scenario.dead_letters().await.len());
        assert_eq!(found, settled, "{call}");
    }
}
