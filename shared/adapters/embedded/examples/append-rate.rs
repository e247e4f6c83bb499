//! Measures how many messages per second this machine stores: `cargo run --release -p adapter-embedded --example
//! append-rate -- [messages] [callers] [conversations] [directory]`. Each caller writes to one conversation and
//! waits for each acknowledgement before the next write. The result depends on the directory's disk.

#![expect(clippy::print_stdout, reason = "prints what it measured")]

use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use adapter_embedded::Embedded;
use shared::conversation::Conversation;
use shared::id::{ConversationId, Entropy, MessageId, UserId};
use shared::message::{Content, Draft, MessageKind};
use shared::ports::{Conversations, Messages, SearchIndex, SearchQuery};
use shared::time::Time;

type BoxError = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let mut args = std::env::args().skip(1);
    let mut number = |default: usize| args.next().map_or(Ok(default), |text| text.parse());
    let (messages, callers, conversations) = (number(100_000)?, number(64)?, number(64)?);
    let dir = args.next().map_or_else(|| std::env::temp_dir().join("ulak-append-rate"), PathBuf::from);
    let store = Embedded::open(&dir)?;
    let rooms = rooms(&store, conversations).await?;
    let start = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|n| tokio::spawn(write(store.clone(), rooms[n % rooms.len()].clone(), messages / callers)))
        .collect();
    let mut waits = Vec::new();
    for task in tasks {
        waits.extend(task.await??);
    }
    report(&mut waits, start.elapsed(), callers);
    search(&store, &rooms[0]).await?;
    drop(store);
    Ok(std::fs::remove_dir_all(dir)?)
}

async fn rooms(store: &Embedded, count: usize) -> Result<Vec<Conversation>, BoxError> {
    let (entropy, now) = (Entropy::default(), Time::from_millis(0));
    let mut rooms = Vec::new();
    for _ in 0..count {
        let (a, b) = (UserId::fresh(now, &entropy), UserId::fresh(now, &entropy));
        let new = Conversation::direct(ConversationId::fresh(now, &entropy), &a, &b, now);
        rooms.push(store.ensure_direct(&new).await?.0);
    }
    Ok(rooms)
}

async fn write(store: Embedded, room: Conversation, count: usize) -> Result<Vec<Duration>, BoxError> {
    let (entropy, mut waits) = (Entropy::default(), Vec::with_capacity(count));
    for n in 0..count {
        let now = Time::from_millis(1_700_000_000_000 + i64::try_from(n)?);
        let draft = Draft {
            id: MessageId::fresh(now, &entropy),
            conversation_id: room.id.clone(),
            sender_id: room.members[n % 2].user_id.clone(),
            content: Content::parse(&format!("Merhaba, bu {n}. mesaj; akşam İstanbul'da görüşürüz"))?,
            kind: MessageKind::Text,
            client_message_id: Some(entropy.id(now)),
            auto_message_id: None,
            created_at: now,
        };
        let start = Instant::now();
        store.append(&draft).await?;
        waits.push(start.elapsed());
    }
    Ok(waits)
}

fn report(waits: &mut [Duration], elapsed: Duration, callers: usize) {
    waits.sort();
    let at = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize];
    println!(
        "{} messages by {callers} callers in {elapsed:.2?}: {:.0}/s; acknowledged after p50 {:.2?}, p99 {:.2?}, at most {:.2?}",
        waits.len(),
        waits.len() as f64 / elapsed.as_secs_f64(),
        at(0.5),
        at(0.99),
        at(1.0),
    );
}

async fn search(store: &Embedded, room: &Conversation) -> Result<(), BoxError> {
    let member = room.members[0].user_id.clone();
    let terms = shared::search::terms("istanbul merh");
    let query = SearchQuery { member, terms, conversation: None, after: None, limit: 50 };
    for _ in 0..2 {
        let start = Instant::now();
        let hits = store.search(&query).await?;
        println!("a search that matches every message: {} hits in {:.2?}", hits.len(), start.elapsed());
    }
    Ok(())
}
