//! Measures automatic messages on the embedded store and the disk of this machine:
//!
//! `cargo run --release -p local-runner --example automatic -- plan --users 1000000` plans a night, and
//! `cargo run --release -p local-runner --example automatic -- flow --messages 20000` queues due rows, sends them and
//! pushes them to sockets.

use std::error::Error;
use std::io::{Write as _, stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use adapter_embedded::Embedded;
use async_trait::async_trait;
use bytes::Bytes;
use clap::Parser;
use local_runner::embedded_source::EmbeddedSource;
use sam_emulator::event_source::Poller;
use sam_emulator::invoke::{BoxFuture, Invocation, InvokeError, Invoker};
use sam_emulator::plan::QueuePlan;
use shared::auto_message::{AutoMessage, SENDING_QUEUE};
use shared::chat::{ChatPorts, MemberLookup};
use shared::config::Env;
use shared::connection::Dialect;
use shared::connection::{Connection, Identity};
use shared::id::{AutoMessageId, ConnectionId, Entropy, SessionId, UserId};
use shared::lambda::queue;
use shared::lambda::schedule::ScheduledRun;
use shared::lambda::{Entry, invoke, leak};
use shared::ports::{Attachment, AutoMessages as _, Connections as _, Push, PushError, Users as _};
use shared::realtime::fanout::Fanout;
use shared::time::Time;
use shared::user::{Email, PasswordHash, User, Username};
use tokio::sync::Notify;

type AnyError = Box<dyn Error + Send + Sync>;

/// 02:00 in Istanbul.
const NIGHT: Time = Time::from_millis(1_796_166_000_000);
/// Tasks that store users concurrently, so that they share commits.
const CALLERS: usize = 256;
/// Users among whom the rows of `flow` are planned.
const PEOPLE: usize = 2_000;

/// Measures planning and delivery of automatic messages
#[derive(Parser)]
enum Command {
    /// Plan one night: time and peak memory
    Plan {
        /// Active users
        #[arg(long, default_value_t = 1_000_000)]
        users: usize,
    },
    /// Queue, send and push due rows: rows per second
    Flow {
        /// Rows that are due at once
        #[arg(long, default_value_t = 20_000)]
        messages: usize,
    },
}

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    let command = Command::parse();
    shared::telemetry::start("info,ulak::request=warn");
    let home = tempfile::Builder::new().prefix("ulak-automatic-").tempdir()?;
    let store: &'static Embedded = leak(Embedded::open(home.path())?);
    match command {
        Command::Plan { users } => plan(store, users).await,
        Command::Flow { messages } => flow(store, messages).await,
    }
}

fn print(text: &str) -> Result<(), AnyError> {
    Ok(writeln!(stdout(), "{text}")?)
}

async fn plan(store: &'static Embedded, users: usize) -> Result<(), AnyError> {
    let start = Instant::now();
    register(store, users).await?;
    let registered = memory("VmRSS");
    print(&format!("{users} users stored in {:.1?}, {registered:.0} MB resident", start.elapsed()))?;
    // Resets the peak, so that it is the planner's.
    std::fs::write("/proc/self/clear_refs", "5")?;
    let mut env = Env::of([]);
    let settings = auto_message_planner::Settings::from_env(&mut env);
    for run in ["first", "second"] {
        let start = Instant::now();
        let report = auto_message_planner::handle(store, store, &settings, run_at(NIGHT)).await?;
        let (took, peak) = (start.elapsed(), memory("VmHWM"));
        let auto_message_planner::Report { planned_for, users, planned } = report;
        print(&format!(
            "{run} run for {planned_for}: {users} users, {planned} planned in {took:.1?}, peak {peak:.0} MB resident"
        ))?;
    }
    Ok(())
}

async fn flow(store: &'static Embedded, messages: usize) -> Result<(), AnyError> {
    let people = register(store, PEOPLE).await?;
    for person in &people {
        connect(store, person).await?;
    }
    plan_rows(store, &people, messages).await?;
    print(&format!("{messages} rows are due among {PEOPLE} connected users"))?;

    let pushed: &'static PushCounter = leak(PushCounter::default());
    let fanout = Fanout { connections: store, rooms: store, push: pushed };
    let chat = ChatPorts { users: store, members: MemberLookup::over(store, store), messages: store, fanout };
    let ports = auto_message_consumer::Ports { auto_messages: store, outbox: store, chat };
    let function = Consumer(queue(move |batch| auto_message_consumer::handle(ports, batch)));
    let stop = Arc::new(Notify::new());
    let stopped = Arc::clone(&stop);
    let start = Instant::now();
    let poller =
        Poller::new(mapping(), EmbeddedSource::new(store, SENDING_QUEUE.to_owned()), Arc::new(function));
    let poller = tokio::spawn(poller.run(async move { stopped.notified().await }));

    let mut queued = 0;
    while queued < messages as u64 {
        queued += auto_message_queuer::handle(store, store, run_at(NIGHT)).await?.queued;
    }
    print_rate("due to queued", messages, start.elapsed())?;
    // Each message is pushed to the receiver's connection and to the sender's.
    while pushed.0.load(Ordering::Relaxed) < 2 * messages {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    print_rate("due to pushed", messages, start.elapsed())?;
    stop.notify_one();
    poller.await?;
    let left: u64 = store.depths().await?.iter().map(|depth| depth.ready + depth.unacked).sum();
    print(&format!(
        "{left} jobs left, {} pushes, peak {:.0} MB resident",
        pushed.0.load(Ordering::Relaxed),
        memory("VmHWM")
    ))
}

fn print_rate(what: &str, rows: usize, took: Duration) -> Result<(), AnyError> {
    print(&format!("{what}: {rows} rows in {took:.2?}, {:.0} per second", rows as f64 / took.as_secs_f64()))
}

fn run_at(now: Time) -> ScheduledRun {
    ScheduledRun { id: "a-measurement".to_owned(), now, entropy: Entropy::default(), budget: None }
}

/// A field of `/proc/self/status`, in MB.
fn memory(field: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let found = status
        .lines()
        .find_map(|text| text.strip_prefix(field)?.split_whitespace().nth(1)?.parse::<f64>().ok());
    found.unwrap_or(0.0) / 1_024.0
}

/// Stores users who were last seen an hour before [`NIGHT`].
async fn register(store: &'static Embedded, count: usize) -> Result<Vec<UserId>, AnyError> {
    let tasks: Vec<_> = (0..CALLERS)
        .map(|caller| {
            tokio::spawn(async move {
                let mut ids = Vec::new();
                for n in (caller..count).step_by(CALLERS) {
                    let user = user(n);
                    store.insert(&user).await?;
                    ids.push(user.id);
                }
                Ok::<_, AnyError>(ids)
            })
        })
        .collect();
    let mut all = Vec::with_capacity(count);
    for task in tasks {
        all.extend(task.await??);
    }
    Ok(all)
}

fn user(n: usize) -> User {
    let seen = NIGHT - Duration::from_secs(3_600);
    let name = format!("user{n}");
    User {
        id: UserId::fresh(seen, &Entropy::default()),
        username: Username::trusted(name.clone()),
        email: Email::trusted(format!("{name}@example.com")),
        display_name: name,
        password_hash: PasswordHash("$argon2id$".repeat(9)),
        created_at: seen,
        last_seen_at: seen,
        deactivated_at: None,
    }
}

async fn connect(store: &Embedded, user: &UserId) -> Result<(), AnyError> {
    let (id, lease_until) = (ConnectionId::trusted(user.as_str()), Time::from_millis(i64::MAX));
    let connection = Connection {
        id: id.clone(),
        dialect: Dialect::Json,
        identity: None,
        upgrade_token: None,
        address: String::new(),
        connected_at: NIGHT,
        pinged_at: NIGHT,
        lease_until,
    };
    store.open(&connection, 0).await?;
    let identity = Identity { user_id: user.clone(), session_id: SessionId::trusted("a-session") };
    let attachment = Attachment { identity: &identity, lease_until, max_per_user: 0, now: NIGHT };
    store.attach(&id, &attachment).await?;
    Ok(())
}

/// Plans rows that are due at [`NIGHT`] among `people`, on as many days as that takes.
async fn plan_rows(store: &Embedded, people: &[UserId], count: usize) -> Result<(), AnyError> {
    let pairs: Vec<&[UserId]> = people.chunks_exact(2).collect();
    let row = |n: usize| {
        let (pair, day) = (pairs[n % pairs.len()], n / pairs.len());
        AutoMessage {
            id: AutoMessageId::trusted(format!("{day}-{}", pair[0])),
            sender_id: pair[0].clone(),
            receiver_id: pair[1].clone(),
            content: "Günaydın! Bugün nasılsın?".to_owned(),
            send_date: NIGHT,
            planned_for: day.to_string(),
            is_queued: false,
            is_sent: false,
            attempts: 0,
        }
    };
    let rows: Vec<AutoMessage> = (0..count).map(row).collect();
    store.plan(&rows).await?;
    Ok(())
}

/// The consumer's event source mapping in the template.
fn mapping() -> QueuePlan {
    QueuePlan {
        name: "Queue".to_owned(),
        function: "auto-message-consumer".to_owned(),
        queue: SENDING_QUEUE.to_owned(),
        virtual_host: "/".to_owned(),
        batch_size: 100,
        batching_window: Duration::from_secs(1),
        broker_arn: "arn:aws:mq:eu-central-1:123456789012:broker:b:b-1".to_owned(),
        enabled: true,
    }
}

/// The consumer behind its Lambda entry point.
struct Consumer(Entry);

impl Invoker for Consumer {
    fn invoke(&self, call: Invocation) -> BoxFuture<Result<Bytes, InvokeError>> {
        let entry = Arc::clone(&self.0);
        Box::pin(async move {
            let reply = invoke(&entry, call.request_id, u64::MAX, &call.payload).await;
            reply.map(Bytes::from).map_err(|failed| InvokeError::Function {
                error_type: failed.error_type,
                message: failed.error_message,
                payload: None,
            })
        })
    }
}

/// Counts pushes.
#[derive(Default)]
struct PushCounter(AtomicUsize);

#[async_trait]
impl Push for PushCounter {
    async fn send(&self, _: &ConnectionId, _: &str) -> Result<(), PushError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    async fn close(&self, _: &ConnectionId) -> Result<(), PushError> {
        Ok(())
    }
}
