//! Measures how long a day's plan takes: `cargo run --release -p adapter-embedded --example plan-rate -- [users]
//! [directory]` registers the users, reads their ids page by page, and inserts a row per pair: for one day in random
//! order, for the next ordered by sender, which touches fewer pages.

#![expect(clippy::print_stdout, reason = "prints what it measured")]

use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use adapter_embedded::Embedded;
use shared::auto_message::AutoMessage;
use shared::id::{AutoMessageId, Entropy, UserId};
use shared::ports::{AutoMessages, Users};
use shared::time::Time;
use shared::user::{Email, PasswordHash, User, Username};

type BoxError = Box<dyn Error + Send + Sync>;

const CALLERS: usize = 64;
const PAGE: u32 = 5_000;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let mut args = std::env::args().skip(1);
    let users: usize = args.next().map_or(Ok(1_000_000), |text| text.parse())?;
    let dir = args.next().map_or_else(|| std::env::temp_dir().join("ulak-plan-rate"), PathBuf::from);
    let store = Embedded::open(&dir)?;

    let start = Instant::now();
    let tasks: Vec<_> =
        (0..CALLERS).map(|n| tokio::spawn(register(store.clone(), n, users / CALLERS))).collect();
    for task in tasks {
        task.await??;
    }
    println!("{users} users registered in {:.2?}", start.elapsed());

    let start = Instant::now();
    let mut ids = active_users(&store).await?;
    println!("{} active users read in {:.2?}", ids.len(), start.elapsed());

    // Stands in for the planner's shuffle: a fixed stride that visits every user once.
    let count = ids.len();
    ids = (0..count).map(|n| ids[n * 7_919 % count].clone()).collect();
    let mut pairs: Vec<&[UserId]> = ids.chunks_exact(2).collect();
    plan(&store, &pairs, "2026-01-01").await?;
    pairs.sort();
    plan(&store, &pairs, "2026-01-02").await?;

    let start = Instant::now();
    let claimed = store.claim(Time::from_millis(i64::MAX / 2), Time::from_millis(i64::MAX), 1_000).await?;
    println!("{} rows claimed in {:.2?}", claimed.len(), start.elapsed());
    drop(store);
    Ok(std::fs::remove_dir_all(dir)?)
}

async fn register(store: Embedded, caller: usize, count: usize) -> Result<(), BoxError> {
    let entropy = Entropy::default();
    for n in 0..count {
        let now = Time::from_millis(1_700_000_000_000 + i64::try_from(n)?);
        let name = format!("user-{caller}-{n}");
        store
            .insert(&User {
                id: UserId::fresh(now, &entropy),
                username: Username::trusted(name.clone()),
                email: Email::trusted(format!("{name}@example.com")),
                display_name: name,
                password_hash: PasswordHash("$argon2id$".repeat(9)),
                created_at: now,
                last_seen_at: now,
                deactivated_at: None,
            })
            .await?;
    }
    Ok(())
}

async fn active_users(store: &Embedded) -> Result<Vec<UserId>, BoxError> {
    let mut ids: Vec<UserId> = Vec::new();
    loop {
        let page = store.active(Time::from_millis(0), ids.last(), PAGE).await?;
        if page.is_empty() {
            return Ok(ids);
        }
        ids.extend(page);
    }
}

async fn plan(store: &Embedded, pairs: &[&[UserId]], day: &str) -> Result<(), BoxError> {
    let (start, mut planned) = (Instant::now(), 0);
    for batch in pairs.chunks(PAGE as usize) {
        planned += store.plan(&rows(batch, day)).await?;
    }
    println!("{planned} rows planned for {day} in {:.2?}", start.elapsed());
    Ok(())
}

fn rows(pairs: &[&[UserId]], day: &str) -> Vec<AutoMessage> {
    let row = |(n, pair): (usize, &&[UserId])| AutoMessage {
        id: AutoMessageId::trusted(format!("{day}-{}", pair[0])),
        sender_id: pair[0].clone(),
        receiver_id: pair[1].clone(),
        content: "Günaydın! Bugün nasılsın?".to_owned(),
        send_date: Time::from_millis(1_767_225_600_000 + (n as i64 * 104_729) % 86_400_000),
        planned_for: day.to_owned(),
        is_queued: false,
        is_sent: false,
        attempts: 0,
    };
    pairs.iter().enumerate().map(row).collect()
}
