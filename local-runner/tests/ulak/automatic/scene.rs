//! What the three functions are lent: an embedded store of their own, people, plans, a push that is remembered.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapter_embedded::Embedded;
use async_trait::async_trait;
use auto_message_planner::Settings;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use shared::auto_message::{AutoMessage, SENDING_QUEUE, SendingJob};
use shared::chat::{ChatPorts, MemberLookup};
use shared::config::Env;
use shared::connection::Dialect;
use shared::connection::{Connection, Identity};
use shared::id::{AutoMessageId, ConnectionId, Entropy, SessionId, UserId};
use shared::lambda::queue::{Batch, Delivery};
use shared::lambda::schedule::ScheduledRun;
use shared::message::{Message, SeqRange};
use shared::ports::{AutoMessages, Connections, Conversations, Messages, Push, PushError, Users};
use shared::realtime::fanout::Fanout;
use shared::time::Time;
use shared::user::{Email, PasswordHash, User, Username};

/// A night in Istanbul: 02:00 on 2 December.
pub(super) const NIGHT: &str = "2096-12-01T23:00:00Z";
/// The day that it plans.
pub(super) const DAY: &str = "2096-12-02";

pub(super) fn at(text: &str) -> Time {
    Time::parse(text).unwrap()
}

pub(super) fn hours(count: u64) -> Duration {
    Duration::from_secs(count * 3_600)
}

/// A user who was seen last at an instant.
pub(super) fn user(name: &str, seen: Time) -> User {
    User {
        id: UserId::fresh(seen, &Entropy::default()),
        username: Username::trusted(name),
        email: Email::trusted(format!("{name}@example.com")),
        display_name: name.to_owned(),
        password_hash: PasswordHash("nobody's".to_owned()),
        created_at: seen,
        last_seen_at: seen,
        deactivated_at: None,
    }
}

/// So many users, all active on [`NIGHT`].
pub(super) async fn people(store: &Embedded, count: usize) -> Vec<UserId> {
    let users: Vec<User> = (0..count).map(|n| user(&format!("person{n}"), at(NIGHT) - hours(1))).collect();
    let inserts = users.iter().map(|user| store.insert(user));
    futures::future::try_join_all(inserts).await.unwrap();
    users.into_iter().map(|user| user.id).collect()
}

/// The planner's settings from variables.
pub(super) fn settings(variables: &[(&str, &str)]) -> Settings {
    let mut env = Env::of(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let settings = Settings::from_env(&mut env);
    env.finish().unwrap();
    settings
}

/// A firing with repeatable randomness.
pub(super) fn tick(now: Time, seed: u64) -> ScheduledRun {
    ScheduledRun { id: "a-run".to_owned(), now, entropy: Entropy::seeded(seed), budget: None }
}

/// The event of a firing, as EventBridge Scheduler sends it.
pub(super) fn firing(at: &str) -> Value {
    json!({ "version": "0", "id": "0", "detail-type": "Scheduled Event", "source": "aws.scheduler",
        "account": "123456789012", "time": at, "region": "eu-central-1", "resources": [], "detail": "{}" })
}

/// Everything that is planned and not queued, by id. It takes a claim that ended long ago.
pub(super) async fn unqueued(store: &Embedded) -> Vec<AutoMessage> {
    let (end, long_ago) = (at("2999-01-01T00:00:00Z"), at("1999-01-01T00:00:00Z"));
    let mut rows = store.claim(end, long_ago, u32::MAX).await.unwrap();
    rows.sort_by(|a, b| a.id.cmp(&b.id));
    rows
}

/// Everybody with a part, senders and receivers; it is nobody twice.
pub(super) fn parts(rows: &[AutoMessage]) -> BTreeSet<UserId> {
    let all: Vec<UserId> =
        rows.iter().flat_map(|row| [row.sender_id.clone(), row.receiver_id.clone()]).collect();
    let set: BTreeSet<UserId> = all.iter().cloned().collect();
    assert_eq!(set.len(), all.len(), "somebody has two parts");
    set
}

/// Plans `count` rows due at `due` among `people`, as many days as that takes.
pub(super) async fn plan(store: &Embedded, people: &[UserId], count: usize, due: Time) -> Vec<AutoMessage> {
    let pairs: Vec<&[UserId]> = people.chunks_exact(2).collect();
    let row = |n: usize| {
        let (pair, day) = (pairs[n % pairs.len()], n / pairs.len());
        AutoMessage {
            id: AutoMessageId::trusted(format!("{}-day{day}-{}", due.millis(), pair[0])),
            sender_id: pair[0].clone(),
            receiver_id: pair[1].clone(),
            content: format!("planned {n}"),
            send_date: due,
            planned_for: format!("{}-day{day}", due.millis()),
            is_queued: false,
            is_sent: false,
            attempts: 0,
        }
    };
    let rows: Vec<AutoMessage> = (0..count).map(row).collect();
    assert_eq!(store.plan(&rows).await.unwrap(), count as u64);
    rows
}

/// The message of a planned row in its queue.
pub(super) fn delivery(row: &AutoMessage) -> Delivery {
    Delivery {
        queue: SENDING_QUEUE.to_owned(),
        message_id: Some(row.id.to_string()),
        body: serde_json::to_vec(&SendingJob::from(row)).unwrap(),
        attempt: 0,
        redelivered: false,
    }
}

pub(super) fn batch(now: Time, deliveries: Vec<Delivery>) -> Batch {
    Batch { id: "a-batch".to_owned(), now, entropy: Entropy::default(), deliveries }
}

/// The event of a batch, with the nulls of a real one.
pub(super) fn rmq_event(deliveries: &[Delivery]) -> Value {
    let record = |delivery: &Delivery| {
        json!({
            "basicProperties": { "contentType": "application/json", "contentEncoding": null,
                "headers": { "x-attempt": delivery.attempt }, "deliveryMode": 2, "priority": null,
                "correlationId": null, "replyTo": null, "expiration": null, "messageId": delivery.message_id,
                "timestamp": null, "type": null, "userId": null, "appId": null, "clusterId": null,
                "bodySize": delivery.body.len() },
            "redelivered": delivery.redelivered, "data": STANDARD.encode(&delivery.body),
        })
    };
    let records: Vec<Value> = deliveries.iter().map(record).collect();
    json!({ "eventSource": "aws:rmq", "eventSourceArn": "arn:aws:mq:eu-central-1:123456789012:broker:b:b-1",
        "rmqMessagesByQueue": { format!("{SENDING_QUEUE}::/"): records } })
}

/// Remembers what was pushed, as `(connection, frame)`.
#[derive(Debug, Default, Clone)]
pub(super) struct Pushed(Arc<Mutex<Vec<(String, Value)>>>);

impl Pushed {
    /// What this connection received under this name, in order.
    pub(super) fn events(&self, connection: &str, name: &str) -> Vec<Value> {
        let all = self.0.lock().unwrap();
        let own = all.iter().filter(|(id, frame)| id == connection && frame["event"] == name);
        own.map(|(_, frame)| frame["data"]["message"].clone()).collect()
    }
}

#[async_trait]
impl Push for Pushed {
    async fn send(&self, id: &ConnectionId, frame: &str) -> Result<(), PushError> {
        self.0.lock().unwrap().push((id.to_string(), serde_json::from_str(frame).unwrap()));
        Ok(())
    }

    async fn close(&self, _: &ConnectionId) -> Result<(), PushError> {
        Ok(())
    }
}

/// Gives somebody an open socket, named as the user is.
pub(super) async fn connect(store: &Embedded, user: &UserId, now: Time) {
    let (id, lease_until) = (ConnectionId::trusted(user.as_str()), now + hours(24 * 365));
    let new = Connection {
        id: id.clone(),
        dialect: Dialect::Json,
        identity: None,
        upgrade_token: None,
        connected_at: now,
        pinged_at: now,
        lease_until,
    };
    store.open(&new).await.unwrap();
    let identity = Identity { user_id: user.clone(), session_id: SessionId::trusted("a-session") };
    store.attach(&id, &identity, lease_until).await.unwrap();
}

/// Where messages are written and announced.
pub(super) fn chat<'a>(store: &'a Embedded, push: &'a Pushed) -> ChatPorts<'a> {
    let fanout = Fanout { connections: store, rooms: store, push };
    ChatPorts { users: store, members: MemberLookup::over(store, store), messages: store, fanout }
}

/// Every message that somebody can read, over all conversations.
pub(super) async fn history(store: &Embedded, user: &UserId) -> Vec<Message> {
    let mut all = Vec::new();
    for listed in Conversations::list(store, user, None, 1_000).await.unwrap() {
        let (id, mut span) = (listed.conversation.id, SeqRange::After(0));
        loop {
            let page = store.page(&id, span, 1_000).await.unwrap();
            let Some(last) = page.last() else { break };
            span = SeqRange::After(last.seq);
            all.extend(page);
        }
    }
    all
}
