//! The content of messages: its length in Unicode scalar values, control characters, and that it is stored as sent.

use serde_json::json;

use crate::server::shared_server;

#[test]
fn content_is_stored_as_sent() {
    let (ada, bob, conversation) = shared_server().pair();
    let html = r#"<script>alert("1")</script><img src=x onerror=alert(1)> &amp; {{7*7}} ${x} '; DROP TABLE messages;--"#;
    let cases = [
        ("plain", "plain"),
        ("  trimmed \n", "trimmed"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("nul\u{0}bell\u{7}escape\u{1b}[31m", "nulbellescape[31m"),
        ("delete\u{7f}and c1\u{85}", "deleteand c1"),
        ("windows\r\nline", "windows\nline"),
        (html, html),
        ("İstanbul'da çay ☕ 👩‍👩‍👧‍👦 e\u{301} \u{202e}", "İstanbul'da çay ☕ 👩‍👩‍👧‍👦 e\u{301} \u{202e}"),
        ("\"quotes\" and \\ backslash", "\"quotes\" and \\ backslash"),
        ("\u{feff}mark", "\u{feff}mark"),
    ];
    for (sent, stored) in cases {
        let message = ada.send(&conversation, sent);
        assert_eq!(message["content"], stored, "{sent:?}");
        let read = bob.history(&conversation, "limit=1")["messages"][0].take();
        assert_eq!(read, message, "{sent:?}");
    }
}

#[test]
fn content_has_1_to_4000_characters_after_trimming() {
    let (ada, _, conversation) = shared_server().pair();
    let cases = [
        ("x".to_owned(), true),
        ("x".repeat(4_000), true),
        ("ş".repeat(4_000), true),
        ("👍".repeat(4_000), true),
        (format!("  {}\n", "x".repeat(4_000)), true),
        (format!("{}{}", "\u{1}".repeat(1_000), "x".repeat(4_000)), true),
        ("x".repeat(4_001), false),
        ("👍".repeat(4_001), false),
        (String::new(), false),
        (" \n\t ".to_owned(), false),
        ("\u{0}\u{1}\u{1b}".to_owned(), false),
    ];
    for (content, is_valid) in cases {
        let start: String = content.chars().take(5).collect();
        let call =
            ada.post("/api/messages/send", &json!({ "conversationId": conversation, "content": content }));
        if is_valid {
            call.data(201);
        } else {
            assert_eq!(call.fails(422, "VALIDATION_FAILED").fields(), ["content"], "{start:?}");
        }
    }
}

#[test]
fn json_escapes_are_stored_as_characters() {
    let (ada, _, conversation) = shared_server().pair();
    let body =
        format!(r#"{{"conversationId":"{conversation}","content":"\u0061\uD83D\uDE00\u0000\u000a."}}"#);
    let message = ada.request("POST", "/api/messages/send").raw_json(body).data(201)["message"].take();
    assert_eq!(message["content"], "a😀\n.");
    let lone = format!(r#"{{"conversationId":"{conversation}","content":"\uD83D"}}"#);
    ada.request("POST", "/api/messages/send").raw_json(lone).fails(400, "INVALID_JSON");
}
