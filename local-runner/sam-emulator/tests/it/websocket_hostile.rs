//! What hostile or broken clients send, and how their connections end.

use std::time::Duration;

use serde_json::json;

use crate::websocket_raw::{A_MOMENT, Raw, frame};
use crate::websocket_world::{Setup, World};

const TEXT: u8 = 0x81;
const TEXT_BEGIN: u8 = 0x01;
const MORE: u8 = 0x00;
const LAST: u8 = 0x80;
const KB: usize = 1024;

#[tokio::test]
async fn each_breach_has_its_close_code_and_is_disconnected_with_it() {
    let mut world = World::quiet().await;
    let whole = |parts: &[Vec<u8>]| parts.concat();
    let five_parts = [TEXT_BEGIN, MORE, MORE, MORE, MORE].map(|first| frame(first, &[b'a'; 32 * KB]));
    for (what, bytes, code) in [
        ("a frame over 32 KB", frame(TEXT, &[b'a'; 32 * KB + 1]), 1009),
        ("a frame that claims 2^63 bytes", [&[TEXT, 0xff][..], &[0x7f; 8], &[0; 4]].concat(), 1009),
        ("a message over 128 KB", five_parts.concat(), 1009),
        ("binary", frame(0x82, b"\x01"), 1003),
        ("text that is not UTF-8", frame(TEXT, b"ab\xff"), 1007),
        ("fragments that are not UTF-8", whole(&[frame(TEXT_BEGIN, b"\xc3"), frame(LAST, b"\x28")]), 1007),
        ("an unmasked frame", b"\x81\x02hi".to_vec(), 1002),
        ("a reserved bit", frame(0xc1, b"hi"), 1002),
        ("a reserved opcode", frame(0x83, b"hi"), 1002),
        ("a ping of 126 bytes", frame(0x89, &[b'a'; 126]), 1002),
        ("a fragmented ping", frame(0x09, b"hi"), 1002),
        ("a continuation of nothing", frame(LAST, b"hi"), 1002),
        ("a message within a message", whole(&[frame(TEXT_BEGIN, b"a"), frame(TEXT, b"b")]), 1002),
        ("HTTP", b"GET / HTTP/1.1\r\n\r\n".to_vec(), 1002),
        ("a close of one byte", frame(0x88, b"\x03"), 1002),
    ] {
        let (mut raw, id) = Raw::connect(world.address).await;
        world.event_of("CONNECT").await;
        raw.send(&bytes).await;
        assert_eq!(raw.close_code().await, code, "{what}");
        drop(raw);
        assert_eq!(world.disconnect().await.0, u64::from(code), "{what}");
        assert!(world.connections.get(&id).await.is_err(), "{what}");
    }
    world.no_more_events().await;
}

#[tokio::test]
async fn the_largest_frames_and_messages_pass() {
    let mut world = World::quiet().await;
    let (mut raw, _) = Raw::connect(world.address).await;
    world.event_of("CONNECT").await;
    raw.send(&frame(TEXT, &[b'a'; 32 * KB])).await;
    let four = [TEXT_BEGIN, MORE, MORE, LAST].map(|first| frame(first, &[b'b'; 32 * KB]));
    raw.send(&four.concat()).await;
    for size in [32 * KB, 128 * KB] {
        let event = world.event_of("MESSAGE").await;
        assert_eq!(event["body"].as_str().unwrap().len(), size);
    }
}

#[tokio::test]
async fn fragments_and_pings_between_them_are_one_message() {
    let mut world = World::quiet().await;
    let (mut raw, _) = Raw::connect(world.address).await;
    world.event_of("CONNECT").await;
    // The two bytes of one letter in two fragments.
    raw.send(&frame(TEXT_BEGIN, b"gr\xc3")).await;
    raw.send(&frame(0x89, b"are you there?")).await;
    assert_eq!(raw.frame().await, (0x8a, b"are you there?".to_vec()));
    raw.send(&frame(LAST, b"\xbc\xc3\x9fe")).await;
    assert_eq!(world.event_of("MESSAGE").await["body"], json!("grüße"));
}

#[tokio::test]
async fn frames_sent_with_the_upgrade_are_not_lost() {
    let mut world = World::quiet().await;
    let early = [frame(TEXT, b"one"), frame(TEXT, b"two")].concat();
    let mut raw = Raw::begin(world.address, "/live/", &early).await;
    assert!(raw.head().await.starts_with("HTTP/1.1 101"));
    world.event_of("CONNECT").await;
    for body in ["one", "two"] {
        assert_eq!(world.event_of("MESSAGE").await["body"], json!(body));
    }
}

#[tokio::test]
async fn a_peer_that_only_half_closes_is_disconnected_as_abnormal() {
    let mut world = World::quiet().await;
    let (raw, _) = Raw::connect(world.address).await;
    world.event_of("CONNECT").await;
    let (_read, mut write) = raw.socket.into_split();
    tokio::io::AsyncWriteExt::shutdown(&mut write).await.unwrap();
    assert_eq!(world.disconnect().await, (1006, String::new()));
    world.no_more_events().await;
}

#[tokio::test]
async fn a_client_that_takes_nothing_fills_its_own_buffer_and_is_cut_off() {
    let setup = Setup::options(|options| {
        options.send_buffer = 256 * KB;
        options.close_patience = Duration::from_millis(200);
    });
    let mut world = World::start(setup, |_| async { crate::websocket_world::ok() }).await;
    let (mut raw, id) = Raw::connect(world.address).await;
    world.event_of("CONNECT").await;
    let text = "x".repeat(64 * KB);
    let mut posted = 0;
    let refused = loop {
        match world.connections.post(&id, text.clone()).await {
            Ok(()) => posted += 1,
            Err(error) => break error,
        }
        // What the kernel takes is not ours to count; a real buffer ends somewhere.
        assert!(posted < 1_000);
        tokio::task::yield_now().await;
    };
    assert_eq!(refused, sam_emulator::websocket::PostError::LimitExceeded);
    // The connection still reads.
    raw.send(&frame(TEXT, b"alive")).await;
    assert_eq!(world.event_of("MESSAGE").await["body"], json!("alive"));
    world.connections.delete(&id).await.unwrap();
    assert_eq!(world.disconnect().await.0, 1000);
    tokio::time::sleep(A_MOMENT).await;
    assert_eq!(world.connections.count(), 0);
}
