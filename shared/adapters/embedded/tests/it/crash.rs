//! kill -9 at any moment: every acknowledged message and job is stored exactly once, with its `seq`.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use adapter_embedded::Embedded;
use shared::conversation::{ActivityCursor, Conversation};
use shared::id::{ConversationId, UserId};
use shared::message::{Appended, Draft, SeqRange};
use shared::ports::{Conversations, Messages, Outbox, OutboxMessage};
use shared::time::Time;
use test_support::contract::CaseData;
use test_support::report;

/// Set for the child process only, to the directory that it writes to.
const CHILD: &str = "ULAK_EMBEDDED_CRASH_CHILD";
const KILLS: u32 = 6;
const QUEUE: &str = "crash";

fn writer() -> UserId {
    UserId::trusted("writer")
}

fn reader() -> UserId {
    UserId::trusted("reader")
}

fn conversation() -> Conversation {
    Conversation::direct(ConversationId::trusted("crash"), &writer(), &reader(), Time::from_millis(0))
}

/// Not a test but the child process: writes until it is killed, and prints each id after its acknowledgement.
#[tokio::test(flavor = "multi_thread")]
async fn child_process_writes_until_killed() {
    let Ok(dir) = std::env::var(CHILD) else { return };
    let store = Embedded::open(Path::new(&dir)).unwrap();
    store.ensure_direct(&conversation()).await.unwrap();
    let tasks = (0..16).map(|_| tokio::spawn(write_endlessly(store.clone())));
    futures::future::join_all(tasks).await;
}

async fn write_endlessly(store: Embedded) {
    let data = CaseData::fresh();
    loop {
        let draft = Draft {
            client_message_id: Some(data.id()),
            ..data.draft(&conversation(), &writer(), "hello").unwrap()
        };
        let Appended::Created(message) = store.append(&draft).await.unwrap() else { panic!("duplicate") };
        let job = OutboxMessage { id: message.id.to_string(), body: Vec::new(), attempt: 0 };
        store.publish(QUEUE, &[job]).await.unwrap();
        // The dot marks a complete line: kill -9 may cut the last one.
        println!("\nACK {} {}.", message.id, message.seq);
    }
}

#[test]
fn acknowledged_writes_are_stored_exactly_once_after_kill_9() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    for round in 0..KILLS {
        let mut child = spawn(dir.path());
        // The moment differs from round to round and from run to run.
        let moment =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().subsec_nanos();
        let lines = read_until_killed(&mut child, 20 + u64::from(moment % 60) * u64::from(round + 1));
        assert!(!lines.is_empty(), "round {round} acknowledged nothing");
        acknowledged.extend(lines);
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (messages, jobs) = runtime.block_on(messages_and_jobs(dir.path()));
    for (id, seq) in &acknowledged {
        let stored = messages.iter().filter(|(other, at)| other == id && at == seq).count();
        assert_eq!(stored, 1, "message {id} with seq {seq}");
        assert_eq!(jobs.iter().filter(|job| *job == id).count(), 1, "job {id}");
    }
    assert!(messages.is_sorted_by(|a, b| a.1 < b.1), "every seq is used once");
    report(&format!("killed {KILLS} times: {} acknowledged, {} stored", acknowledged.len(), messages.len()));
}

fn spawn(dir: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child_process_writes_until_killed", "--nocapture", "--test-threads=1"])
        .env(CHILD, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits for the first acknowledgement, kills the child `millis` later, and returns all complete lines.
fn read_until_killed(child: &mut Child, millis: u64) -> Vec<(String, u64)> {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).split(b'\n');
    let mut all: Vec<(String, u64)> =
        lines.by_ref().find_map(|line| acknowledgement(&line.ok()?)).into_iter().collect();
    let rest =
        std::thread::spawn(move || lines.filter_map(|line| acknowledgement(&line.ok()?)).collect::<Vec<_>>());
    std::thread::sleep(Duration::from_millis(millis));
    child.kill().unwrap();
    child.wait().unwrap();
    all.extend(rest.join().unwrap());
    all
}

/// `None` for any other line, also for an incomplete one.
fn acknowledgement(line: &[u8]) -> Option<(String, u64)> {
    let line = std::str::from_utf8(line).ok()?;
    let (id, seq) = line.strip_prefix("ACK ")?.split_once(' ')?;
    Some((id.to_owned(), seq.strip_suffix('.')?.parse().ok()?))
}

/// All stored messages (id and `seq`), and the ids of all queued jobs.
async fn messages_and_jobs(dir: &Path) -> (Vec<(String, u64)>, Vec<String>) {
    let store = Embedded::open(dir).unwrap();
    let listed = store.list(&reader(), None::<&ActivityCursor>, 10).await.unwrap();
    assert_eq!(listed.len(), 1, "the pair has one conversation after all rounds");
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let page = store.page(&conversation().id, SeqRange::After(after), 100).await.unwrap();
        let Some(last) = page.last() else { break };
        after = last.seq;
        all.extend(page.into_iter().map(|message| (message.id.to_string(), message.seq)));
    }
    assert_eq!(listed[0].conversation.last_seq, after);
    assert_eq!(listed[0].unread, all.len() as u64);
    let jobs = store.receive(QUEUE, u32::MAX).await.unwrap();
    (all, jobs.into_iter().map(|job| job.message.id).collect())
}
