//! Frames at and beyond each limit, and lone surrogates, which browsers send.

use serde_json::json;

use crate::connection::Dialect;
use crate::realtime::codec::{Inbound, MAX_DEPTH, MAX_FRAME_BYTES, MAX_NAMESPACE_BYTES, ParseError};

const BOTH: [Dialect; 2] = [Dialect::SocketIo, Dialect::Json];

/// An event frame with this payload.
fn event_with(dialect: Dialect, payload: &str) -> String {
    match dialect {
        Dialect::SocketIo => format!(r#"42["x",{payload}]"#),
        Dialect::Json => format!(r#"{{"action":"x","data":{payload}}}"#),
    }
}

fn payload_of(dialect: Dialect, payload: &str) -> Result<serde_json::Value, ParseError> {
    match dialect.parse(&event_with(dialect, payload))? {
        Inbound::Event { payload, .. } => Ok(payload),
        Inbound::Refused { why: "must not be nested deeper than 32 levels", .. } => Err(ParseError::TooDeep),
        other => panic!("not an event: {other:?}"),
    }
}

#[test]
fn frame_is_rejected_when_it_is_longer_than_the_gateway_allows() {
    for dialect in BOTH {
        let longest = MAX_FRAME_BYTES - event_with(dialect, "\"\"").len();
        assert!(payload_of(dialect, &format!("\"{}\"", "a".repeat(longest))).is_ok());
        let too_long = payload_of(dialect, &format!("\"{}\"", "a".repeat(longest + 1)));
        assert_eq!(too_long, Err(ParseError::TooLong));
    }
}

#[test]
fn deep_nesting_is_rejected_before_parsing() {
    for dialect in BOTH {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(payload_of(dialect, &nested(MAX_DEPTH - 1)).is_ok());
        assert_eq!(payload_of(dialect, &nested(MAX_DEPTH)), Err(ParseError::TooDeep));
        assert_eq!(payload_of(dialect, &"[".repeat(100_000)), Err(ParseError::TooDeep));
        assert_eq!(payload_of(dialect, &r#"{"a":"#.repeat(20_000)), Err(ParseError::TooDeep));
    }
}

#[test]
fn brackets_in_strings_and_side_by_side_do_not_count_as_nesting() {
    for dialect in BOTH {
        let text = format!(r#""{}\"{}\\""#, "[{".repeat(100), "{[".repeat(100));
        assert!(payload_of(dialect, &text).is_ok());
        assert!(payload_of(dialect, &format!("[{}[]]", "{},[],".repeat(100))).is_ok());
    }
}

#[test]
fn namespace_is_rejected_when_it_is_too_long() {
    let frame = |length: usize| format!("40/{},", "n".repeat(length - 1));
    assert!(Dialect::SocketIo.parse(&frame(MAX_NAMESPACE_BYTES)).is_ok());
    let too_long = Dialect::SocketIo.parse(&frame(MAX_NAMESPACE_BYTES + 1));
    assert_eq!(too_long, Err(ParseError::NamespaceTooLong));
}

#[test]
fn ack_id_is_rejected_when_it_exceeds_64_bits() {
    let frame = |id: &str| Dialect::SocketIo.parse(&format!(r#"42{id}["x"]"#));
    assert!(frame("18446744073709551615").is_ok());
    assert_eq!(frame("18446744073709551616"), Err(ParseError::AckIdOutOfRange));
    assert_eq!(frame(&"9".repeat(100_000)), Err(ParseError::AckIdOutOfRange));
}

#[test]
fn lone_surrogate_is_replaced_and_the_frame_accepted() {
    for dialect in BOTH {
        for (sent, expected) in [
            (r#""\ud83d""#, "\u{fffd}"),
            (r#""\uDE00 end""#, "\u{fffd} end"),
            (r#""\ud83d\ud83d\ude00""#, "\u{fffd}\u{1F600}"),
            (r#""\ud83d\n\u00e9""#, "\u{fffd}\n\u{e9}"),
            (r#""\ud83d \\ud83d""#, "\u{fffd} \\ud83d"),
            (r#""\ude00\ud83d""#, "\u{fffd}\u{fffd}"),
            (r#""\ud83d\ude00""#, "\u{1F600}"),
        ] {
            assert_eq!(payload_of(dialect, sent), Ok(json!(expected)), "{sent}");
        }
    }
}

#[test]
fn invalid_escapes_beside_a_lone_surrogate_are_rejected() {
    for dialect in BOTH {
        for sent in
            [r#""\ud83d \x""#, r#""\ud83d \u12""#, r#""\ud8""#, r#""\ud83d \é""#, r#""\ud83d\"#, "\"\\u€\""]
        {
            assert_eq!(payload_of(dialect, sent), Err(ParseError::InvalidJson), "{sent}");
        }
    }
}
