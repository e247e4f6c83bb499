//! Test data of automatic messages: users, planned rows, jobs, and what became of them.

use std::collections::BTreeSet;
use std::time::Duration;

use adapter_embedded::Embedded;
use shared::auto_message::{AutoMessage, SENDING_QUEUE, SendingJob};
use shared::connection::{Connection, Dialect, Identity};
use shared::id::{AutoMessageId, ConnectionId, Entropy, SessionId, UserId};
use shared::lambda::queue::Delivery;
use shared::lambda::schedule::ScheduledRun;
use shared::message::{Message, SeqRange};
use shared::ports::{Attachment, AutoMessages, Connections, Conversations, Messages, Users};
use shared::time::Time;
use shared::user::{Email, PasswordHash, User, Username};

use crate::events;

/// The time of a planner's run: 02:00 on [`DAY`] in Istanbul.
pub const NIGHT: &str = "2096-12-01T23:00:00Z";
/// The day that a run at [`NIGHT`] plans.
pub const DAY: &str = "2096-12-02";

/// A time in RFC 3339.
pub fn time(text: &str) -> Time {
    Time::parse(text).unwrap()
}

pub fn hours(count: u64) -> Duration {
    Duration::from_secs(count * 3_600)
}

/// A user who was last seen at `seen`.
pub fn user_seen_at(name: &str, seen: Time) -> User {
    User {
        id: UserId::fresh(seen, &Entropy::default()),
        username: Username::trusted(name),
        email: Email::trusted(format!("{name}@example.com")),
        display_name: name.to_owned(),
        password_hash: PasswordHash("no password".to_owned()),
        created_at: seen,
        last_seen_at: seen,
        deactivated_at: None,
    }
}

/// Stores `count` users who are active at [`NIGHT`].
pub async fn insert_users(store: &Embedded, count: usize) -> Vec<UserId> {
    let seen = time(NIGHT) - hours(1);
    let users: Vec<User> = (0..count).map(|n| user_seen_at(&format!("person{n}"), seen)).collect();
    let inserts = users.iter().map(|user| store.insert(user));
    futures::future::try_join_all(inserts).await.unwrap();
    users.into_iter().map(|user| user.id).collect()
}

/// A run of a schedule with repeatable randomness and without a deadline.
pub fn scheduled_run(now: Time, seed: u64) -> ScheduledRun {
    ScheduledRun { id: "a-run".to_owned(), now, entropy: Entropy::seeded(seed), budget: None }
}

/// All planned rows that are not queued, by id. It claims them with a lease that has expired.
pub async fn unqueued_rows(store: &Embedded) -> Vec<AutoMessage> {
    let (end, expired) = (time("2999-01-01T00:00:00Z"), time("1999-01-01T00:00:00Z"));
    let mut rows = store.claim(end, expired, u32::MAX).await.unwrap();
    rows.sort_by(|a, b| a.id.cmp(&b.id));
    rows
}

/// The senders and receivers of all rows.
///
/// # Panics
/// If a user takes part twice.
pub fn participants(rows: &[AutoMessage]) -> BTreeSet<UserId> {
    let all: Vec<UserId> =
        rows.iter().flat_map(|row| [row.sender_id.clone(), row.receiver_id.clone()]).collect();
    let set: BTreeSet<UserId> = all.iter().cloned().collect();
    assert_eq!(set.len(), all.len(), "a user takes part twice");
    set
}

/// Plans `count` rows that are due at `due` among `users`, on as many days as that takes.
pub async fn plan_rows(store: &Embedded, users: &[UserId], count: usize, due: Time) -> Vec<AutoMessage> {
    let pairs: Vec<&[UserId]> = users.chunks_exact(2).collect();
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

/// The job of a planned row, as its queue delivers it.
pub fn job_delivery(row: &AutoMessage) -> Delivery {
    let body = serde_json::to_vec(&SendingJob::from(row)).unwrap();
    events::delivery(SENDING_QUEUE, Some(row.id.as_str()), &body)
}

/// Opens a connection in the JSON dialect whose id is the user's id.
pub async fn connect(store: &Embedded, user: &UserId, now: Time) {
    let (id, lease_until) = (ConnectionId::trusted(user.as_str()), now + hours(24 * 365));
    let connection = Connection {
        id: id.clone(),
        dialect: Dialect::Json,
        identity: None,
        upgrade_token: None,
        address: String::new(),
        connected_at: now,
        pinged_at: now,
        lease_until,
    };
    store.open(&connection, 0).await.unwrap();
    let identity = Identity { user_id: user.clone(), session_id: SessionId::trusted("a-session") };
    let attachment = Attachment { identity: &identity, lease_until, max_per_user: 0, now };
    store.attach(&id, &attachment).await.unwrap();
}

/// All messages of all conversations of a user.
pub async fn history_of(store: &Embedded, user: &UserId) -> Vec<Message> {
    let mut all = Vec::new();
    for listed in Conversations::list(store, user, None, 1_000).await.unwrap() {
        let (id, mut range) = (listed.conversation.id, SeqRange::After(0));
        loop {
            let page = store.page(&id, range, 1_000).await.unwrap();
            let Some(last) = page.last() else { break };
            range = SeqRange::After(last.seq);
            all.extend(page);
        }
    }
    all
}
