//! Events of Lambda triggers, and invocations of an entry point with them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use shared::id::Entropy;
use shared::lambda::queue::{Batch, Delivery};
use shared::lambda::{Entry, invoke};
use shared::time::Time;

/// Why an invocation failed, as Lambda reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvocationError {
    pub error_type: String,
    pub message: String,
}

/// Invokes an entry point with an event, without a deadline, and returns its reply.
///
/// # Errors
/// When the invocation fails.
pub async fn invoke_event(entry: &Entry, event: &Value) -> Result<Value, InvocationError> {
    invoke_text(entry, &event.to_string()).await
}

async fn invoke_text(entry: &Entry, event: &str) -> Result<Value, InvocationError> {
    let reply = invoke(entry, "an-invocation".to_owned(), u64::MAX, event.as_bytes()).await;
    let reply = reply
        .map_err(|failed| InvocationError { error_type: failed.error_type, message: failed.error_message })?;
    Ok(serde_json::from_str(&reply).unwrap())
}

/// Events of other triggers, and text that is not JSON, fail the invocation with `InvalidEvent`.
pub async fn assert_foreign_events_fail(entry: &Entry) {
    for event in ["{}", "[]", "null", "{\"version\":\"2.0\"}", "{\"Records\":[]}", "no JSON"] {
        let failed = invoke_text(entry, event).await.expect_err(event);
        assert_eq!(failed.error_type, "InvalidEvent", "{event}");
    }
}

/// The event of a schedule, as EventBridge Scheduler sends it. `at` is in RFC 3339.
pub fn schedule_event(at: &str) -> Value {
    json!({ "version": "0", "id": "0", "detail-type": "Scheduled Event", "source": "aws.scheduler",
        "account": "123456789012", "time": at, "region": "eu-central-1", "resources": [], "detail": "{}" })
}

/// A batch of a queue as a handler receives it.
pub fn batch(now: Time, deliveries: Vec<Delivery>) -> Batch {
    Batch { id: "a-batch".to_owned(), now, entropy: Entropy::default(), deliveries }
}

/// A first delivery of a queue.
pub fn delivery(queue: &str, message_id: Option<&str>, body: &[u8]) -> Delivery {
    Delivery {
        queue: queue.to_owned(),
        message_id: message_id.map(str::to_owned),
        body: body.to_vec(),
        attempt: 0,
        redelivered: false,
    }
}

/// The event of a batch, with the nulls of a real one.
pub fn queue_event(queue: &str, deliveries: &[Delivery]) -> Value {
    let record = |delivery: &Delivery| {
        json!({
            "basicProperties": { "contentType": "application/json", "contentEncoding": null,
                "headers": { "x-attempt": delivery.attempt }, "deliveryMode": 2, "priority": null,
                "correlationId": null, "replyTo": null, "expiration": null, "messageId": delivery.message_id,
                "timestamp": null, "type": null, "userId": null, "appId": null, "clusterId": null,
                "bodySize": delivery.body.len() },
            "redelivered": delivery.redelivered, "data": STANDARD.encode(&delivery.body),
        })
    };
    let records: Vec<Value> = deliveries.iter().map(record).collect();
    json!({ "eventSource": "aws:rmq", "eventSourceArn": "arn:aws:mq:eu-central-1:123456789012:broker:b:b-1",
        "rmqMessagesByQueue": { format!("{queue}::/"): records } })
}

/// The event of a WebSocket API for a connection. `event_type` is `CONNECT`, `MESSAGE` or `DISCONNECT`.
pub fn socket_event(event_type: &str, connection: &str, now: Time) -> Value {
    json!({
        "requestContext": {
            "eventType": event_type, "connectionId": connection, "requestId": "a-socket-event",
            "requestTimeEpoch": now.millis(), "identity": { "sourceIp": "192.0.2.7" },
        },
        "isBase64Encoded": false,
    })
}
