//! Random frames of both dialects over real sockets: the server still serves other clients, and nothing panics.

use serde_json::json;
use shared::connection::Dialect;
use test_support::random_frames::{FrameParts, Random};

use super::socket_client::SocketClient;
use crate::server::shared_server;

#[tokio::test]
async fn random_frames_on_real_sockets_do_not_disturb_the_server() {
    let server = shared_server();
    let (ada, bob, conversation) = server.pair();
    let message = ada.send(&conversation, "hello")["id"].as_str().unwrap().to_owned();
    let parts =
        FrameParts { ids: vec![conversation, message, bob.id.clone()], token: ada.access_token.clone() };
    let mut random = Random(0xD1B5_4A32_D192_ED03);
    for round in 0..60 {
        let dialect = if round % 2 == 0 { Dialect::SocketIo } else { Dialect::Json };
        let mut client = match dialect {
            Dialect::SocketIo => SocketClient::socket_io(&ada).await,
            Dialect::Json => SocketClient::json(&ada).await,
        };
        // The server may close the connection after any of them.
        for _ in 0..100 {
            client.send(&parts.mutated(&mut random, dialect)).await;
        }
    }
    let mut client = SocketClient::json(&bob).await;
    client.send(r#"{"action":"online_users","id":"last"}"#).await;
    assert_eq!(client.receive_event("ack").await["data"]["ok"], json!(true));
    assert!(!server.log().contains("panicked"), "{}", server.log());
}
