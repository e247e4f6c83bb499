//! What automatic messages cost on the embedded store, on the disk of this machine:
//!
//! `cargo run --release -p local-runner --example automatic -- plan --users 1000000` plans a night, and
//! `cargo run --release -p local-runner --example automatic -- flow --messages 20000` takes rows that are due all
//! the way to their receivers' sockets.

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

type Failed = Box<dyn Error + Send + Sync>;

/// 02:00 in Istanbul.
const NIGHT: Time = Time::from_millis(1_796_166_000_000);
/// Callers that store users at once, so that they share commits.
const CALLERS: usize = 256;
/// People among whom the rows of `flow` are planned.
const PEOPLE: usize = 2_000;

/// Measures planning and delivery of automatic messages
#[derive(Parser)]
enum Command {
    /// Plan a night for so many users: time and peak memory
    Plan {
        /// Active users
        #[arg(long, default_value_t = 1_000_000)]
        users: usize,
    },
    /// Take due rows to their receivers: rows per second
    Flow {
        /// Rows that are due at once
        #[arg(long, default_value_t = 20_000)]
        messages: usize,
    },
}

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let command = Command::parse();
    shared::telemetry::start("info,ulak::request=warn");
    let home = tempfile::Builder::new().prefix("ulak-automatic-").tempdir()?;
    let store: &'static Embedded = leak(Embedded::open(home.path())?);
    match command {
        Command::Plan { users } => plan(store, users).await,
        Command::Flow { messages } => flow(store, messages).await,
    }
}

fn say(text: &str) -> Result<(), Failed> {
    Ok(writeln!(stdout(), "{text}")?)
}

async fn plan(store: &'static Embedded, users: usize) -> Result<(), Failed> {
    let start = Instant::now();
    register(store, users).await?;
    let registered = resident("VmRSS");
    say(&format!("{users} users stored in {:.1?}, {registered:.0} MB resident", start.elapsed()))?;
    // From here on the peak is the planner's.
    std::fs::write("/proc/self/clear_refs", "5")?;
    let mut env = Env::of([]);
    let settings = auto_message_planner::Settings::from_env(&mut env);
    for run in ["first", "second"] {
        let start = Instant::now();
        let report = auto_message_planner::handle(store, store, &settings, tick(NIGHT)).await?;
        let (took, peak) = (start.elapsed(), resident("VmHWM"));
        let auto_message_planner::Report { planned_for, users, planned } = report;
        say(&format!(
            "{run} run for {planned_for}: {users} users, {planned} planned in {took:.1?}, peak {peak:.0} MB resident"
        ))?;
    }
    Ok(())
}

async fn flow(store: &'static Embedded, messages: usize) -> Result<(), Failed> {
    let people = register(store, PEOPLE).await?;
    for person in &people {
        connect(store, person).await?;
    }
    due(store, &people, messages).await?;
    say(&format!("{messages} rows are due among {PEOPLE} connected people"))?;

    let pushed: &'static Sockets = leak(Sockets::default());
    let fanout = Fanout { connections: store, rooms: store, push: pushed };
    let chat = ChatPorts { users: store, members: MemberLookup::over(store, store), messages: store, fanout };
    let ports = auto_message_consumer::Ports { auto_messages: store, outbox: store, chat };
    let function = Function(queue(move |batch| auto_message_consumer::handle(ports, batch)));
    let stop = Arc::new(Notify::new());
    let stopped = Arc::clone(&stop);
    let start = Instant::now();
    let poller =
        Poller::new(mapping(), EmbeddedSource::new(store, SENDING_QUEUE.to_owned()), Arc::new(function));
    let poller = tokio::spawn(poller.run(async move { stopped.notified().await }));

    let mut queued = 0;
    while queued < messages as u64 {
        queued += auto_message_queuer::handle(store, store, tick(NIGHT)).await?.queued;
    }
    rate("queued, with confirms", messages, start.elapsed())?;
    // Each row is told to the receiver's device and to the sender's.
    while pushed.0.load(Ordering::Relaxed) < 2 * messages {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    rate("due -> delivered to sockets", messages, start.elapsed())?;
    stop.notify_one();
    poller.await?;
    let left: u64 = store.depths().await?.iter().map(|depth| depth.ready + depth.unacked).sum();
    say(&format!(
        "{left} jobs left, {} pushes, peak {:.0} MB resident",
        pushed.0.load(Ordering::Relaxed),
        resident("VmHWM")
    ))
}

fn rate(what: &str, rows: usize, took: Duration) -> Result<(), Failed> {
    say(&format!("{what}: {rows} rows in {took:.2?}, {:.0} per second", rows as f64 / took.as_secs_f64()))
}

fn tick(now: Time) -> ScheduledRun {
    ScheduledRun { id: "a-measurement".to_owned(), now, entropy: Entropy::default(), budget: None }
}

/// A line of `/proc/self/status`, in MB.
fn resident(line: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let found = status
        .lines()
        .find_map(|text| text.strip_prefix(line)?.split_whitespace().nth(1)?.parse::<f64>().ok());
    found.unwrap_or(0.0) / 1_024.0
}

/// Stores users who were seen an hour before the night.
async fn register(store: &'static Embedded, count: usize) -> Result<Vec<UserId>, Failed> {
    let tasks: Vec<_> = (0..CALLERS)
        .map(|caller| {
            tokio::spawn(async move {
                let mut ids = Vec::new();
                for n in (caller..count).step_by(CALLERS) {
                    let user = user(n);
                    store.insert(&user).await?;
                    ids.push(user.id);
                }
                Ok::<_, Failed>(ids)
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

async fn connect(store: &Embedded, user: &UserId) -> Result<(), Failed> {
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

/// Plans rows for every two of `people`, over as many days as it takes.
async fn due(store: &Embedded, people: &[UserId], count: usize) -> Result<(), Failed> {
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

/// As in the template.
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

/// The consumer behind its door.
struct Function(Entry);

impl Invoker for Function {
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

/// Counts what arrives.
#[derive(Default)]
struct Sockets(AtomicUsize);

#[async_trait]
impl Push for Sockets {
    async fn send(&self, _: &ConnectionId, _: &str) -> Result<(), PushError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    async fn close(&self, _: &ConnectionId) -> Result<(), PushError> {
        Ok(())
    }
}
