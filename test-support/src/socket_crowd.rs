//! Many Socket.IO connections that answer pings and count events, and calls of the heartbeat at given times.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use shared::time::Time;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::http_client::{HttpRequest, Port};

/// The longest time until a counter reaches its value.
const PATIENCE: Duration = Duration::from_secs(60);

/// What all connections together have received.
#[derive(Debug, Default)]
pub struct Counters {
    /// Pings, each of which was answered.
    pub pings: AtomicUsize,
    /// Events `user_online`.
    pub arrivals: AtomicUsize,
    /// Events `user_offline`.
    pub departures: AtomicUsize,
    /// Connections that the server has closed.
    pub closed: AtomicUsize,
}

/// Open connections, each handled by a task.
pub struct SocketCrowd {
    /// The connections' ids.
    pub ids: Vec<String>,
    pub counters: Arc<Counters>,
    tasks: JoinSet<()>,
}

impl SocketCrowd {
    /// Opens `count` connections, `per_second` of them each second, with the given access tokens in turn.
    pub async fn connect(port: Port, tokens: &[String], count: usize, per_second: u64) -> Self {
        let counters = Arc::new(Counters::default());
        let mut connecting = JoinSet::new();
        let mut pace = interval(Duration::from_micros(1_000_000 / per_second));
        for token in tokens.iter().cycle().take(count) {
            pace.tick().await;
            connecting.spawn(connect(port, token.clone()));
        }
        let (mut ids, mut tasks) = (Vec::new(), JoinSet::new());
        while let Some(connected) = connecting.join_next().await {
            let (id, socket) = connected.unwrap();
            ids.push(id);
            tasks.spawn(count_events(socket, Arc::clone(&counters)));
        }
        Self { ids, counters, tasks }
    }

    /// Waits until a counter is at least `least`. Returns the time it took.
    pub async fn wait_until(&self, counter: fn(&Counters) -> &AtomicUsize, least: usize) -> Duration {
        let start = Instant::now();
        while counter(&self.counters).load(Ordering::Relaxed) < least {
            assert!(start.elapsed() < PATIENCE, "{least} was not reached: {:?}", self.counters);
            sleep(Duration::from_millis(2)).await;
        }
        start.elapsed()
    }

    /// Lets so many minutes after `start` pass: the heartbeat runs once for each, and every ping is answered in
    /// its minute. Returns how often each connection was pinged.
    pub async fn idle(&self, port: Port, start: i64, minutes: i64) -> usize {
        let mut rounds = 0;
        for minute in 1..=minutes {
            let report = run_heartbeat(port, start, minute);
            assert_eq!(report["closed"], json!(0), "minute {minute}: {report}");
            if report["pinged"].as_u64().unwrap() > 0 {
                rounds += 1;
                self.wait_until(|counters| &counters.pings, rounds * self.ids.len()).await;
                // The pongs that the connections sent carry the time of the clock.
                for id in &self.ids {
                    send_pong(port, id, start + minute * 60_000);
                }
            }
        }
        rounds
    }

    /// Closes all connections.
    pub async fn close(mut self) {
        self.tasks.shutdown().await;
    }
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn connect(port: Port, token: String) -> (String, Socket) {
    let url = format!("ws://127.0.0.1:{}/socket.io/?EIO=4&transport=websocket", port.0);
    let (mut socket, _) = connect_async(url).await.unwrap();
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) if text.starts_with('0') => {
                let auth = json!({ "token": token });
                socket.send(Message::text(format!("40{auth}"))).await.unwrap();
            }
            Some(Ok(Message::Text(text))) if text.starts_with("40") => {
                let session: Value = serde_json::from_str(&text[2..]).unwrap();
                return (session["sid"].as_str().unwrap().to_owned(), socket);
            }
            Some(Ok(_)) => {}
            other => panic!("the connection was not accepted: {other:?}"),
        }
    }
}

async fn count_events(mut socket: Socket, counters: Arc<Counters>) {
    while let Some(Ok(message)) = socket.next().await {
        let Message::Text(text) = message else { continue };
        if text == "2" {
            let _ = socket.send(Message::text("3")).await;
            counters.pings.fetch_add(1, Ordering::Relaxed);
        } else if text.starts_with(r#"42["user_online""#) {
            counters.arrivals.fetch_add(1, Ordering::Relaxed);
        } else if text.starts_with(r#"42["user_offline""#) {
            counters.departures.fetch_add(1, Ordering::Relaxed);
        }
    }
    counters.closed.fetch_add(1, Ordering::Relaxed);
}

/// Milliseconds since the Unix epoch.
pub fn now_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

/// Invokes the heartbeat with the time `minute` minutes after `start`. Returns its report.
pub fn run_heartbeat(port: Port, start: i64, minute: i64) -> Value {
    let time = Time::from_millis(start + minute * 60_000);
    invoke(port, "ws-heartbeat", &json!({ "time": time }))
}

/// Invokes `ws-message` with a connection's pong at a given time.
pub fn send_pong(port: Port, id: &str, at: i64) {
    let event = json!({
        "requestContext": {
            "eventType": "MESSAGE", "connectionId": id, "requestId": "a-pong", "requestTimeEpoch": at,
            "identity": { "sourceIp": "127.0.0.1" },
        },
        "body": "3",
    });
    assert_eq!(invoke(port, "ws-message", &event), json!({ "statusCode": 200 }));
}

/// Calls a function through the Invoke API.
fn invoke(port: Port, function: &str, event: &Value) -> Value {
    let response = HttpRequest::new(port, "POST", &format!("/2015-03-31/functions/{function}/invocations"))
        .body(event.to_string())
        .send();
    let failed = response.header("x-amz-function-error").is_some();
    assert!(response.status == 200 && !failed, "{function}: {}", response.text());
    response.json()
}

/// Resident memory, in bytes, of the process that listens on a port of this machine. `None` without Linux's
/// `/proc`.
pub fn memory_of_listener(port: Port) -> Option<u64> {
    let wanted = format!(":{:04X}", port.0);
    let table = fs::read_to_string("/proc/net/tcp").ok()?;
    let inode = table.lines().find_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        // 0A is LISTEN.
        let listens = columns.get(1)?.ends_with(&wanted) && *columns.get(3)? == "0A";
        listens.then(|| (*columns.get(9).unwrap_or(&"")).to_owned())
    })?;
    let socket = format!("socket:[{inode}]");
    let processes = fs::read_dir("/proc").ok()?.flatten().map(|entry| entry.path());
    let mut owners = processes.filter(|process| {
        let files = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
        files.into_iter().any(|file| fs::read_link(file.path()).is_ok_and(|to| to.as_os_str() == &*socket))
    });
    let status = fs::read_to_string(owners.next()?.join("status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}
