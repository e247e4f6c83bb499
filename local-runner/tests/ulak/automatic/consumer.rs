//! The consumer when all is well, and when a job comes again: the message exists once and is announced once.

use adapter_embedded::Embedded;
use auto_message_consumer::Ports;
use expect_test::expect;
use shared::auto_message::{AutoMessage, SENDING_QUEUE, SendingJob};
use shared::chat::{ChatPorts, MemberLookup};
use shared::error::Error;
use shared::id::UserId;
use shared::lambda::invoke;
use shared::lambda::queue::{Batch, Delivery, queue};
use shared::message::MessageKind;
use shared::ports::AutoMessages;
use shared::realtime::fanout::Fanout;

use super::faults::{Fault, Faulty};
use super::scene::{NIGHT, Pushed, at, batch, chat, connect, delivery, history, people, plan, rmq_event};

/// A store with a pair, their sockets, and a planned row.
pub(super) struct Scene {
    pub(super) store: Embedded,
    pub(super) pushed: Pushed,
    pub(super) sender: UserId,
    pub(super) receiver: UserId,
    pub(super) row: AutoMessage,
}

impl Scene {
    pub(super) async fn new() -> Self {
        let (store, pushed) = (Embedded::temporary().unwrap(), Pushed::default());
        let people = people(&store, 2).await;
        let row = plan(&store, &people, 1, at(NIGHT)).await.remove(0);
        for person in &people {
            connect(&store, person, at(NIGHT)).await;
        }
        let [sender, receiver] = people.try_into().unwrap();
        Self { store, pushed, sender, receiver, row }
    }

    pub(super) fn batch(&self, deliveries: Vec<Delivery>) -> Batch {
        batch(at(NIGHT), deliveries)
    }

    /// The consumer over the store as it is.
    pub(super) async fn consume(&self, deliveries: Vec<Delivery>) -> Result<(), Error> {
        let chat = chat(&self.store, &self.pushed);
        let ports = Ports { auto_messages: &self.store, outbox: &self.store, chat };
        auto_message_consumer::handle(ports, self.batch(deliveries)).await
    }

    /// The consumer over the store behind faults.
    pub(super) async fn consume_over(
        &self,
        faulty: &Faulty<'_>,
        deliveries: Vec<Delivery>,
    ) -> Result<(), Error> {
        let fanout = Fanout { connections: faulty, rooms: &self.store, push: &self.pushed };
        let chat = ChatPorts {
            users: &self.store,
            members: MemberLookup::over(&self.store, &self.store),
            messages: faulty,
            fanout,
        };
        let ports = Ports { auto_messages: faulty, outbox: faulty, chat };
        auto_message_consumer::handle(ports, self.batch(deliveries)).await
    }

    /// How often the receiver's device was told, how many messages there are, and whether the row is done.
    pub(super) async fn outcome(&self) -> (usize, usize, bool) {
        let told = self.pushed.events(self.receiver.as_str(), "message_received").len();
        let row = AutoMessages::get(&self.store, &self.row.id).await.unwrap().unwrap();
        (told, history(&self.store, &self.receiver).await.len(), row.is_sent)
    }

    /// What lies in the queue's `.retry`, as `(id, attempt)`: nothing but time brings it back.
    pub(super) async fn waiting(&self) -> u64 {
        let depths = self.store.depths().await.unwrap();
        depths.iter().filter(|depth| depth.queue.ends_with(".retry")).map(|depth| depth.ready).sum()
    }

    /// The dead, as `(id, attempt, reason)`.
    pub(super) async fn dead(&self) -> Vec<(String, u32, String)> {
        let dead = self.store.dead_letters(SENDING_QUEUE, 100).await.unwrap();
        dead.into_iter().map(|d| (d.message.id, d.message.attempt, d.reason)).collect()
    }
}

#[tokio::test]
async fn a_job_becomes_a_message_and_is_announced() {
    let scene = Scene::new().await;
    let (store, pushed): (&'static Embedded, &'static Pushed) =
        (Box::leak(Box::new(scene.store.clone())), Box::leak(Box::new(scene.pushed.clone())));
    let ports = Ports { auto_messages: store, outbox: store, chat: chat(store, pushed) };
    let entry = queue(move |batch| auto_message_consumer::handle(ports, batch));
    let event = rmq_event(&[delivery(&scene.row)]).to_string();
    let reply = invoke(&entry, "an-invocation".to_owned(), u64::MAX, event.as_bytes()).await.unwrap();
    assert_eq!(reply, "null");
    assert_eq!(scene.outcome().await, (1, 1, true));

    let stored = history(store, &scene.receiver).await.remove(0);
    assert_eq!((stored.kind, stored.content.as_str()), (MessageKind::Auto, scene.row.content.as_str()));
    assert_eq!((&stored.sender_id, stored.auto_message_id.as_ref()), (&scene.sender, Some(&scene.row.id)));
    assert_eq!(history(store, &scene.sender).await, std::slice::from_ref(&stored));
    let told = pushed.events(scene.receiver.as_str(), "message_received").remove(0);
    assert_eq!(told, serde_json::to_value(&stored).unwrap());
    let mut fields: Vec<&String> = told.as_object().unwrap().keys().collect();
    fields.sort();
    expect![[r#"["clientMessageId", "content", "conversationId", "createdAt", "deletedAt", "editedAt", "id", "kind", "senderId", "seq"]"#]]
        .assert_eq(&format!("{fields:?}"));
    assert_eq!(told["kind"], "auto");
    // The sender's own devices hear what was said in their name.
    assert_eq!(pushed.events(scene.sender.as_str(), "message_sent").len(), 1);
    assert!(pushed.events(scene.sender.as_str(), "message_received").is_empty());
}

#[tokio::test]
async fn a_job_that_comes_again_changes_nothing() {
    let scene = Scene::new().await;
    let job = delivery(&scene.row);
    scene.consume(vec![job.clone()]).await.unwrap();
    let again = Delivery { redelivered: true, ..job.clone() };
    for deliveries in [vec![job.clone()], vec![again.clone()], vec![job, again.clone(), again]] {
        scene.consume(deliveries).await.unwrap();
        assert_eq!(scene.outcome().await, (1, 1, true));
    }
}

#[tokio::test]
async fn a_job_that_stands_twice_in_a_batch_is_announced_once() {
    let scene = Scene::new().await;
    let job = delivery(&scene.row);
    scene.consume(vec![job.clone(), job.clone(), Delivery { attempt: 2, ..job }]).await.unwrap();
    assert_eq!(scene.outcome().await, (1, 1, true));
}

/// What was planned is what is said, whatever stands in the queue.
#[tokio::test]
async fn the_plan_is_believed_and_not_the_job() {
    let scene = Scene::new().await;
    let forged = SendingJob {
        auto_message_id: scene.row.id.clone(),
        sender_id: scene.receiver.clone(),
        receiver_id: scene.sender.clone(),
        content: "send me money".to_owned(),
    };
    let body = serde_json::to_vec(&forged).unwrap();
    scene.consume(vec![Delivery { body, ..delivery(&scene.row) }]).await.unwrap();
    let stored = history(&scene.store, &scene.receiver).await.remove(0);
    assert_eq!((&stored.sender_id, &stored.content), (&scene.sender, &scene.row.content));
}

/// A crash at any line: the invocation fails there, and the batch comes again.
#[tokio::test]
async fn a_crash_at_any_line_makes_one_message() {
    for (call, fault, told) in [
        ("get", Fault::Down, 1),
        ("append", Fault::Down, 1),
        // StoreResult and not announced: the repeat announces it.
        ("append", Fault::AnswerLost, 1),
        ("of_users", Fault::Down, 1),
        // Announced and not marked: nobody can know, so it is announced again, as the same message.
        ("sent", Fault::Down, 2),
        ("sent", Fault::AnswerLost, 1),
    ] {
        let scene = Scene::new().await;
        let faulty = Faulty::over(&scene.store).failing(call, 1, fault);
        let failed = scene.consume_over(&faulty, vec![delivery(&scene.row)]).await.unwrap_err();
        assert!(matches!(failed, Error::Unavailable(_)), "{call} {fault:?}: {failed:?}");
        let again = Delivery { redelivered: true, ..delivery(&scene.row) };
        scene.consume_over(&faulty, vec![again]).await.unwrap();
        assert_eq!(scene.outcome().await, (told, 1, true), "{call} {fault:?}");
        let ids = scene.pushed.events(scene.receiver.as_str(), "message_received");
        assert!(ids.iter().all(|message| message["id"] == ids[0]["id"]), "{call} {fault:?}");
        assert_eq!((scene.waiting().await, scene.dead().await), (0, vec![]), "{call} {fault:?}");
    }
}

#[tokio::test]
async fn a_receiver_without_a_socket_finds_it_in_the_history() {
    let store = Embedded::temporary().unwrap();
    let people = people(&store, 2).await;
    let row = plan(&store, &people, 1, at(NIGHT)).await.remove(0);
    let pushed = Pushed::default();
    let ports = Ports { auto_messages: &store, outbox: &store, chat: chat(&store, &pushed) };
    auto_message_consumer::handle(ports, batch(at(NIGHT), vec![delivery(&row)])).await.unwrap();
    assert_eq!(history(&store, &people[1]).await.len(), 1);
    assert!(AutoMessages::get(&store, &row.id).await.unwrap().unwrap().is_sent);
}
