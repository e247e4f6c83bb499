//! Why a connection closed: for every reason the client's close frame, the `$disconnect` event and one log line.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use sam_emulator::websocket::CloseReason;
use sam_emulator::websocket::WebSocketOptions;
use tokio::sync::Semaphore;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::raw_client::{A_MOMENT, BINARY, CLOSE, RawClient, TEXT, frame};
use crate::socket_server::{CloseLine, Setup, SocketServer, ok, receive, receive_close};

const KB: usize = 1024;

/// Asserts the close of the connection `id`: its `$disconnect` event, and exactly one log line.
pub(crate) async fn assert_closed(
    server: &mut SocketServer,
    id: &str,
    code: u64,
    disconnect: &str,
    log: &str,
) {
    assert_eq!(server.disconnect().await, (code, disconnect.to_owned()), "{log}");
    let line = CloseLine { connection_id: id.to_owned(), code, reason: log.to_owned() };
    let lines: Vec<CloseLine> =
        server.close_lines().into_iter().filter(|line| line.connection_id == id).collect();
    assert_eq!(lines, [line]);
    assert!(server.connections.get(id).await.is_err(), "{log}");
}

async fn with_options(change: impl FnOnce(&mut WebSocketOptions)) -> SocketServer {
    SocketServer::start(Setup::options(change), |_| async { ok() }).await
}

#[tokio::test]
async fn a_close_by_the_client_is_logged_with_the_clients_code() {
    let mut server = SocketServer::accepting().await;
    let with = |code: u16, reason: &str| Some(CloseFrame { code: code.into(), reason: reason.into() });
    for (frame, code, reason) in [
        (None, 1005, "Client-side close frame status not set"),
        (with(1000, "bye"), 1000, "bye"),
        (with(1001, ""), 1001, ""),
        (with(4001, "own"), 4001, "own"),
    ] {
        let (mut client, id) = server.connect().await;
        server.event_of("CONNECT").await;
        client.close(frame).await.unwrap();
        assert_closed(&mut server, &id, code, reason, "closed by client").await;
        assert!(
            matches!(receive(&mut client).await, Message::Close(_)),
            "the server answers the close frame"
        );
    }
}

#[tokio::test]
async fn a_close_frame_with_a_forbidden_code_is_a_protocol_error() {
    let mut server = SocketServer::accepting().await;
    for code in [1005_u16, 1006, 1015, 999] {
        let (mut client, id) = RawClient::connect(server.address).await;
        server.event_of("CONNECT").await;
        client.send(&frame(CLOSE, &code.to_be_bytes())).await;
        assert_eq!(client.close_code().await, 1002, "{code}");
        drop(client);
        assert_closed(&mut server, &id, 1002, "Protocol error", "protocol error").await;
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed_with_1001() {
    let mut server = with_options(|options| options.idle_timeout = Duration::from_millis(200)).await;
    let (mut client, id) = server.connect().await;
    server.event_of("CONNECT").await;
    assert_eq!(receive_close(&mut client).await, (1001, "Going away".to_owned()));
    drop(client);
    assert_closed(&mut server, &id, 1001, "Going away", "idle timeout").await;
}

#[tokio::test]
async fn a_connection_is_closed_with_1001_at_its_maximum_lifetime() {
    let mut server = with_options(|options| options.max_lifetime = Duration::from_millis(200)).await;
    let (mut client, id) = server.connect().await;
    server.event_of("CONNECT").await;
    assert_eq!(receive_close(&mut client).await, (1001, "Going away".to_owned()));
    drop(client);
    assert_closed(&mut server, &id, 1001, "Going away", "two-hour limit").await;
}

#[tokio::test]
async fn a_delete_through_the_management_api_closes_with_1000() {
    let mut server = SocketServer::accepting().await;
    let (mut client, id) = server.connect().await;
    server.event_of("CONNECT").await;
    let response = server.http(&format!("DELETE /live/@connections/{id}"), b"").await;
    assert!(response.starts_with("HTTP/1.1 204"), "{response}");
    assert_eq!(receive_close(&mut client).await, (1000, "Connection Closed Normally".to_owned()));
    drop(client);
    assert_closed(&mut server, &id, 1000, "Connection Closed Normally", "deleted through @connections").await;
}

#[tokio::test]
async fn a_deleted_connection_whose_client_does_not_read_is_closed_after_the_close_timeout() {
    let mut server = with_options(|options| options.close_timeout = Duration::from_millis(100)).await;
    let (client, id) = RawClient::connect(server.address).await;
    server.event_of("CONNECT").await;
    while server.connections.post(&id, "x".repeat(64 * KB)).await.is_ok() {
        tokio::task::yield_now().await;
    }
    server.connections.delete(&id).await.unwrap();
    assert_closed(&mut server, &id, 1000, "Connection Closed Normally", "deleted through @connections").await;
    drop(client);
}

#[tokio::test]
async fn the_shutdown_of_the_server_closes_every_connection_with_1001() {
    let mut server = SocketServer::accepting().await;
    let (mut clients, mut ids) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        let (client, id) = server.connect().await;
        server.event_of("CONNECT").await;
        clients.push(client);
        ids.push(id);
    }
    let closed = tokio::spawn(async move {
        for client in &mut clients {
            assert_eq!(receive_close(client).await, (1001, "Going away".to_owned()));
            // Reading once more sends the answer to the close frame.
            let _ = futures::StreamExt::next(client).await;
        }
    });
    server.stop().await;
    for _ in 0..5 {
        assert_eq!(server.disconnect().await, (1001, "Going away".to_owned()));
    }
    server.no_more_events().await;
    closed.await.unwrap();
    let mut lines = server.close_lines();
    assert!(lines.iter().all(|line| (line.code, line.reason.as_str()) == (1001, "server shutdown")));
    lines.sort_by(|a, b| a.connection_id.cmp(&b.connection_id));
    ids.sort();
    assert_eq!(lines.into_iter().map(|line| line.connection_id).collect::<Vec<_>>(), ids);
}

#[tokio::test]
async fn a_client_that_disconnects_without_a_close_frame_is_a_lost_connection() {
    let mut server = SocketServer::accepting().await;
    let (client, id) = server.connect().await;
    server.event_of("CONNECT").await;
    drop(client);
    assert_closed(&mut server, &id, 1006, "", "connection lost").await;
}

#[tokio::test]
async fn a_client_that_only_shuts_down_its_sending_side_is_a_lost_connection() {
    let mut server = SocketServer::accepting().await;
    let (client, id) = RawClient::connect(server.address).await;
    server.event_of("CONNECT").await;
    let (_read, mut write) = client.socket.into_split();
    tokio::io::AsyncWriteExt::shutdown(&mut write).await.unwrap();
    assert_closed(&mut server, &id, 1006, "", "connection lost").await;
}

#[tokio::test]
async fn a_failed_write_is_logged_when_the_socket_is_not_read() {
    let gate = Arc::new(Semaphore::new(0));
    let waiting = Arc::clone(&gate);
    let setup = Setup::options(|options| options.max_waiting_messages = 1);
    let mut server = SocketServer::start(setup, move |event| {
        let waiting = Arc::clone(&waiting);
        async move {
            if event["body"].is_string() {
                waiting.acquire().await.unwrap().forget();
            }
            ok()
        }
    })
    .await;
    let (mut client, id) = RawClient::connect(server.address).await;
    server.event_of("CONNECT").await;
    // One message runs and one waits: the server does not read, so only a write can notice the lost connection.
    client.send(&[frame(TEXT, b"one"), frame(TEXT, b"two")].concat()).await;
    server.event_of("MESSAGE").await;
    server.no_more_events().await;
    client.socket.set_zero_linger().unwrap();
    drop(client);
    tokio::time::sleep(A_MOMENT).await;
    server.connections.post(&id, "x").await.unwrap();
    gate.add_permits(2);
    server.event_of("MESSAGE").await;
    assert_closed(&mut server, &id, 1006, "", "write failed").await;
}

#[tokio::test]
async fn a_client_that_disconnects_during_connect_never_completes_the_upgrade() {
    let (allow, allowed) = tokio::sync::watch::channel(false);
    let mut server = SocketServer::start(Setup::default(), move |_| {
        let mut allowed = allowed.clone();
        async move {
            allowed.wait_for(|allowed| *allowed).await.unwrap();
            ok()
        }
    })
    .await;
    let client = RawClient::begin(server.address, "/live", b"").await;
    let connect = server.event_of("CONNECT").await;
    let id = connect["requestContext"]["connectionId"].as_str().unwrap();
    assert!(
        server.connections.get(id).await.is_err(),
        "the connection exists only after $connect has returned"
    );
    drop(client);
    // Until the server has noticed that the client is gone.
    tokio::time::sleep(A_MOMENT).await;
    allow.send(true).unwrap();
    assert_closed(&mut server, id, 1006, "", "upgrade never completed").await;
    server.no_more_events().await;
    assert_eq!(server.connections.count(), 0);
}

#[tokio::test]
async fn a_refused_upgrade_is_not_logged_as_a_close() {
    let setup = Setup { timeout: Duration::from_millis(50), ..Setup::default() };
    let server = SocketServer::start(setup, |_| std::future::pending()).await;
    assert_eq!(server.refused("/live").await.0, 504);
    assert_eq!(server.refused("/nowhere").await.0, 403);
    assert_eq!(server.close_lines(), []);
}

/// The idle timeout, the client and `DELETE` close the same connection at about the same time; then the server stops.
#[tokio::test]
async fn every_connection_is_logged_and_disconnected_once_when_several_reasons_compete() {
    let mut server = with_options(|options| options.idle_timeout = Duration::from_millis(20)).await;
    let mut ids = BTreeSet::new();
    for round in 0..40_u64 {
        let (mut client, id) = RawClient::connect(server.address).await;
        tokio::time::sleep(Duration::from_millis(10 + round % 20)).await;
        client.send(&[frame(CLOSE, b""), frame(BINARY, b"x")].concat()).await;
        // An error means that the connection is closed already.
        let _ = server.connections.delete(&id).await;
        drop(client);
        ids.insert(id);
    }
    let (client, id) = server.connect().await;
    ids.insert(id);
    server.stop().await;
    drop(client);
    let lines = server.close_lines();
    assert_eq!(lines.len(), ids.len(), "{lines:#?}");
    assert_eq!(lines.into_iter().map(|line| line.connection_id).collect::<BTreeSet<_>>(), ids);
    for kind in ["CONNECT", "DISCONNECT"] {
        assert_eq!(server.received(kind), ids.len(), "{kind}");
    }
}

#[test]
fn every_reason_has_a_fixed_log_text_and_a_code_of_rfc_6455() {
    let by_client = CloseReason::from_close_frame(None);
    let reasons = [
        (by_client, 1005, "closed by client"),
        (CloseReason::InvalidCloseFrame, 1002, "protocol error"),
        (CloseReason::ProtocolError, 1002, "protocol error"),
        (CloseReason::Deleted, 1000, "deleted through @connections"),
        (CloseReason::IdleTimeout, 1001, "idle timeout"),
        (CloseReason::LifetimeLimit, 1001, "two-hour limit"),
        (CloseReason::ServerShutdown, 1001, "server shutdown"),
        (CloseReason::FrameTooLarge, 1009, "frame too large"),
        (CloseReason::MessageTooLarge, 1009, "message too large"),
        (CloseReason::BinaryFrame, 1003, "binary frame"),
        (CloseReason::InvalidUtf8, 1007, "invalid UTF-8"),
        (CloseReason::ConnectionLost, 1006, "connection lost"),
        (CloseReason::WriteFailed, 1006, "write failed"),
        (CloseReason::UpgradeIncomplete, 1006, "upgrade never completed"),
    ];
    for (reason, code, text) in reasons {
        assert_eq!((reason.code(), reason.log_text()), (code, text), "{reason:?}");
    }
}
