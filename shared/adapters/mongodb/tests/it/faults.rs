//! A server that is unreachable, unresponsive, or cut off for a while: `Down` within the deadline, then recovery.

use shared::contract::aloud;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use adapter_mongodb::{Config, Mongo};
use shared::error::StoreError;
use shared::ports::{Probe, Users};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::test_database::{database, uri, user};

const DEADLINE: Duration = Duration::from_millis(400);

async fn mongo_at(address: SocketAddr) -> Mongo {
    let uri = format!("mongodb://ada:hunter2@{address}/?directConnection=true");
    Mongo::connect(&Config::new(uri, None).deadline(DEADLINE)).await.unwrap()
}

/// A read, a write and a probe fail within their deadlines, and no error contains the password.
async fn assert_down(mongo: &Mongo) {
    let start = Instant::now();
    let read = Users::by_ids(mongo, &[user("ada").id]).await.unwrap_err();
    let write = mongo.insert(&user("ada")).await.unwrap_err();
    let probe = mongo.check().await.unwrap_err();
    assert!(start.elapsed() < DEADLINE * 3 + Duration::from_secs(2), "{:?}", start.elapsed());
    let errors = format!("{read:?} {write:?} {probe:?}");
    assert!(matches!(read, StoreError::Down(_)) && matches!(write, StoreError::Down(_)), "{errors}");
    assert!(errors.contains("mongodb") && !errors.contains("hunter2"), "{errors}");
}

#[tokio::test]
async fn operations_fail_within_the_deadline_when_no_server_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    assert_down(&mongo_at(address).await).await;
}

#[tokio::test]
async fn operations_fail_within_the_deadline_when_the_server_never_answers() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let unresponsive = tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok(connection) = listener.accept().await {
            open.push(connection);
        }
    });
    assert_down(&mongo_at(address).await).await;
    unresponsive.abort();
}

/// A TCP proxy in front of the server; its connections can be cut and restored.
struct Proxy {
    address: SocketAddr,
    is_cut: Arc<AtomicBool>,
    connections: Arc<Mutex<JoinSet<()>>>,
}

impl Proxy {
    async fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let proxy = Self { address, is_cut: Arc::default(), connections: Arc::default() };
        let (is_cut, connections) = (proxy.is_cut.clone(), proxy.connections.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let mut connections = connections.lock().unwrap();
                if !is_cut.load(Ordering::SeqCst) {
                    connections.spawn(forward(client, server.clone()));
                }
            }
        });
        proxy
    }

    /// Closes every connection and accepts no new one; no byte is forwarded after this returns.
    async fn cut(&self) {
        self.is_cut.store(true, Ordering::SeqCst);
        let mut connections = std::mem::take(&mut *self.connections.lock().unwrap());
        connections.shutdown().await;
    }

    fn restore(&self) {
        self.is_cut.store(false, Ordering::SeqCst);
    }
}

async fn forward(mut client: TcpStream, server: String) {
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
}

/// `host:port` of a URI without credentials and TLS; only such a server can be reached through the proxy.
fn host(uri: &str) -> Option<String> {
    let rest = uri.strip_prefix("mongodb://")?;
    let host = rest.split(['/', '?']).next()?;
    let plain = !host.contains(['@', ',']) && !uri.contains("tls=true");
    plain.then(|| if host.contains(':') { host.to_owned() } else { format!("{host}:27017") })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operations_fail_while_the_server_is_cut_off_and_succeed_afterwards() {
    let Some(uri) = uri() else { return };
    let Some(server) = host(&uri) else {
        aloud("SKIPPED: set MONGODB_URI to mongodb://host:port without credentials to run this test");
        return;
    };
    let proxy = Proxy::to(server).await;
    let config =
        Config::new(format!("mongodb://{}/?directConnection=true", proxy.address), Some(&database()));
    let mongo = Mongo::connect(&config.deadline(Duration::from_secs(2))).await.unwrap();
    let ada = user("ada");
    mongo.insert(&ada).await.unwrap();
    proxy.cut().await;
    let down = mongo.insert(&user("bob")).await.unwrap_err();
    assert!(matches!(down, StoreError::Down(_)), "{down:?}");
    proxy.restore();
    let restored = Instant::now();
    while mongo.check().await.is_err() {
        assert!(restored.elapsed() < Duration::from_secs(15), "the adapter did not reconnect");
    }
    assert_eq!(Users::by_ids(&mongo, std::slice::from_ref(&ada.id)).await.unwrap(), [ada]);
    mongo.drop_database().await.unwrap();
}
