//! The plain JSON dialect.

use expect_test::expect;
use serde_json::json;

use super::table;
use crate::realtime::codec::json::{Id, ack, event, parse};

#[test]
fn frame_parses_with_every_form_of_id_and_data() {
    let frames = [
        r#"{"action":"send_message","id":"1","data":{"content":"hi"}}"#,
        r#"{"action":"online_users"}"#,
        r#"{"action":"online_users","id":null,"data":null}"#,
        r#"{"action":"join_room","id":7,"data":"65f0c0ffee"}"#,
        r#"{"action":"x","id":-1.5}"#,
        r#" { "data" : [ 1 ] , "action" : "x" } "#,
        r#"{"action":"x","action":"the last one counts"}"#,
    ];
    expect![[r#"
        {"action":"send_message","id":"1","data":{"content":"hi"}} -> Ok(Frame { action: "send_message", id: Some(Text("1")), data: Object {"content": String("hi")} })
        {"action":"online_users"} -> Ok(Frame { action: "online_users", id: None, data: Null })
        {"action":"online_users","id":null,"data":null} -> Ok(Frame { action: "online_users", id: None, data: Null })
        {"action":"join_room","id":7,"data":"65f0c0ffee"} -> Ok(Frame { action: "join_room", id: Some(Number(Number(7))), data: String("65f0c0ffee") })
        {"action":"x","id":-1.5} -> Ok(Frame { action: "x", id: Some(Number(Number(-1.5))), data: Null })
         { "data" : [ 1 ] , "action" : "x" }  -> Ok(Frame { action: "x", id: None, data: Array [Number(1)] })
        {"action":"x","action":"the last one counts"} -> Ok(Frame { action: "the last one counts", id: None, data: Null })
    "#]].assert_eq(&table(&frames, parse));
}

#[test]
fn invalid_frame_is_rejected_or_answered_under_its_id() {
    let frames = [
        "",
        "hello",
        "3",
        "40",
        "null",
        "{}",
        "[]",
        r#"["send_message","1",{}]"#,
        r#"{"action":""}"#,
        r#"{"action":1}"#,
        r#"{"action":"x""#,
        r#"{"action":"x"}}"#,
        r#"{"action":"x","id":true}"#,
        r#"{"action":"x","id":{"$ne":1}}"#,
        r#"{"action":"x","payload":{}}"#,
        r#"{"action":"x","id":7,"payload":{}}"#,
        r#"{"id":"7"}"#,
        r#"{'action':'x'}"#,
    ];
    expect![[r#"
         -> Error: invalid JSON
        hello -> Error: invalid JSON
        3 -> Error: JSON of the wrong shape
        40 -> Error: JSON of the wrong shape
        null -> Error: JSON of the wrong shape
        {} -> Error: JSON of the wrong shape
        [] -> Error: JSON of the wrong shape
        ["send_message","1",{}] -> Error: JSON of the wrong shape
        {"action":""} -> Error: JSON of the wrong shape
        {"action":1} -> Error: JSON of the wrong shape
        {"action":"x" -> Error: invalid JSON
        {"action":"x"}} -> Error: invalid JSON
        {"action":"x","id":true} -> Error: JSON of the wrong shape
        {"action":"x","id":{"$ne":1}} -> Error: JSON of the wrong shape
        {"action":"x","payload":{}} -> Error: JSON of the wrong shape
        {"action":"x","id":7,"payload":{}} -> Err((Number(Number(7)), "the frame must be {action, id, data} with a non-empty string as action and no other keys"))
        {"id":"7"} -> Err((Text("7"), "the frame must be {action, id, data} with a non-empty string as action and no other keys"))
        {'action':'x'} -> Error: invalid JSON
    "#]]
    .assert_eq(&table(&frames, parse));
}

#[test]
fn acks_and_events_are_encoded_as_documented() {
    let frames = [
        ack(&Id::Text("a\"b".to_owned()), r#"{"ok":true}"#),
        ack(&Id::Number(7.into()), r#"{"ok":true}"#),
        event("message_received", r#"{"n":1}"#),
        event("error", r#"{"ok":false}"#),
    ];
    expect![[r#"
        {"event":"ack","id":"a\"b","data":{"ok":true}}
        {"event":"ack","id":7,"data":{"ok":true}}
        {"event":"message_received","data":{"n":1}}
        {"event":"error","data":{"ok":false}}"#]]
    .assert_eq(&frames.join("\n"));
}

#[test]
fn ack_repeats_the_id_of_a_valid_or_invalid_frame_unchanged() {
    for id in [json!("1"), json!(""), json!(1), json!(-1), json!(1.5), json!(u64::MAX), json!("😀\u{0}\"")]
    {
        let frame = parse(&json!({ "action": "x", "id": id }).to_string()).unwrap().unwrap();
        let (id_of_invalid, _) = parse(&json!({ "acton": "x", "id": id }).to_string()).unwrap().unwrap_err();
        for parsed in [frame.id.unwrap(), id_of_invalid] {
            let answer: serde_json::Value = serde_json::from_str(&ack(&parsed, "{}")).unwrap();
            assert_eq!(answer, json!({ "event": "ack", "id": id, "data": {} }));
        }
    }
}
