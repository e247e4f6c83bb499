//! A server that is not there, does not answer, or goes and comes back: 503 within the bound, then recovery.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use adapter_mongodb::{Config, Mongo};
use shared::error::StoreError;
use shared::ports::{Probe, Users};
use test_support::fault_proxy::{Fault, FaultProxy};
use test_support::skip;
use tokio::net::TcpListener;

use crate::world::{database, uri, user};

const BOUND: Duration = Duration::from_millis(400);

async fn mongo_at(address: SocketAddr) -> Mongo {
    let uri = format!("mongodb://ada:hunter2@{address}/?directConnection=true");
    Mongo::connect(&Config::new(uri, None).deadline(BOUND)).await.unwrap()
}

/// Every kind of step ends as `Down`, in time, without the password.
async fn assert_down(mongo: &Mongo) {
    let begun = Instant::now();
    let read = Users::by_ids(mongo, &[user("ada").id]).await.unwrap_err();
    let write = mongo.insert(&user("ada")).await.unwrap_err();
    let probe = mongo.check().await.unwrap_err();
    assert!(begun.elapsed() < BOUND * 3 + Duration::from_secs(2), "{:?}", begun.elapsed());
    let told = format!("{read:?} {write:?} {probe:?}");
    assert!(matches!(read, StoreError::Down(_)) && matches!(write, StoreError::Down(_)), "{told}");
    assert!(told.contains("mongodb") && !told.contains("hunter2"), "{told}");
}

#[tokio::test]
async fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    assert_down(&mongo_at(address).await).await;
}

#[tokio::test]
async fn somebody_listens_and_never_answers() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let silent = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok(connection) = listener.accept().await {
            held.push(connection);
        }
    });
    assert_down(&mongo_at(address).await).await;
    silent.abort();
}

/// `host:port` of a plain URI; a test with a proxy needs one.
fn host(uri: &str) -> Option<String> {
    let rest = uri.strip_prefix("mongodb://")?;
    let host = rest.split(['/', '?']).next()?;
    let plain = !host.contains(['@', ',']) && !uri.contains("tls=true");
    plain.then(|| if host.contains(':') { host.to_owned() } else { format!("{host}:27017") })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_connection_is_down_and_the_adapter_reconnects_without_a_restart() {
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
    let mended = Instant::now();
    while mongo.check().await.is_err() {
        assert!(mended.elapsed() < Duration::from_secs(15), "the server was not found again");
    }
    assert_eq!(Users::by_ids(&mongo, std::slice::from_ref(&ada.id)).await.unwrap(), [ada]);
    mongo.drop_database().await.unwrap();
}
