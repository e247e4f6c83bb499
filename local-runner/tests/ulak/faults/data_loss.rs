//! Redis loses its data while users are online: they log in again, and everything works as before.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use serde_json::{Value, json};
use test_support::person::Person;
use test_support::test_server::TestServer;
use test_support::{server_url, unique_name};
use tokio::runtime::Runtime;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::server::own_server;

const PATIENCE: Duration = Duration::from_secs(15);

type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

/// A user's socket in the JSON dialect, for tests that block.
struct BlockingSocket {
    runtime: Runtime,
    socket: Socket,
}

impl BlockingSocket {
    fn open(person: &Person) -> Self {
        let runtime = Runtime::new().unwrap();
        let url = format!("ws://127.0.0.1:{}/live?token={}", person.port.0, person.access_token);
        let (socket, _) = runtime.block_on(connect_async(url)).unwrap();
        let mut opened = Self { runtime, socket };
        assert!(opened.request("online_users").is_some(), "the socket was closed");
        opened
    }

    /// Sends an action without data and returns its ack; `None` if the socket is closed instead.
    fn request(&mut self, action: &str) -> Option<Value> {
        use futures::SinkExt as _;
        let frame = json!({ "action": action, "id": "1", "data": {} }).to_string();
        self.runtime.block_on(self.socket.send(Message::text(frame))).ok()?;
        self.receive("ack")
    }

    /// The data of the next event with this name; `None` if the socket is closed instead.
    fn receive(&mut self, event: &str) -> Option<Value> {
        let socket = &mut self.socket;
        let wait = async {
            while let Some(Ok(frame)) = socket.next().await {
                match frame {
                    Message::Text(text) => {
                        let value: Value = serde_json::from_str(&text).unwrap();
                        if value["event"] == event {
                            return Some(value["data"].clone());
                        }
                    }
                    Message::Close(_) => return None,
                    _ => {}
                }
            }
            None
        };
        let bounded = async { tokio::time::timeout(PATIENCE, wait).await };
        self.runtime.block_on(bounded).expect("no event, and the socket is open")
    }
}

/// Deletes all keys with a prefix, as FLUSHALL would on a server that other tests do not use. Returns their number.
fn delete_keys(url: &str, prefix: &str) -> u64 {
    let server = url.trim_start_matches("redis://").split(['/', '?']).next().unwrap();
    let server = server.rsplit('@').next().unwrap();
    let mut stream = TcpStream::connect(server).unwrap();
    let script = "local n = 0 for _, k in ipairs(redis.call('KEYS', ARGV[1])) do n = n + redis.call('DEL', k) end return n";
    let words = ["EVAL", script, "0", &format!("*{prefix}*")];
    let mut command = format!("*{}\r\n", words.len());
    words.iter().for_each(|word| command.push_str(&format!("${}\r\n{word}\r\n", word.len())));
    stream.write_all(command.as_bytes()).unwrap();
    let mut answer = [0; 64];
    let length = stream.read(&mut answer).unwrap();
    let text = std::str::from_utf8(&answer[..length]).unwrap().trim();
    text.strip_prefix(':').unwrap_or_else(|| panic!("{text}")).parse().unwrap()
}

fn online(server: &TestServer, user: &Person) -> Value {
    Person { port: server.port(), ..user.clone() }.get("/api/user/online").data(200)
}

#[test]
fn users_reconnect_after_redis_lost_its_data() {
    let Some(url) = server_url("REDIS_URL") else { return };
    let prefix = format!("ulak-test-{}", unique_name());
    let server = own_server(&[("REDIS_URL", &url), ("REDIS_PREFIX", &prefix), ("MONGODB_DATABASE", &prefix)]);
    let (ada, bob, conversation) = server.pair();
    let before = ada.send(&conversation, "before");
    let (mut adas, mut bobs) = (BlockingSocket::open(&ada), BlockingSocket::open(&bob));
    assert_eq!(online(&server, &ada)["count"], 2);

    assert!(delete_keys(&url, &prefix) > 4, "hardly any key was deleted");
    server.request("GET", "/api/health").data(200);
    ada.get("/api/auth/me").fails(401, "TOKEN_REVOKED");
    // An event on a socket without a stored connection closes the socket, so that the client reconnects.
    assert_eq!(adas.request("online_users"), None);

    let (ada, bob) = (ada.log_in(), bob.log_in());
    assert_eq!(online(&server, &ada)["count"], 0);
    let (mut adas, _bobs) = (BlockingSocket::open(&ada), BlockingSocket::open(&bob));
    assert_eq!(online(&server, &ada)["count"], 2);
    let after = bob.send(&conversation, "after");
    assert_eq!(adas.receive("message_received").unwrap()["message"], after);
    assert_eq!(ada.whole_history(&conversation), [before, after]);
    // A socket without a stored connection is not counted as online, and its end changes nothing.
    assert_eq!(bobs.request("online_users"), None);
    drop(bobs);
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(1) {
        assert_eq!(online(&server, &ada)["count"], 2);
        thread::sleep(Duration::from_millis(100));
    }
}
