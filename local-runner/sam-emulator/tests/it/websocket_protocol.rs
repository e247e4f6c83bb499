//! Frames of the WebSocket protocol: what is accepted, and how a violation closes the connection.

use std::time::Duration;

use sam_emulator::websocket::PostError;
use serde_json::json;

use crate::raw_client::{
    A_MOMENT, BINARY, CLOSE, CONTINUATION, FIRST_OF_TEXT, LAST_CONTINUATION, PING, PONG, RawClient, TEXT,
    frame,
};
use crate::socket_server::{Setup, SocketServer, ok};
use crate::websocket_close::assert_closed;

const KB: usize = 1024;

#[tokio::test]
async fn a_violation_closes_the_connection_with_the_code_of_its_kind() {
    let mut server = SocketServer::accepting().await;
    let two = |first: Vec<u8>, second: Vec<u8>| [first, second].concat();
    let five_parts = [FIRST_OF_TEXT, CONTINUATION, CONTINUATION, CONTINUATION, CONTINUATION];
    let five_parts = five_parts.map(|first| frame(first, &[b'a'; 32 * KB]));
    let too_large = (1009, "Message too big", "frame too large");
    let not_utf8 = (1007, "Invalid UTF-8", "invalid UTF-8");
    let protocol_error = (1002, "Protocol error", "protocol error");
    for (what, bytes, (code, disconnect, log)) in [
        ("a frame over 32 KB", frame(TEXT, &[b'a'; 32 * KB + 1]), too_large),
        ("a frame that claims 2^63 bytes", [&[TEXT, 0xff][..], &[0x7f; 8], &[0; 4]].concat(), too_large),
        ("a message over 128 KB", five_parts.concat(), (1009, "Message too big", "message too large")),
        ("a binary frame", frame(BINARY, b"\x01"), (1003, "Binary frames are not supported", "binary frame")),
        ("text that is not UTF-8", frame(TEXT, b"ab\xff"), not_utf8),
        (
            "fragments that are not UTF-8",
            two(frame(FIRST_OF_TEXT, b"\xc3"), frame(LAST_CONTINUATION, b"\x28")),
            not_utf8,
        ),
        ("a close text that is not UTF-8", frame(CLOSE, b"\x03\xe8\xff"), not_utf8),
        ("an unmasked frame", b"\x81\x02hi".to_vec(), protocol_error),
        ("a reserved bit", frame(0xc1, b"hi"), protocol_error),
        ("a reserved opcode", frame(0x83, b"hi"), protocol_error),
        ("a ping of 126 bytes", frame(PING, &[b'a'; 126]), protocol_error),
        ("a fragmented ping", frame(0x09, b"hi"), protocol_error),
        ("a continuation without a first frame", frame(LAST_CONTINUATION, b"hi"), protocol_error),
        ("a message within a message", two(frame(FIRST_OF_TEXT, b"a"), frame(TEXT, b"b")), protocol_error),
        ("an HTTP request", b"GET / HTTP/1.1\r\n\r\n".to_vec(), protocol_error),
        ("a close frame of one byte", frame(CLOSE, b"\x03"), protocol_error),
    ] {
        let (mut client, id) = RawClient::connect(server.address).await;
        server.event_of("CONNECT").await;
        client.send(&bytes).await;
        assert_eq!(u64::from(client.close_code().await), code, "{what}");
        drop(client);
        assert_closed(&mut server, &id, code, disconnect, log).await;
    }
    server.no_more_events().await;
}

#[tokio::test]
async fn frames_and_messages_of_the_maximum_size_are_accepted() {
    let mut server = SocketServer::accepting().await;
    let (mut client, _) = RawClient::connect(server.address).await;
    server.event_of("CONNECT").await;
    client.send(&frame(TEXT, &[b'a'; 32 * KB])).await;
    let four_parts = [FIRST_OF_TEXT, CONTINUATION, CONTINUATION, LAST_CONTINUATION];
    client.send(&four_parts.map(|first| frame(first, &[b'b'; 32 * KB])).concat()).await;
    for size in [32 * KB, 128 * KB] {
        let event = server.event_of("MESSAGE").await;
        assert_eq!(event["body"].as_str().unwrap().len(), size);
    }
}

#[tokio::test]
async fn fragments_with_a_ping_between_them_are_one_message() {
    let mut server = SocketServer::accepting().await;
    let (mut client, _) = RawClient::connect(server.address).await;
    server.event_of("CONNECT").await;
    // The two bytes of one letter are in two fragments.
    client.send(&frame(FIRST_OF_TEXT, b"gr\xc3")).await;
    client.send(&frame(PING, b"are you there?")).await;
    assert_eq!(client.frame().await, (PONG, b"are you there?".to_vec()));
    client.send(&frame(LAST_CONTINUATION, b"\xbc\xc3\x9fe")).await;
    assert_eq!(server.event_of("MESSAGE").await["body"], json!("grüße"));
}

#[tokio::test]
async fn frames_in_the_same_segment_as_the_upgrade_request_are_received() {
    let mut server = SocketServer::accepting().await;
    let early = [frame(TEXT, b"one"), frame(TEXT, b"two")].concat();
    let mut client = RawClient::begin(server.address, "/live/", &early).await;
    assert!(client.head().await.starts_with("HTTP/1.1 101"));
    server.event_of("CONNECT").await;
    for body in ["one", "two"] {
        assert_eq!(server.event_of("MESSAGE").await["body"], json!(body));
    }
}

#[tokio::test]
async fn posts_to_a_client_that_does_not_read_fail_when_its_queue_is_full() {
    let setup = Setup::options(|options| {
        options.max_queued_bytes = 256 * KB;
        options.close_timeout = Duration::from_millis(200);
    });
    let mut server = SocketServer::start(setup, |_| async { ok() }).await;
    let (mut client, id) = RawClient::connect(server.address).await;
    server.event_of("CONNECT").await;
    let text = "x".repeat(64 * KB);
    let mut posted = 0;
    let error = loop {
        match server.connections.post(&id, text.clone()).await {
            Ok(()) => posted += 1,
            Err(error) => break error,
        }
        // The kernel buffers an unknown but limited number of frames.
        assert!(posted < 1_000);
        tokio::task::yield_now().await;
    };
    assert_eq!(error, PostError::LimitExceeded);
    // The connection is still read.
    client.send(&frame(TEXT, b"alive")).await;
    assert_eq!(server.event_of("MESSAGE").await["body"], json!("alive"));
    server.connections.delete(&id).await.unwrap();
    assert_eq!(server.disconnect().await.0, 1000);
    tokio::time::sleep(A_MOMENT).await;
    assert_eq!(server.connections.count(), 0);
}
