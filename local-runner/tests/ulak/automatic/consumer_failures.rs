//! The consumer's failures: what is hopeless rests and blocks nobody, what may pass waits longer each time, and
//! a store that is down fails the batch.

use expect_test::expect;
use shared::auto_message::{AutoMessage, SENDING_QUEUE};
use shared::error::Error;
use shared::id::{AutoMessageId, UserId};
use shared::lambda::queue::Delivery;
use shared::ports::{AutoMessages as _, Users as _};
use shared::user::User;

use super::consumer::Scene;
use super::faults::{Fault, Faulty};
use super::scene::{NIGHT, at, delivery, user};

/// A job that can never succeed.
fn raw(id: &str, body: &str) -> Delivery {
    Delivery {
        queue: SENDING_QUEUE.to_owned(),
        message_id: Some(id.to_owned()),
        body: body.as_bytes().to_vec(),
        attempt: 0,
        redelivered: false,
    }
}

/// A planned row between these two.
async fn planned(scene: &Scene, name: &str, from: &UserId, to: &UserId, content: &str) -> Delivery {
    let row = AutoMessage {
        id: AutoMessageId::trusted(name),
        sender_id: from.clone(),
        receiver_id: to.clone(),
        content: content.to_owned(),
        planned_for: format!("day of {name}"),
        ..scene.row.clone()
    };
    assert_eq!(scene.store.plan(std::slice::from_ref(&row)).await.unwrap(), 1);
    delivery(&row)
}

async fn gone(scene: &Scene, name: &str) -> UserId {
    let gone = User { deactivated_at: Some(at(NIGHT)), ..user(name, at(NIGHT)) };
    scene.store.insert(&gone).await.unwrap();
    gone.id
}

#[tokio::test]
async fn poison_rests_with_its_reason_and_blocks_nobody() {
    let scene = Scene::new().await;
    let (sender, receiver) = (&scene.sender, &scene.receiver);
    let (left, nobody) = (gone(&scene, "left").await, UserId::trusted("nobody"));
    let long = "x".repeat(4_001);
    let jobs = vec![
        raw("no-json", "{"),
        raw("no-text", "\u{0}"),
        raw("empty", ""),
        raw("another-shape", r#"{"autoMessageId":7}"#),
        raw("a-list", "[]"),
        raw("unplanned", r#"{"autoMessageId":"never","senderId":"a","receiverId":"b","content":"c"}"#),
        planned(&scene, "receiver-left", sender, &left, "hello").await,
        planned(&scene, "receiver-unknown", sender, &nobody, "hello").await,
        planned(&scene, "sender-left", &left, receiver, "hello").await,
        planned(&scene, "sender-unknown", &nobody, receiver, "hello").await,
        planned(&scene, "to-oneself", sender, sender, "hello").await,
        planned(&scene, "says-nothing", sender, receiver, " ").await,
        planned(&scene, "says-too-much", sender, receiver, &long).await,
        delivery(&scene.row),
    ];
    scene.consume(jobs).await.unwrap();
    assert_eq!(scene.outcome().await, (1, 1, true), "the good one among them arrived");
    let mut dead = scene.dead().await;
    dead.sort();
    let told: Vec<String> = dead.iter().map(|(id, attempt, why)| format!("{id} {attempt}: {why}")).collect();
    expect![[r#"
        a-list 1: the body is not valid JSON
        another-shape 1: the body is not valid JSON
        empty 1: the body is not valid JSON
        no-json 1: the body is not valid JSON
        no-text 1: the body is not valid JSON
        receiver-left 1: receiverId is not a user
        receiver-unknown 1: receiverId is not a user
        says-nothing 1: content must not be empty
        says-too-much 1: content must be at most 4000 characters
        sender-left 1: senderId is not a user
        sender-unknown 1: senderId is not a user
        to-oneself 1: receiverId must be another user, not yourself
        unplanned 1: the automatic message was not found
    "#]]
    .assert_eq(&(told.join("\n") + "\n"));
    assert_eq!(scene.waiting().await, 0);
}

#[tokio::test]
async fn the_dead_keep_their_bodies_and_can_try_again() {
    let scene = Scene::new().await;
    let mut job = raw("no-json", "{ as it was");
    job.message_id = None;
    scene.consume(vec![job]).await.unwrap();
    let dead = scene.store.dead_letters(SENDING_QUEUE, 10).await.unwrap();
    assert_eq!((dead[0].message.body.as_slice(), dead[0].message.id.as_str()), (&b"{ as it was"[..], ""));
    assert_eq!(scene.store.replay_dead(SENDING_QUEUE).await.unwrap(), 1);
    assert_eq!(scene.dead().await, []);
    let back = scene.store.receive(SENDING_QUEUE, 10).await.unwrap();
    assert_eq!((back.len(), back[0].message.attempt), (1, 0));
}

/// Each failure counts one more; the fifth is the last.
#[tokio::test]
async fn a_passing_failure_waits_and_the_fifth_is_the_last() {
    for (attempt, waits) in [(0, Some(1)), (1, Some(2)), (2, Some(3)), (3, Some(4)), (4, None), (9, None)] {
        let scene = Scene::new().await;
        let faulty = Faulty::over(&scene.store).failing("append", 1, Fault::Corrupt);
        let job = Delivery { attempt, ..delivery(&scene.row) };
        scene.consume_over(&faulty, vec![job]).await.unwrap();
        assert_eq!(scene.outcome().await, (0, 0, false), "attempt {attempt}");
        match waits {
            Some(next) => {
                assert_eq!((scene.waiting().await, scene.dead().await), (1, vec![]), "attempt {attempt}");
                assert_eq!(attempt_after_waiting(&scene).await, next);
            }
            None => {
                let dead =
                    (scene.row.id.to_string(), attempt + 1, "a test holds something unreadable".to_owned());
                let found = scene.dead().await;
                assert_eq!((found.len(), &found[0].0, found[0].1), (1, &dead.0, dead.1), "{found:?}");
                assert_eq!(scene.waiting().await, 0, "attempt {attempt}");
            }
        }
    }
}

/// The attempt that a waiting job comes back with, read by a clock that is a day ahead.
async fn attempt_after_waiting(scene: &Scene) -> u32 {
    let ahead = scene.store.clone().with_clock(|| at("2999-01-01T00:00:00Z"));
    let back = ahead.receive(SENDING_QUEUE, 10).await.unwrap();
    assert_eq!((back.len(), back[0].message.id.as_str()), (1, scene.row.id.as_str()));
    back[0].message.attempt
}

/// From the first failure to the grave, by the queue's own clock: 10 s, 30 s, 2 min, 10 min.
#[tokio::test]
async fn a_failing_job_lives_so_long() {
    let scene = Scene::new().await;
    let clock = std::sync::Arc::new(std::sync::Mutex::new(at(NIGHT)));
    let read = std::sync::Arc::clone(&clock);
    let store = scene.store.clone().with_clock(move || *read.lock().unwrap());
    let faulty = Faulty::over(&store).failing("append", u32::MAX, Fault::Corrupt);
    let mut job = delivery(&scene.row);
    let mut waits = Vec::new();
    loop {
        scene.consume_over(&faulty, vec![job.clone()]).await.unwrap();
        if !scene.dead().await.is_empty() {
            break;
        }
        let begun = *clock.lock().unwrap();
        let back = loop {
            let now = *clock.lock().unwrap() + std::time::Duration::from_secs(1);
            *clock.lock().unwrap() = now;
            if let Some(back) = store.receive(SENDING_QUEUE, 1).await.unwrap().pop() {
                break back;
            }
        };
        store.ack(&[back.tag]).await.unwrap();
        waits.push((clock.lock().unwrap().millis() - begun.millis()) / 1_000);
        job.attempt = back.message.attempt;
    }
    assert_eq!(waits, [10, 30, 120, 600]);
}

#[tokio::test]
async fn a_job_that_failed_succeeds_later() {
    let scene = Scene::new().await;
    let faulty = Faulty::over(&scene.store).failing("append", 2, Fault::Corrupt);
    for attempt in 0..3 {
        let job = Delivery { attempt, ..delivery(&scene.row) };
        scene.consume_over(&faulty, vec![job]).await.unwrap();
    }
    assert_eq!(scene.outcome().await, (1, 1, true));
}

/// Nothing is parked then: the whole batch comes again, poison and all, and would be parked twice.
#[tokio::test]
async fn a_store_that_is_down_fails_the_batch_and_parks_nothing() {
    for call in ["get", "append", "of_users", "sent"] {
        let scene = Scene::new().await;
        let faulty = Faulty::over(&scene.store).failing(call, u32::MAX, Fault::Down);
        let jobs = vec![raw("poison", "{"), delivery(&scene.row)];
        let failed = scene.consume_over(&faulty, jobs.clone()).await.unwrap_err();
        assert!(matches!(failed, Error::Unavailable(_)), "{call}: {failed:?}");
        assert_eq!((scene.waiting().await, scene.dead().await), (0, vec![]), "{call}");
        scene.consume(jobs).await.unwrap();
        let (_, messages, done) = scene.outcome().await;
        assert_eq!((messages, done, scene.dead().await.len()), (1, true, 1), "{call}");
    }
}

#[tokio::test]
async fn a_broker_that_takes_nothing_fails_the_batch() {
    for (call, job) in [("bury", Fault::Down), ("retry_later", Fault::Corrupt)] {
        let scene = Scene::new().await;
        let faulty = Faulty::over(&scene.store).failing(call, 1, Fault::Down).failing(
            "append",
            if job == Fault::Corrupt { 2 } else { 0 },
            Fault::Corrupt,
        );
        let jobs = vec![if call == "bury" { raw("poison", "{") } else { delivery(&scene.row) }];
        let failed = scene.consume_over(&faulty, jobs.clone()).await.unwrap_err();
        assert!(matches!(failed, Error::Unavailable(_)), "{call}: {failed:?}");
        scene.consume_over(&faulty, jobs).await.unwrap();
        let parked = (scene.waiting().await, scene.dead().await.len());
        assert_eq!(parked, if call == "bury" { (0, 1) } else { (1, 0) });
    }
}
