//! A server that is unreachable, unresponsive, or cut off for a while: `Down` within the deadline, then recovery.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use adapter_mongodb::{Config, Mongo};
use shared::error::StoreError;
use shared::ports::{Probe, Users};
use test_support::fault_proxy::{Fault, FaultProxy};
use test_support::skip;
use tokio::net::TcpListener;

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
        skip("set MONGODB_URI to mongodb://host:port without credentials");
        return;
    };
    let proxy = FaultProxy::start(&server).await;
    let config =
        Config::new(format!("mongodb://{}/?directConnection=true", proxy.address), Some(&database()));
    let mongo = Mongo::connect(&config.deadline(Duration::from_secs(2))).await.unwrap();
    let ada = user("ada");
    mongo.insert(&ada).await.unwrap();
    proxy.set(Fault::Refusing);
    let down = mongo.insert(&user("bob")).await.unwrap_err();
    assert!(matches!(down, StoreError::Down(_)), "{down:?}");
    proxy.set(Fault::None);
    let restored = Instant::now();
    while mongo.check().await.is_err() {
        assert!(restored.elapsed() < Duration::from_secs(15), "the adapter did not reconnect");
    }
    assert_eq!(Users::by_ids(&mongo, std::slice::from_ref(&ada.id)).await.unwrap(), [ada]);
    mongo.drop_database().await.unwrap();
}
