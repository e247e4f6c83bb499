//! The three kinds of events, compared with the format of AWS.

use std::sync::Arc;

use expect_test::{Expect, expect};
use http::Request;
use jiff::Timestamp;
use sam_emulator::websocket::CloseReason;
use sam_emulator::websocket::event::{self, ConnectionMeta, EventMeta};
use serde_json::Value;

fn head() -> http::request::Parts {
    let request = Request::get("/live?EIO=4&tag=a&tag=b%20c&flag");
    let request = request
        .header("host", "chat.example.com:3000")
        .header("upgrade", "websocket")
        .header("connection", "Upgrade")
        .header("user-agent", "wscat/6")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("sec-websocket-protocol", "a")
        .header("sec-websocket-protocol", "b")
        .header("x-forwarded-for", "203.0.113.9");
    request.body(()).unwrap().into_parts().0
}

fn meta(head: &http::request::Parts) -> ConnectionMeta {
    let now = Timestamp::from_millisecond(1_707_503_007_396).unwrap();
    ConnectionMeta::of(head, Arc::from("L0SM9cOFvHcCIhw="), "192.0.2.1".parse().unwrap(), now)
}

fn event_meta(route_key: &str) -> EventMeta<'_> {
    let now = Timestamp::from_millisecond(1_707_503_008_941).unwrap();
    EventMeta { stage: "live", route_key, request_id: "REQ=", now }
}

fn check(event: &[u8], expected: &Expect) {
    let event: Value = serde_json::from_slice(event).unwrap();
    expected.assert_eq(&serde_json::to_string_pretty(&event).unwrap());
}

#[test]
fn a_connect_event_has_the_headers_in_their_usual_case_and_the_query() {
    let head = head();
    let event = event::connect(&meta(&head), event_meta("$connect"), &head, 3000, "Root=1-0-0");
    check(
        &event,
        &expect![[r#"
        {
          "headers": {
            "Host": "chat.example.com:3000",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Protocol": "b",
            "User-Agent": "wscat/6",
            "X-Amzn-Trace-Id": "Root=1-0-0",
            "X-Forwarded-For": "203.0.113.9, 192.0.2.1",
            "X-Forwarded-Port": "3000",
            "X-Forwarded-Proto": "http"
          },
          "isBase64Encoded": false,
          "multiValueHeaders": {
            "Host": [
              "chat.example.com:3000"
            ],
            "Sec-WebSocket-Key": [
              "dGhlIHNhbXBsZSBub25jZQ=="
            ],
            "Sec-WebSocket-Protocol": [
              "a",
              "b"
            ],
            "User-Agent": [
              "wscat/6"
            ],
            "X-Amzn-Trace-Id": [
              "Root=1-0-0"
            ],
            "X-Forwarded-For": [
              "203.0.113.9, 192.0.2.1"
            ],
            "X-Forwarded-Port": [
              "3000"
            ],
            "X-Forwarded-Proto": [
              "http"
            ]
          },
          "multiValueQueryStringParameters": {
            "EIO": [
              "4"
            ],
            "flag": [
              ""
            ],
            "tag": [
              "a",
              "b c"
            ]
          },
          "queryStringParameters": {
            "EIO": "4",
            "flag": "",
            "tag": "b c"
          },
          "requestContext": {
            "apiId": "local",
            "connectedAt": 1707503007396,
            "connectionId": "L0SM9cOFvHcCIhw=",
            "domainName": "chat.example.com",
            "eventType": "CONNECT",
            "extendedRequestId": "REQ=",
            "identity": {
              "sourceIp": "192.0.2.1",
              "userAgent": "wscat/6"
            },
            "messageDirection": "IN",
            "requestId": "REQ=",
            "requestTime": "09/Feb/2024:18:23:28 +0000",
            "requestTimeEpoch": 1707503008941,
            "routeKey": "$connect",
            "stage": "live"
          }
        }"#]],
    );
}

#[test]
fn a_message_event_has_the_body_and_no_headers() {
    let head = head();
    let event = event::message(&meta(&head), event_meta("$default"), "MSG=", "{\"a\":\"\u{1f600}\\n\"}");
    check(
        &event,
        &expect![[r#"
        {
          "body": "{\"a\":\"😀\\n\"}",
          "isBase64Encoded": false,
          "requestContext": {
            "apiId": "local",
            "connectedAt": 1707503007396,
            "connectionId": "L0SM9cOFvHcCIhw=",
            "domainName": "chat.example.com",
            "eventType": "MESSAGE",
            "extendedRequestId": "REQ=",
            "identity": {
              "sourceIp": "192.0.2.1",
              "userAgent": "wscat/6"
            },
            "messageDirection": "IN",
            "messageId": "MSG=",
            "requestId": "REQ=",
            "requestTime": "09/Feb/2024:18:23:28 +0000",
            "requestTimeEpoch": 1707503008941,
            "routeKey": "$default",
            "stage": "live"
          }
        }"#]],
    );
}

#[test]
fn a_disconnect_event_has_four_headers_and_the_close_reason() {
    let head = head();
    let event =
        event::disconnect(&meta(&head), event_meta("$disconnect"), &CloseReason::from_close_frame(None));
    check(
        &event,
        &expect![[r#"
        {
          "headers": {
            "Host": "chat.example.com",
            "X-Forwarded-For": "",
            "x-api-key": "",
            "x-restapi": ""
          },
          "isBase64Encoded": false,
          "multiValueHeaders": {
            "Host": [
              "chat.example.com"
            ],
            "X-Forwarded-For": [
              ""
            ],
            "x-api-key": [
              ""
            ],
            "x-restapi": [
              ""
            ]
          },
          "requestContext": {
            "apiId": "local",
            "connectedAt": 1707503007396,
            "connectionId": "L0SM9cOFvHcCIhw=",
            "disconnectReason": "Client-side close frame status not set",
            "disconnectStatusCode": 1005,
            "domainName": "chat.example.com",
            "eventType": "DISCONNECT",
            "extendedRequestId": "REQ=",
            "identity": {
              "sourceIp": "192.0.2.1",
              "userAgent": "wscat/6"
            },
            "messageDirection": "IN",
            "requestId": "REQ=",
            "requestTime": "09/Feb/2024:18:23:28 +0000",
            "requestTimeEpoch": 1707503008941,
            "routeKey": "$disconnect",
            "stage": "live"
          }
        }"#]],
    );
}
