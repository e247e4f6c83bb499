//! Frames of both dialects through the common interface.

use expect_test::expect;
use serde_json::json;

use super::table;
use crate::connection::Dialect;
use crate::realtime::codec::{AckId, EventFrames, Inbound, json::Id};

const BOTH: [Dialect; 2] = [Dialect::SocketIo, Dialect::Json];

#[test]
fn socket_io_frame_parses_to_the_common_type() {
    let frames = [
        "40",
        r#"40{"token":"t"}"#,
        "40/nope",
        r#"420["send_message",{"n":1}]"#,
        r#"42["typing",{"n":1},"further arguments are dropped"]"#,
        r#"42["online_users"]"#,
        r#"42["join_room","65f0c0ffee"]"#,
        r#"42/nope,["x"]"#,
        "41",
        "41/custom",
        "437[1]",
        "3",
        "1",
        "5",
        "6",
        r#"451-0["file",{"_placeholder":true,"num":0}]"#,
        r#"461-0[{"_placeholder":true,"num":0}]"#,
        "bAQIDBA==",
        "44{}",
        "2",
        "4",
        "4abc",
        "42{}",
        r#"42["connect"]"#,
        r#"{"action":"typing"}"#,
    ];
    expect![[r#"
        40 -> Connect { namespace: "/", auth: {} }
        40{"token":"t"} -> Connect { namespace: "/", auth: {"token": String("t")} }
        40/nope -> Connect { namespace: "/nope", auth: {} }
        420["send_message",{"n":1}] -> Event { namespace: "/", name: "send_message", payload: Object {"n": Number(1)}, ack: Some(SocketIo(0)) }
        42["typing",{"n":1},"further arguments are dropped"] -> Event { namespace: "/", name: "typing", payload: Object {"n": Number(1)}, ack: None }
        42["online_users"] -> Event { namespace: "/", name: "online_users", payload: Null, ack: None }
        42["join_room","65f0c0ffee"] -> Event { namespace: "/", name: "join_room", payload: String("65f0c0ffee"), ack: None }
        42/nope,["x"] -> Event { namespace: "/nope", name: "x", payload: Null, ack: None }
        41 -> Disconnect { namespace: "/" }
        41/custom -> Disconnect { namespace: "/custom" }
        437[1] -> Ignore
        3 -> Pong
        1 -> Close
        5 -> Ignore
        6 -> Ignore
        451-0["file",{"_placeholder":true,"num":0}] -> Refused { namespace: "/", ack: Some(SocketIo(0)), why: "binary attachments are not supported" }
        461-0[{"_placeholder":true,"num":0}] -> Ignore
        bAQIDBA== -> Ignore
        44{} -> Error: packet type that only the server sends
        2 -> Error: ping from a client; only the server sends pings
        4 -> Error: unknown packet type
        4abc -> Error: unknown packet type
        42{} -> Error: JSON of the wrong shape
        42["connect"] -> Error: reserved event name
        {"action":"typing"} -> Error: unknown packet type
    "#]].assert_eq(&table(&frames, |frame| Dialect::SocketIo.parse(frame)));
}

#[test]
fn json_frame_parses_to_the_common_type() {
    let frames = [
        r#"{"action":"typing","data":{"n":1}}"#,
        r#"{"action":"join_room","id":"1","data":"65f0c0ffee"}"#,
        r#"{"action":"online_users","id":2}"#,
        r#"{"action":"pong"}"#,
        "40",
        "2",
        "{}",
    ];
    expect![[r#"
        {"action":"typing","data":{"n":1}} -> Event { namespace: "/", name: "typing", payload: Object {"n": Number(1)}, ack: None }
        {"action":"join_room","id":"1","data":"65f0c0ffee"} -> Event { namespace: "/", name: "join_room", payload: String("65f0c0ffee"), ack: Some(Json(Text("1"))) }
        {"action":"online_users","id":2} -> Event { namespace: "/", name: "online_users", payload: Null, ack: Some(Json(Number(Number(2)))) }
        {"action":"pong"} -> Pong
        40 -> Error: JSON of the wrong shape
        2 -> Error: JSON of the wrong shape
        {} -> Error: JSON of the wrong shape
    "#]].assert_eq(&table(&frames, |frame| Dialect::Json.parse(frame)));
}

#[test]
fn answers_events_and_pings_are_encoded_in_each_dialect() {
    let success = json!({ "ok": true });
    let ids = [AckId::SocketIo(0), AckId::Json(Id::Text("1".to_owned()))];
    let mut frames = ids.iter().map(|id| id.answer(&success)).collect::<Vec<_>>();
    for (dialect, id) in BOTH.iter().zip(&ids) {
        frames.push(dialect.event("typing", &json!({ "n": 1 })));
        frames.push(id.answer(&json!({ "ok": false })));
        frames.push(dialect.event("error", &json!({ "ok": false })));
        frames.push(dialect.ping().to_owned());
        frames.push(format!("{:?}", dialect.disconnect_frame()));
    }
    expect![[r#"
        430[{"ok":true}]
        {"event":"ack","id":"1","data":{"ok":true}}
        42["typing",{"n":1}]
        430[{"ok":false}]
        42["error",{"ok":false}]
        2
        Some("41")
        {"event":"typing","data":{"n":1}}
        {"event":"ack","id":"1","data":{"ok":false}}
        {"event":"error","data":{"ok":false}}
        {"event":"ping","data":{}}
        None"#]]
    .assert_eq(&frames.join("\n"));
}

#[test]
fn event_frames_equal_the_event_of_each_dialect() {
    let payload = json!({ "message": { "content": "merhaba \"dünya\"" } });
    let frames = EventFrames::new("message_received", &payload);
    for dialect in BOTH {
        assert_eq!(frames.get(dialect), dialect.event("message_received", &payload));
    }
}

#[test]
fn only_socket_io_closes_on_a_parse_error() {
    assert_eq!(BOTH.map(Dialect::closes_on_parse_error), [true, false]);
}

#[test]
fn dialect_serialises_to_its_stored_name() {
    expect![[r#"["socket_io","json"]"#]].assert_eq(&serde_json::to_string(&BOTH).unwrap());
}

#[test]
fn event_parses_to_the_same_content_in_both_dialects() {
    let content = |dialect: Dialect, frame| match dialect.parse(frame).unwrap() {
        Inbound::Event { namespace, name, payload, ack } => (namespace, name, payload, ack.is_some()),
        other => panic!("not an event: {other:?}"),
    };
    assert_eq!(
        content(Dialect::SocketIo, r#"423["typing",{"n":1}]"#),
        content(Dialect::Json, r#"{"action":"typing","id":3,"data":{"n":1}}"#),
    );
}
