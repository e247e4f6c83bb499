//! Jobs that succeed, also when they are delivered again: the message is stored once and announced once.

use expect_test::expect;
use serde_json::Value;
use shared::auto_message::{SENDING_QUEUE, SendingJob};
use shared::error::Error;
use shared::id::ConnectionId;
use shared::lambda::leak;
use shared::lambda::queue::{Delivery, queue};
use shared::message::MessageKind;
use shared::ports::Connections as _;
use test_support::auto_messages::{NIGHT, history_of, job_delivery, time};
use test_support::events::{assert_foreign_events_fail, invoke_event, queue_event};
use test_support::faulty_store::{CallFailure, FaultyStore};

use crate::scenario::{JobScenario, Outcome};

#[tokio::test]
async fn job_becomes_a_message_that_both_users_receive() {
    let scenario: &'static JobScenario = leak(JobScenario::new().await);
    let entry = queue(move |batch| auto_message_consumer::handle(scenario.ports(), batch));
    let event = queue_event(SENDING_QUEUE, &[job_delivery(&scenario.row)]);
    assert_eq!(invoke_event(&entry, &event).await.unwrap(), Value::Null);
    assert_eq!(scenario.outcome().await, Outcome::DELIVERED);

    let JobScenario { store, pushes, sender, receiver, row } = scenario;
    let stored = history_of(store, receiver).await.remove(0);
    assert_eq!((stored.kind, stored.content.as_str()), (MessageKind::Auto, row.content.as_str()));
    assert_eq!((&stored.sender_id, stored.auto_message_id.as_ref()), (sender, Some(&row.id)));
    assert_eq!(history_of(store, sender).await, std::slice::from_ref(&stored));
    let received = pushes.messages(receiver.as_str(), "message_received").remove(0);
    assert_eq!(received, serde_json::to_value(&stored).unwrap());
    let mut fields: Vec<&String> = received.as_object().unwrap().keys().collect();
    fields.sort();
    expect![[r#"["clientMessageId", "content", "conversationId", "createdAt", "deletedAt", "editedAt", "id", "kind", "senderId", "seq"]"#]]
        .assert_eq(&format!("{fields:?}"));
    assert_eq!(received["kind"], "auto");
    // The sender's own connections receive it as a sent message.
    assert_eq!(pushes.messages(sender.as_str(), "message_sent").len(), 1);
    assert!(pushes.messages(sender.as_str(), "message_received").is_empty());
}

#[tokio::test]
async fn foreign_events_fail_the_invocation() {
    let scenario: &'static JobScenario = leak(JobScenario::new().await);
    let entry = queue(move |batch| auto_message_consumer::handle(scenario.ports(), batch));
    assert_foreign_events_fail(&entry).await;
}

#[tokio::test]
async fn redelivered_job_changes_nothing() {
    let scenario = JobScenario::new().await;
    let job = job_delivery(&scenario.row);
    scenario.consume(vec![job.clone()]).await.unwrap();
    let again = Delivery { redelivered: true, ..job.clone() };
    for deliveries in [vec![job.clone()], vec![again.clone()], vec![job, again.clone(), again]] {
        scenario.consume(deliveries).await.unwrap();
        assert_eq!(scenario.outcome().await, Outcome::DELIVERED);
    }
}

#[tokio::test]
async fn job_that_is_in_a_batch_three_times_is_announced_once() {
    let scenario = JobScenario::new().await;
    let job = job_delivery(&scenario.row);
    scenario.consume(vec![job.clone(), job.clone(), Delivery { attempt: 2, ..job }]).await.unwrap();
    assert_eq!(scenario.outcome().await, Outcome::DELIVERED);
}

#[tokio::test]
async fn content_and_users_come_from_the_planned_row_and_not_from_the_job() {
    let scenario = JobScenario::new().await;
    let forged = SendingJob {
        auto_message_id: scenario.row.id.clone(),
        sender_id: scenario.receiver.clone(),
        receiver_id: scenario.sender.clone(),
        content: "send me money".to_owned(),
    };
    let body = serde_json::to_vec(&forged).unwrap();
    scenario.consume(vec![Delivery { body, ..job_delivery(&scenario.row) }]).await.unwrap();
    let stored = history_of(&scenario.store, &scenario.receiver).await.remove(0);
    assert_eq!((&stored.sender_id, &stored.content), (&scenario.sender, &scenario.row.content));
}

/// A crash at a call is a failure of that call: the invocation fails, and the batch is delivered again.
#[tokio::test]
async fn crash_at_any_call_makes_one_message() {
    use CallFailure::{ReplyLost, Unreachable};
    for (call, failure, received) in [
        ("get", Unreachable, 1),
        ("append", Unreachable, 1),
        // Stored but not announced: the repeat announces it.
        ("append", ReplyLost, 1),
        ("of_users", Unreachable, 1),
        // Announced but not marked as sent: the repeat announces the same message again.
        ("mark_sent", Unreachable, 2),
        ("mark_sent", ReplyLost, 1),
    ] {
        let scenario = JobScenario::new().await;
        let store = FaultyStore::new(&scenario.store).failing(call, 1, failure);
        let failed = scenario.consume_over(&store, vec![job_delivery(&scenario.row)]).await.unwrap_err();
        assert!(matches!(failed, Error::Unavailable(_)), "{call} {failure:?}: {failed:?}");
        let again = Delivery { redelivered: true, ..job_delivery(&scenario.row) };
        scenario.consume_over(&store, vec![again]).await.unwrap();
        let expected = Outcome { received, ..Outcome::DELIVERED };
        assert_eq!(scenario.outcome().await, expected, "{call} {failure:?}");
        let messages = scenario.pushes.messages(scenario.receiver.as_str(), "message_received");
        assert!(messages.iter().all(|message| message["id"] == messages[0]["id"]), "{call} {failure:?}");
        let failed_jobs = (scenario.retrying().await, scenario.dead_letters().await);
        assert_eq!(failed_jobs, (0, vec![]), "{call} {failure:?}");
    }
}

#[tokio::test]
async fn receiver_without_a_connection_finds_the_message_in_the_history() {
    let scenario = JobScenario::new().await;
    for user in [&scenario.sender, &scenario.receiver] {
        let id = ConnectionId::trusted(user.as_str());
        scenario.store.end(&id, time(NIGHT)).await.unwrap();
    }
    scenario.consume(vec![job_delivery(&scenario.row)]).await.unwrap();
    assert_eq!(scenario.outcome().await, Outcome { received: 0, ..Outcome::DELIVERED });
}
