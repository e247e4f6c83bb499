//! A crowd of Socket.IO connections that answer pings and count what they hear; the heartbeat fired at given
//! times; and what all that costs the runner. Shared by a test and by `examples/sockets.rs`.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{interval, sleep};
use tokio_tungstenite::tungstenite::Message;

use crate::client::{Call, Port};

/// Nothing takes so long unless it is broken.
const PATIENCE: Duration = Duration::from_secs(60);

/// What all connections together have met.
#[derive(Debug, Default)]
pub(crate) struct Met {
    /// Pings, each answered.
    pub(crate) pings: AtomicUsize,
    /// Events `user_online` of the user that is waited for.
    pub(crate) arrivals: AtomicUsize,
    /// Connections that the server has ended.
    pub(crate) ended: AtomicUsize,
}

/// Connections, each a task of its own.
pub(crate) struct Crowd {
    /// The connections' ids.
    pub(crate) ids: Vec<String>,
    /// What they met.
    pub(crate) met: Arc<Met>,
    lines: JoinSet<()>,
}

impl Crowd {
    /// Connects `count` sockets, the tokens in turn, so many a second.
    pub(crate) async fn gather(port: Port, tokens: &[String], count: usize, per_second: u64) -> Self {
        let met = Arc::new(Met::default());
        let mut joining = JoinSet::new();
        let mut pace = interval(Duration::from_micros(1_000_000 / per_second));
        for token in tokens.iter().cycle().take(count) {
            pace.tick().await;
            joining.spawn(join(port, token.clone()));
        }
        let (mut ids, mut lines) = (Vec::new(), JoinSet::new());
        while let Some(joined) = joining.join_next().await {
            let (id, line) = joined.unwrap();
            ids.push(id);
            lines.spawn(live(line, Arc::clone(&met)));
        }
        Self { ids, met, lines }
    }

    /// Waits until a counter is at least so high; the time that it took.
    pub(crate) async fn until(&self, counter: fn(&Met) -> &AtomicUsize, least: usize) -> Duration {
        let start = Instant::now();
        while counter(&self.met).load(Ordering::Relaxed) < least {
            assert!(start.elapsed() < PATIENCE, "{least} was not reached: {:?}", self.met);
            sleep(Duration::from_millis(2)).await;
        }
        start.elapsed()
    }

    /// Minutes of idleness: the heartbeat runs once for each, and every ping is answered in its minute.
    /// How often each socket was pinged.
    pub(crate) async fn idle(&self, port: Port, start: i64, minutes: i64) -> usize {
        let mut rounds = 0;
        for minute in 1..=minutes {
            let report = fire(port, start, minute);
            assert_eq!(report["closed"], json!(0), "minute {minute}: {report}");
            let pinged = usize::try_from(report["pinged"].as_u64().unwrap()).unwrap();
            if pinged > 0 {
                rounds += 1;
                self.until(|met| &met.pings, rounds * self.ids.len()).await;
                self.answer_at(port, start, minute);
            }
        }
        rounds
    }

    /// The pongs as the gateway would hand them over in that minute. The sockets' own carry today's time.
    fn answer_at(&self, port: Port, start: i64, minute: i64) {
        for id in &self.ids {
            pong(port, id, start + minute * 60_000);
        }
    }

    /// Hangs up.
    pub(crate) async fn leave(mut self) {
        self.lines.shutdown().await;
    }
}

type Line = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

async fn join(port: Port, token: String) -> (String, Line) {
    let url = format!("ws://127.0.0.1:{}/socket.io/?EIO=4&transport=websocket", port.0);
    let (mut line, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    loop {
        match line.next().await {
            Some(Ok(Message::Text(text))) if text.starts_with('0') => {
                let connect = json!({ "token": token });
                line.send(Message::text(format!("40{connect}"))).await.unwrap();
            }
            Some(Ok(Message::Text(text))) if text.starts_with("40") => {
                let session: Value = serde_json::from_str(&text[2..]).unwrap();
                return (session["sid"].as_str().unwrap().to_owned(), line);
            }
            Some(Ok(_)) => {}
            other => panic!("no connection: {other:?}"),
        }
    }
}

async fn live(mut line: Line, met: Arc<Met>) {
    while let Some(Ok(message)) = line.next().await {
        let Message::Text(text) = message else { continue };
        if text == "2" {
            let _ = line.send(Message::text("3")).await;
            met.pings.fetch_add(1, Ordering::Relaxed);
        } else if text.starts_with(r#"42["user_online""#) {
            met.arrivals.fetch_add(1, Ordering::Relaxed);
        }
    }
    met.ended.fetch_add(1, Ordering::Relaxed);
}

/// Milliseconds since the Unix epoch.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

/// Fires the heartbeat as if so many minutes had passed since `start`; its report.
pub(crate) fn fire(port: Port, start: i64, minute: i64) -> Value {
    invoke(port, "ws-heartbeat", &json!({ "time": rfc_3339(start + minute * 60_000) }))
}

/// RFC 3339 of milliseconds since the Unix epoch.
pub(crate) fn rfc_3339(milliseconds: i64) -> String {
    jiff::Timestamp::from_millisecond(milliseconds).unwrap().to_string()
}

/// A pong of a connection, as the gateway hands it over at a time.
pub(crate) fn pong(port: Port, id: &str, at: i64) {
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
    let answer = Call::new(port, "POST", &format!("/2015-03-31/functions/{function}/invocations"))
        .body(event.to_string())
        .send();
    let failed = answer.header("x-amz-function-error").is_some();
    assert!(answer.status == 200 && !failed, "{function}: {}", answer.text());
    answer.json()
}

/// Resident memory, in bytes, of the process that listens on a port of this machine.
pub(crate) fn memory_of_listener(port: Port) -> Option<u64> {
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
