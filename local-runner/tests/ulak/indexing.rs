//! Sweeper and indexer alone, between an embedded store and an index that fails on demand: nothing is lost, and
//! one message that the index will not have keeps no other out.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use adapter_embedded::Embedded;
use async_trait::async_trait;
use message_index_sweeper::Report;
use message_indexer::Ports;
use shared::conversation::Conversation;
use shared::error::{Error, StoreError};
use shared::id::{ConversationId, Entropy, MessageId, UserId};
use shared::indexing::INDEXING_QUEUE;
use shared::lambda::queue::{Batch, Delivery};
use shared::lambda::schedule::ScheduledRun;
use shared::message::{Content, Draft, MessageKind};
use shared::ports::{
    Conversations as _, IndexBacklog as _, Messages as _, SearchDocument, SearchIndexWriter, StoreResult,
};
use shared::time::Time;

const NOW: Time = Time::from_millis(4_000_000_000_000);

/// What the index does with a batch.
#[derive(Default, PartialEq, Eq, Clone, Copy)]
enum Mood {
    #[default]
    Well,
    Down,
    /// Understands and refuses every message that says so.
    Picky,
}

/// An index in memory.
#[derive(Default)]
struct Index {
    mood: Mutex<Mood>,
    holds: Mutex<BTreeMap<MessageId, String>>,
}

#[async_trait]
impl SearchIndexWriter for Index {
    async fn prepare(&self) -> StoreResult<()> {
        match *self.mood.lock().unwrap() {
            Mood::Down => Err(StoreError::down("index", "it is down")),
            Mood::Well | Mood::Picky => Ok(()),
        }
    }

    async fn index(&self, messages: &[SearchDocument]) -> StoreResult<()> {
        self.prepare().await?;
        let picky = *self.mood.lock().unwrap() == Mood::Picky;
        if picky && messages.iter().any(|row| row.message.content.contains("poison")) {
            return Err(StoreError::Corrupt("index", "one was refused".into()));
        }
        let rows = messages.iter().map(|row| (row.message.id.clone(), row.message.content.clone()));
        self.holds.lock().unwrap().extend(rows);
        Ok(())
    }
}

struct Scene {
    store: Embedded,
    index: Index,
    conversation: Conversation,
    entropy: Entropy,
}

impl Scene {
    async fn new() -> Self {
        let people = [UserId::trusted("ada"), UserId::trusted("bob")];
        let new = Conversation::direct(ConversationId::trusted("c"), &people[0], &people[1], NOW);
        let store = Embedded::temporary().unwrap();
        let (conversation, _) = store.ensure_direct(&new).await.unwrap();
        Self { store, index: Index::default(), conversation, entropy: Entropy::seeded(3) }
    }

    async fn say(&self, text: &str) -> MessageId {
        let draft = Draft {
            id: MessageId::fresh(NOW, &self.entropy),
            conversation_id: self.conversation.id.clone(),
            sender_id: UserId::trusted("ada"),
            content: Content::parse(text).unwrap(),
            kind: MessageKind::Text,
            client_message_id: None,
            auto_message_id: None,
            created_at: NOW,
        };
        self.store.append(&draft).await.unwrap();
        draft.id
    }

    fn mood(&self, mood: Mood) {
        *self.index.mood.lock().unwrap() = mood;
    }

    fn held(&self) -> Vec<String> {
        self.index.holds.lock().unwrap().values().cloned().collect()
    }

    async fn sweep(&self, minutes: u64) -> Result<u64, Error> {
        let now = NOW + Duration::from_secs(60 * minutes);
        let tick = ScheduledRun { id: "a-run".to_owned(), now, entropy: self.entropy.clone(), budget: None };
        let Report { queued, .. } =
            message_index_sweeper::handle(&self.store, Some(&self.index), &self.store, tick).await?;
        Ok(queued)
    }

    async fn waiting(&self, minutes: u64) -> usize {
        self.store.waiting(NOW + Duration::from_secs(60 * minutes), 10_000).await.unwrap().len()
    }

    /// Takes what is in the queue and lets the indexer work on it; what fails goes back.
    async fn work(&self) -> Result<(), Error> {
        let deliveries = self.store.receive(INDEXING_QUEUE, 100).await.unwrap();
        let tags: Vec<u64> = deliveries.iter().map(|delivery| delivery.tag).collect();
        let batch = deliveries.into_iter().map(|delivery| Delivery {
            queue: INDEXING_QUEUE.to_owned(),
            message_id: Some(delivery.message.id),
            body: delivery.message.body,
            attempt: delivery.message.attempt,
            redelivered: delivery.redelivered,
        });
        let done = self.index(batch.collect()).await;
        match &done {
            Ok(()) => self.store.ack(&tags).await.unwrap(),
            Err(_) => self.store.nack(&tags).await.unwrap(),
        }
        done
    }

    async fn index(&self, deliveries: Vec<Delivery>) -> Result<(), Error> {
        let ports = Ports { index_backlog: &self.store, index: Some(&self.index), outbox: &self.store };
        let entropy = self.entropy.clone();
        message_indexer::handle(ports, Batch { id: "a-run".to_owned(), now: NOW, entropy, deliveries }).await
    }

    /// Ready in the queue, its `.retry` and its `.dead`.
    async fn depths(&self) -> [u64; 3] {
        let depths = self.store.depths().await.unwrap();
        let of =
            |name: String| depths.iter().find(|depth| depth.queue == name).map_or(0, |depth| depth.ready);
        ["", ".retry", ".dead"].map(|suffix| of(format!("{INDEXING_QUEUE}{suffix}")))
    }
}

#[tokio::test]
async fn messages_get_into_the_index_once_they_are_swept_and_again_when_they_change() {
    let scene = Scene::new().await;
    for n in 0..450 {
        scene.say(&format!("message {n}")).await;
    }
    assert_eq!(scene.sweep(0).await.unwrap(), 450);
    assert_eq!(scene.depths().await, [3, 0, 0], "jobs of two hundred");
    assert_eq!(scene.sweep(1).await.unwrap(), 0, "what is on its way is left alone");
    scene.work().await.unwrap();
    assert_eq!((scene.held().len(), scene.waiting(60).await), (450, 0));
    let id = scene.index.holds.lock().unwrap().keys().next().unwrap().clone();
    scene.store.edit(&id, "edited", NOW).await.unwrap();
    assert_eq!(scene.sweep(2).await.unwrap(), 1);
    scene.work().await.unwrap();
    assert!(scene.held().contains(&"edited".to_owned()));
    assert_eq!(scene.waiting(60).await, 0);
}

#[tokio::test]
async fn without_an_index_nothing_happens_and_everything_waits() {
    let scene = Scene::new().await;
    scene.say("hello").await;
    let tick = ScheduledRun { id: String::new(), now: NOW, entropy: scene.entropy.clone(), budget: None };
    let report = message_index_sweeper::handle(&scene.store, None, &scene.store, tick).await.unwrap();
    assert_eq!(report, Report::default());
    assert_eq!((scene.depths().await, scene.waiting(0).await), ([0, 0, 0], 1));
}

#[tokio::test]
async fn an_index_that_is_down_gets_no_jobs_and_loses_none() {
    let scene = Scene::new().await;
    scene.say("first").await;
    assert_eq!(scene.sweep(0).await.unwrap(), 1);
    scene.say("second").await;
    scene.mood(Mood::Down);
    assert!(matches!(scene.sweep(1).await, Err(Error::Unavailable(_))));
    for _ in 0..7 {
        assert!(matches!(scene.work().await, Err(Error::Unavailable(_))));
        assert_eq!(scene.depths().await, [1, 0, 0], "the batch comes again whole, however often");
    }
    scene.mood(Mood::Well);
    scene.work().await.unwrap();
    assert_eq!(scene.sweep(1).await.unwrap(), 1);
    scene.work().await.unwrap();
    assert_eq!(scene.held().len(), 2);
}

#[tokio::test]
async fn a_lost_job_is_published_again_in_its_time() {
    let scene = Scene::new().await;
    scene.say("hello").await;
    assert_eq!(scene.sweep(0).await.unwrap(), 1);
    let lost = scene.store.receive(INDEXING_QUEUE, 10).await.unwrap();
    scene.store.ack(&[lost[0].tag]).await.unwrap();
    assert_eq!((scene.sweep(29).await.unwrap(), scene.sweep(30).await.unwrap()), (0, 1));
    scene.work().await.unwrap();
    assert_eq!(scene.held(), ["hello"]);
}

#[tokio::test]
async fn a_refused_message_keeps_no_other_out_and_rests_after_five_tries() {
    let scene = Scene::new().await;
    for text in ["before", "poison", "after"] {
        scene.say(text).await;
    }
    scene.mood(Mood::Picky);
    scene.sweep(0).await.unwrap();
    let job = scene.store.receive(INDEXING_QUEUE, 10).await.unwrap().remove(0).message;
    for attempt in 0..5 {
        let delivery = Delivery {
            queue: INDEXING_QUEUE.to_owned(),
            message_id: Some(job.id.clone()),
            body: job.body.clone(),
            attempt,
            redelivered: false,
        };
        scene.index(vec![delivery]).await.unwrap();
        assert_eq!(scene.held(), ["before", "after"]);
        assert_eq!(scene.waiting(60).await, 1, "the refused one alone");
    }
    let dead = scene.depths().await[2];
    assert_eq!(dead, 1);
}

#[tokio::test]
async fn nonsense_rests_at_once_and_nobody_is_harmed() {
    let scene = Scene::new().await;
    scene.say("hello").await;
    scene.sweep(0).await.unwrap();
    let nonsense = |body: &str| Delivery {
        queue: INDEXING_QUEUE.to_owned(),
        message_id: None,
        body: body.as_bytes().to_vec(),
        attempt: 0,
        redelivered: false,
    };
    let bodies = ["", "[]", "{\"messageIds\":[1]}", "{\"messageIds\":[],\"more\":1}", "\u{0}"];
    scene.index(bodies.map(nonsense).to_vec()).await.unwrap();
    assert_eq!(scene.depths().await[2], bodies.len() as u64);
    scene.index(vec![nonsense("{\"messageIds\":[\"nobody\"]}")]).await.unwrap();
    scene.work().await.unwrap();
    assert_eq!((scene.held(), scene.depths().await[2]), (vec!["hello".to_owned()], bodies.len() as u64));
}
