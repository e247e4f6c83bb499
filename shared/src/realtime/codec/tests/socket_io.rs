//! Socket.IO packets: those of a recorded session, unusual but valid ones, and invalid ones.

use expect_test::expect;
use serde_json::json;

use super::table;
use crate::realtime::codec::socket_io::{Kind, RESERVED_EVENTS, ack, connect, connect_error};
use crate::realtime::codec::socket_io::{disconnect, event, parse};

#[test]
fn packets_of_a_recorded_session_parse() {
    let frames = [
        "0",
        r#"0{"token":"tok-123"}"#,
        r#"37[{"got":{"q":1}}]"#,
        r#"20["send_message",{"content":"hi"}]"#,
        r#"2["no_ack",1,"2",{"3":[true]}]"#,
        r#"2456["message-with-ack",1,"2",{"3":[false]}]"#,
        r#"0/chat,{"token":"nsTok"}"#,
        r#"2/chat,0["x",1]"#,
        "1/chat,",
        "1",
        r#"0{"pid":"priv-1","offset":"1700000000000-1","token":"t"}"#,
    ];
    expect![[r#"
        0 -> Packet { namespace: "/", id: None, kind: Connect(None) }
        0{"token":"tok-123"} -> Packet { namespace: "/", id: None, kind: Connect(Some({"token": String("tok-123")})) }
        37[{"got":{"q":1}}] -> Packet { namespace: "/", id: Some(7), kind: Ack([Object {"got": Object {"q": Number(1)}}]) }
        20["send_message",{"content":"hi"}] -> Packet { namespace: "/", id: Some(0), kind: Event { name: "send_message", args: [Object {"content": String("hi")}] } }
        2["no_ack",1,"2",{"3":[true]}] -> Packet { namespace: "/", id: None, kind: Event { name: "no_ack", args: [Number(1), String("2"), Object {"3": Array [Bool(true)]}] } }
        2456["message-with-ack",1,"2",{"3":[false]}] -> Packet { namespace: "/", id: Some(456), kind: Event { name: "message-with-ack", args: [Number(1), String("2"), Object {"3": Array [Bool(false)]}] } }
        0/chat,{"token":"nsTok"} -> Packet { namespace: "/chat", id: None, kind: Connect(Some({"token": String("nsTok")})) }
        2/chat,0["x",1] -> Packet { namespace: "/chat", id: Some(0), kind: Event { name: "x", args: [Number(1)] } }
        1/chat, -> Packet { namespace: "/chat", id: None, kind: Disconnect }
        1 -> Packet { namespace: "/", id: None, kind: Disconnect }
        0{"pid":"priv-1","offset":"1700000000000-1","token":"t"} -> Packet { namespace: "/", id: None, kind: Connect(Some({"offset": String("1700000000000-1"), "pid": String("priv-1"), "token": String("t")})) }
    "#]].assert_eq(&table(&frames, parse));
}

#[test]
fn unusual_but_valid_packets_parse() {
    let frames = [
        "0/random",
        "0/custom,",
        "1/custom",
        "0/",
        "0/,{}",
        "0{}",
        "3[]",
        "3999[]",
        "43",
        r#"4{"message":"no"}"#,
        r#"2["x"]"#,
        r#"2007["x"]"#,
        r#"2 [ "x" , null ] "#,
        r#"2[7,"a number is a name"]"#,
        r#"2[""]"#,
        r#"2["join_room","65f0c0ffee"]"#,
        r#"2/a?b=c,["x"]"#,
        r#"218446744073709551615["x"]"#,
        r#"51-0["file",{"_placeholder":true,"num":0}]"#,
        r#"52-/chat,["file"]"#,
        r#"50-["file"]"#,
        r#"510-["file"]"#,
        r#"62-789[{"_placeholder":true,"num":0}]"#,
    ];
    expect![[r#"
        0/random -> Packet { namespace: "/random", id: None, kind: Connect(None) }
        0/custom, -> Packet { namespace: "/custom", id: None, kind: Connect(None) }
        1/custom -> Packet { namespace: "/custom", id: None, kind: Disconnect }
        0/ -> Packet { namespace: "/", id: None, kind: Connect(None) }
        0/,{} -> Packet { namespace: "/", id: None, kind: Connect(Some({})) }
        0{} -> Packet { namespace: "/", id: None, kind: Connect(Some({})) }
        3[] -> Packet { namespace: "/", id: None, kind: Ack([]) }
        3999[] -> Packet { namespace: "/", id: Some(999), kind: Ack([]) }
        43 -> Packet { namespace: "/", id: Some(3), kind: ConnectError }
        4{"message":"no"} -> Packet { namespace: "/", id: None, kind: ConnectError }
        2["x"] -> Packet { namespace: "/", id: None, kind: Event { name: "x", args: [] } }
        2007["x"] -> Packet { namespace: "/", id: Some(7), kind: Event { name: "x", args: [] } }
        2 [ "x" , null ]  -> Packet { namespace: "/", id: None, kind: Event { name: "x", args: [Null] } }
        2[7,"a number is a name"] -> Packet { namespace: "/", id: None, kind: Event { name: "7", args: [String("a number is a name")] } }
        2[""] -> Packet { namespace: "/", id: None, kind: Event { name: "", args: [] } }
        2["join_room","65f0c0ffee"] -> Packet { namespace: "/", id: None, kind: Event { name: "join_room", args: [String("65f0c0ffee")] } }
        2/a?b=c,["x"] -> Packet { namespace: "/a?b=c", id: None, kind: Event { name: "x", args: [] } }
        218446744073709551615["x"] -> Packet { namespace: "/", id: Some(18446744073709551615), kind: Event { name: "x", args: [] } }
        51-0["file",{"_placeholder":true,"num":0}] -> Packet { namespace: "/", id: Some(0), kind: BinaryEvent { attachments: 1 } }
        52-/chat,["file"] -> Packet { namespace: "/chat", id: None, kind: BinaryEvent { attachments: 2 } }
        50-["file"] -> Packet { namespace: "/", id: None, kind: BinaryEvent { attachments: 0 } }
        510-["file"] -> Packet { namespace: "/", id: None, kind: BinaryEvent { attachments: 10 } }
        62-789[{"_placeholder":true,"num":0}] -> Packet { namespace: "/", id: Some(789), kind: BinaryAck { attachments: 2 } }
    "#]].assert_eq(&table(&frames, parse));
}

#[test]
fn invalid_packet_is_rejected() {
    let frames = [
        "",
        "abc",
        "7",
        "9[]",
        "€",
        "2",
        "2{}",
        "2[]",
        r#"2["x""#,
        r#"2["x"]]"#,
        r#"2abc["message-with-ack",1,"2",{"3":[false]}]"#,
        r#"2[null]"#,
        r#"2[true]"#,
        r#"2[{"name":"x"}]"#,
        r#"2[["x"]]"#,
        r#"2"x""#,
        r#"2/zzz["x",1]"#,
        r#"218446744073709551616["x"]"#,
        "0[]",
        "0null",
        "0true",
        r#"0"token""#,
        "0{",
        "1{}",
        "1abc",
        "3",
        "3{}",
        "3null",
        r#"5["file"]"#,
        r#"5-["file"]"#,
        r#"5+1-["file"]"#,
        "51",
        r#"5x-["file"]"#,
        r#"51.5-["file"]"#,
        r#"5-1-["file"]"#,
        r#"511-["file"]"#,
        r#"599999999999-["file"]"#,
        "51-[]",
        r#"51-["connect"]"#,
        "61-{}",
    ];
    expect![[r#"
         -> Error: unknown packet type
        abc -> Error: unknown packet type
        7 -> Error: unknown packet type
        9[] -> Error: unknown packet type
        € -> Error: unknown packet type
        2 -> Error: invalid JSON
        2{} -> Error: JSON of the wrong shape
        2[] -> Error: JSON of the wrong shape
        2["x" -> Error: invalid JSON
        2["x"]] -> Error: invalid JSON
        2abc["message-with-ack",1,"2",{"3":[false]}] -> Error: invalid JSON
        2[null] -> Error: JSON of the wrong shape
        2[true] -> Error: JSON of the wrong shape
        2[{"name":"x"}] -> Error: JSON of the wrong shape
        2[["x"]] -> Error: JSON of the wrong shape
        2"x" -> Error: JSON of the wrong shape
        2/zzz["x",1] -> Error: invalid JSON
        218446744073709551616["x"] -> Error: ack id over 64 bits
        0[] -> Error: JSON of the wrong shape
        0null -> Error: JSON of the wrong shape
        0true -> Error: JSON of the wrong shape
        0"token" -> Error: JSON of the wrong shape
        0{ -> Error: invalid JSON
        1{} -> Error: JSON of the wrong shape
        1abc -> Error: JSON of the wrong shape
        3 -> Error: invalid JSON
        3{} -> Error: JSON of the wrong shape
        3null -> Error: JSON of the wrong shape
        5["file"] -> Error: attachment count missing, invalid or over 10
        5-["file"] -> Error: attachment count missing, invalid or over 10
        5+1-["file"] -> Error: attachment count missing, invalid or over 10
        51 -> Error: attachment count missing, invalid or over 10
        5x-["file"] -> Error: attachment count missing, invalid or over 10
        51.5-["file"] -> Error: attachment count missing, invalid or over 10
        5-1-["file"] -> Error: attachment count missing, invalid or over 10
        511-["file"] -> Error: attachment count missing, invalid or over 10
        599999999999-["file"] -> Error: attachment count missing, invalid or over 10
        51-[] -> Error: JSON of the wrong shape
        51-["connect"] -> Error: reserved event name
        61-{} -> Error: JSON of the wrong shape
    "#]]
    .assert_eq(&table(&frames, parse));
}

#[test]
fn event_is_rejected_only_when_its_name_is_reserved() {
    for name in RESERVED_EVENTS {
        assert_eq!(parse(&format!(r#"2["{name}"]"#)).unwrap_err().to_string(), "reserved event name");
        assert!(parse(&format!(r#"2["{name}d"]"#)).is_ok());
    }
}

#[test]
fn packets_are_encoded_with_namespace_id_and_payload() {
    let refusal = json!({ "code": "AUTH_INVALID", "retryable": false });
    let frames = [
        connect("/", "sid1"),
        connect("/chat", "sid1"),
        connect_error("/", "Not authorized", Some(&refusal)),
        connect_error("/nope", "Invalid namespace", None::<&()>),
        event("/", None, "welcome", r#"{"n":1}"#),
        event("/", Some(7), "server_wants_ack", r#"{"q":1}"#),
        event("/chat", None, "say \"hi\"\n", "null"),
        ack("/", 0, r#"{"ok":true}"#),
        ack("/chat", u64::MAX, "1"),
        disconnect("/"),
        disconnect("/chat"),
    ];
    expect![[r#"
        40{"sid":"sid1"}
        40/chat,{"sid":"sid1"}
        44{"message":"Not authorized","data":{"code":"AUTH_INVALID","retryable":false}}
        44/nope,{"message":"Invalid namespace"}
        42["welcome",{"n":1}]
        427["server_wants_ack",{"q":1}]
        42/chat,["say \"hi\"\n",null]
        430[{"ok":true}]
        43/chat,18446744073709551615[1]
        41
        41/chat,"#]]
    .assert_eq(&frames.join("\n"));
}

#[test]
fn encoded_packet_parses_back_to_its_content() {
    for namespace in ["/", "/chat", "/çay"] {
        let frame = event(namespace, Some(12), "quote \" and \u{1F600}", r#"{"a":[1,"2",null]}"#);
        let packet = parse(frame.strip_prefix('4').unwrap()).unwrap();
        assert_eq!((packet.namespace.as_str(), packet.id), (namespace, Some(12)));
        let (name, args) = ("quote \" and \u{1F600}".to_owned(), vec![json!({ "a": [1, "2", null] })]);
        assert_eq!(packet.kind, Kind::Event { name, args });

        let packet = parse(&ack(namespace, 3, "[]")[1..]).unwrap();
        assert_eq!((packet.id, packet.kind), (Some(3), Kind::Ack(vec![json!([])])));
        let packet = parse(&disconnect(namespace)[1..]).unwrap();
        assert_eq!((packet.namespace.as_str(), packet.kind), (namespace, Kind::Disconnect));
    }
}
