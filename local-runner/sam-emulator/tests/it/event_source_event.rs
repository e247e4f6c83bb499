//! The `aws:rmq` event, and when a batch is complete.

use std::collections::BTreeMap;
use std::time::Duration;

use expect_test::expect;
use sam_emulator::event_source::event::{self, message_json};
use sam_emulator::event_source::{
    AmqpProperties, AmqpValue, Backoff, Batch, BatchLimits, PushOutcome, Record, SourceMessage,
};
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

fn pretty(messages: &[SourceMessage]) -> String {
    let messages: Vec<String> = messages.iter().map(message_json).collect();
    let messages: Vec<&str> = messages.iter().map(String::as_str).collect();
    let event = event::build(&plan("orders"), &messages);
    let value: serde_json::Value = serde_json::from_slice(&event).unwrap();
    serde_json::to_string_pretty(&value).unwrap()
}

#[test]
fn an_event_has_null_for_every_property_that_is_not_set() {
    let bare = SourceMessage { id: 1, data: b"hi".to_vec(), ..SourceMessage::default() };
    let text = String::from_utf8(event::build(&plan("orders"), &[&message_json(&bare)]).to_vec()).unwrap();
    expect![[r#"{"eventSource":"aws:rmq","eventSourceArn":"arn:aws:mq:eu-central-1:123456789012:broker:b:b-1","rmqMessagesByQueue":{"orders::/":[{"basicProperties":{"contentType":null,"contentEncoding":null,"headers":null,"deliveryMode":null,"priority":null,"correlationId":null,"replyTo":null,"expiration":null,"messageId":null,"timestamp":null,"type":null,"userId":null,"appId":null,"clusterId":null,"bodySize":2},"redelivered":false,"data":"aGk="}]}}"#]].assert_eq(&text);
}

#[test]
fn an_event_has_every_property_and_header() {
    let headers = BTreeMap::from([
        ("text".to_owned(), AmqpValue::Text("vaı".into())),
        ("n".to_owned(), AmqpValue::Integer(10)),
        ("f".to_owned(), AmqpValue::Float(0.5)),
        ("flag".to_owned(), AmqpValue::Boolean(true)),
        ("at".to_owned(), AmqpValue::Time(0)),
        ("raw".to_owned(), AmqpValue::Bytes(vec![0, 127, 128, 255])),
        ("list".to_owned(), AmqpValue::List(vec![AmqpValue::Null, AmqpValue::Text(b"a".to_vec())])),
        ("table".to_owned(), AmqpValue::Table(BTreeMap::from([("k".to_owned(), AmqpValue::Integer(-1))]))),
    ]);
    let text = |text: &str| Some(text.to_owned());
    let properties = AmqpProperties {
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
    let full = SourceMessage { id: 1, redelivered: true, properties, data: b"{\"a\":1}".to_vec() };
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
fn a_timestamp_is_written_as_a_java_date() {
    let cases = [
        (2_021, "\"Jan 1, 1970, 12:33:41 AM\""),
        (1_783_000_800, "\"Jul 2, 2026, 2:00:00 PM\""),
        (u64::MAX, "null"),
    ];
    for (seconds, expected) in cases {
        let properties = AmqpProperties { timestamp: Some(seconds), ..AmqpProperties::default() };
        let json = message_json(&SourceMessage { properties, ..SourceMessage::default() });
        assert!(json.contains(&format!("\"timestamp\":{expected},")), "{json}");
    }
}

fn record(id: u64, size: usize) -> Record {
    Record { id, json: "x".repeat(size) }
}

#[test]
fn a_batch_is_complete_by_count_size_or_window() {
    let start = Instant::now();
    let later = start + Duration::from_millis(400);
    let limits = BatchLimits { records: 3, window: Duration::from_millis(500), bytes: 10 };

    let mut batch = Batch::new(limits.clone());
    assert_eq!(batch.closes_at(), None, "an empty batch has no window");
    for (id, now) in [(1, start), (2, later)] {
        assert_eq!(batch.push(record(id, 1), now), PushOutcome::Accepted);
    }
    assert_eq!(batch.closes_at(), Some(start + limits.window), "the first record starts it");
    assert!(!batch.is_full());
    assert_eq!(batch.push(record(3, 1), later), PushOutcome::Accepted);
    assert!(batch.is_full(), "by count");

    batch.start_next(later);
    assert_eq!((batch.ids(), batch.closes_at()), (vec![], None));
    // 6 bytes, a comma and 3 bytes are the limit of 10; one more byte is for the next batch.
    assert_eq!(batch.push(record(4, 6), start), PushOutcome::Accepted);
    assert_eq!(batch.push(record(5, 3), start), PushOutcome::Accepted);
    assert!(!batch.is_full());
    assert_eq!(batch.push(record(6, 1), start), PushOutcome::Accepted);
    assert!(batch.is_full(), "by size");
    assert_eq!(batch.ids(), [4, 5]);
    batch.start_next(later);
    assert_eq!((batch.ids(), batch.closes_at()), (vec![6], Some(later + limits.window)));

    assert_eq!(batch.push(record(7, 11), later), PushOutcome::TooLarge);
    assert_eq!(batch.push(record(8, 9), later), PushOutcome::Accepted);
    assert_eq!(batch.take_ids(), [6, 8], "also the record that did not fit");
    assert!(!batch.is_full());
}

#[test]
fn a_batch_of_the_maximum_size_is_an_event_of_6_mb() {
    let plan = plan("orders");
    let limits = BatchLimits::of(&plan);
    let largest = "x".repeat(limits.bytes);
    assert_eq!(event::build(&plan, &[&largest]).len(), 6 * 1024 * 1024);
}

#[test]
fn a_backoff_delay_doubles_up_to_its_maximum_and_starts_again_after_success() {
    let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(350));
    let delays: Vec<u128> = (0..4).map(|_| backoff.next_delay().as_millis()).collect();
    assert_eq!(delays, [100, 200, 350, 350]);
    backoff.reset();
    assert_eq!(backoff.next_delay().as_millis(), 100);
}
