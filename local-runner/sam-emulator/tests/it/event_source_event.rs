//! The `aws:rmq` event and the closing of batches.

use std::collections::BTreeMap;
use std::time::Duration;

use expect_test::expect;
use sam_emulator::event_source::event::{event, message};
use sam_emulator::event_source::{Backoff, Batch, Delivery, HeaderValue, Limits, Properties, Pushed, Record};
use sam_emulator::plan::QueuePlan;
use tokio::time::Instant;

pub(crate) fn plan(queue: &str) -> QueuePlan {
    QueuePlan {
        name: "Consume".to_owned(),
        function: "consumer".to_owned(),
        queue: queue.to_owned(),
        virtual_host: "/".to_owned(),
        batch_size: 100,
        batching_window: Duration::from_millis(500),
        broker_arn: "arn:aws:mq:eu-central-1:123456789012:broker:b:b-1".to_owned(),
        enabled: true,
    }
}

fn pretty(deliveries: &[Delivery]) -> String {
    let messages: Vec<String> = deliveries.iter().map(message).collect();
    let messages: Vec<&str> = messages.iter().map(String::as_str).collect();
    let event = event(&plan("orders"), &messages);
    let value: serde_json::Value = serde_json::from_slice(&event).unwrap();
    serde_json::to_string_pretty(&value).unwrap()
}

#[test]
fn event_source_event_has_the_nulls_of_a_real_one() {
    let bare = Delivery { id: 1, data: b"hi".to_vec(), ..Delivery::default() };
    let text = String::from_utf8(event(&plan("orders"), &[&message(&bare)]).to_vec()).unwrap();
    expect![[r#"{"eventSource":"aws:rmq","eventSourceArn":"arn:aws:mq:eu-central-1:123456789012:broker:b:b-1","rmqMessagesByQueue":{"orders::/":[{"basicProperties":{"contentType":null,"contentEncoding":null,"headers":null,"deliveryMode":null,"priority":null,"correlationId":null,"replyTo":null,"expiration":null,"messageId":null,"timestamp":null,"type":null,"userId":null,"appId":null,"clusterId":null,"bodySize":2},"redelivered":false,"data":"aGk="}]}}"#]].assert_eq(&text);
}

#[test]
fn event_source_event_writes_every_property_and_header() {
    let headers = BTreeMap::from([
        ("text".to_owned(), HeaderValue::Text("vaı".into())),
        ("n".to_owned(), HeaderValue::Integer(10)),
        ("f".to_owned(), HeaderValue::Float(0.5)),
        ("flag".to_owned(), HeaderValue::Boolean(true)),
        ("at".to_owned(), HeaderValue::Time(0)),
        ("raw".to_owned(), HeaderValue::Bytes(vec![0, 127, 128, 255])),
        ("list".to_owned(), HeaderValue::List(vec![HeaderValue::Null, HeaderValue::Text(b"a".to_vec())])),
        (
            "table".to_owned(),
            HeaderValue::Table(BTreeMap::from([("k".to_owned(), HeaderValue::Integer(-1))])),
        ),
    ]);
    let text = |text: &str| Some(text.to_owned());
    let properties = Properties {
        content_type: text("text/plain"),
        content_encoding: text("utf-8"),
        headers: Some(headers),
        delivery_mode: Some(2),
        priority: Some(9),
        correlation_id: text("c"),
        reply_to: text("r"),
        expiration: text("60000"),
        message_id: text("m"),
        timestamp: Some(2_021),
        kind: text("t"),
        user_id: text("u"),
        app_id: text("a"),
        cluster_id: text("cl"),
    };
    let full = Delivery { id: 1, redelivered: true, properties, data: b"{\"a\":1}".to_vec() };
    expect![[r#"
        {
          "eventSource": "aws:rmq",
          "eventSourceArn": "arn:aws:mq:eu-central-1:123456789012:broker:b:b-1",
          "rmqMessagesByQueue": {
            "orders::/": [
              {
                "basicProperties": {
                  "appId": "a",
                  "bodySize": 7,
                  "clusterId": "cl",
                  "contentEncoding": "utf-8",
                  "contentType": "text/plain",
                  "correlationId": "c",
                  "deliveryMode": 2,
                  "expiration": "60000",
                  "headers": {
                    "at": "Jan 1, 1970, 12:00:00 AM",
                    "f": 0.5,
                    "flag": true,
                    "list": [
                      null,
                      {
                        "bytes": [
                          97
                        ]
                      }
                    ],
                    "n": 10,
                    "raw": [
                      0,
                      127,
                      -128,
                      -1
                    ],
                    "table": {
                      "k": -1
                    },
                    "text": {
                      "bytes": [
                        118,
                        97,
                        -60,
                        -79
                      ]
                    }
                  },
                  "messageId": "m",
                  "priority": 9,
                  "replyTo": "r",
                  "timestamp": "Jan 1, 1970, 12:33:41 AM",
                  "type": "t",
                  "userId": "u"
                },
                "data": "eyJhIjoxfQ==",
                "redelivered": true
              }
            ]
          }
        }"#]]
    .assert_eq(&pretty(&[full]));
}

#[test]
fn event_source_timestamps_are_java_dates() {
    let cases = [
        (2_021, "\"Jan 1, 1970, 12:33:41 AM\""),
        (1_783_000_800, "\"Jul 2, 2026, 2:00:00 PM\""),
        (u64::MAX, "null"),
    ];
    for (seconds, expected) in cases {
        let properties = Properties { timestamp: Some(seconds), ..Properties::default() };
        let json = message(&Delivery { properties, ..Delivery::default() });
        assert!(json.contains(&format!("\"timestamp\":{expected},")), "{json}");
    }
}

fn record(id: u64, size: usize) -> Record {
    Record { id, json: "x".repeat(size) }
}

#[test]
fn event_source_batch_closes_by_count_size_or_window() {
    let start = Instant::now();
    let later = start + Duration::from_millis(400);
    let limits = Limits { records: 3, window: Duration::from_millis(500), bytes: 10 };

    let mut batch = Batch::new(limits.clone());
    assert_eq!(batch.closes_at(), None, "no record, no window");
    for (id, now) in [(1, start), (2, later)] {
        assert_eq!(batch.push(record(id, 1), now), Pushed::Kept);
    }
    assert_eq!(batch.closes_at(), Some(start + limits.window), "the first record starts it");
    assert!(!batch.is_full());
    assert_eq!(batch.push(record(3, 1), later), Pushed::Kept);
    assert!(batch.is_full(), "by count");

    batch.next(later);
    assert_eq!((batch.ids(), batch.closes_at()), (vec![], None));
    // 6 + comma + 3 is ten bytes; one more byte opens the next batch.
    assert_eq!(batch.push(record(4, 6), start), Pushed::Kept);
    assert_eq!(batch.push(record(5, 3), start), Pushed::Kept);
    assert!(!batch.is_full());
    assert_eq!(batch.push(record(6, 1), start), Pushed::Kept);
    assert!(batch.is_full(), "by size");
    assert_eq!(batch.ids(), [4, 5]);
    batch.next(later);
    assert_eq!((batch.ids(), batch.closes_at()), (vec![6], Some(later + limits.window)));

    assert_eq!(batch.push(record(7, 11), later), Pushed::TooLarge);
    assert_eq!(batch.push(record(8, 9), later), Pushed::Kept);
    assert_eq!(batch.abandon(), [6, 8], "the carried one too");
    assert!(!batch.is_full());
}

#[test]
fn event_source_limits_leave_room_for_the_frame() {
    let plan = plan("orders");
    let limits = Limits::of(&plan);
    let largest = "x".repeat(limits.bytes);
    assert_eq!(event(&plan, &[&largest]).len(), 6 * 1024 * 1024);
}

#[test]
fn event_source_backoff_grows_to_its_bound_and_begins_again() {
    let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(350));
    let pauses: Vec<u128> = (0..4).map(|_| backoff.pause().as_millis()).collect();
    assert_eq!(pauses, [100, 200, 350, 350]);
    backoff.reset();
    assert_eq!(backoff.pause().as_millis(), 100);
}
