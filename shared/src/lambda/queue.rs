//! The entry point for queues: `aws:rmq` events of a RabbitMQ event source. AWS sends nulls where the published Rust
//! type has numbers, so the event type here is our own, with optional fields.

mod settle;

pub use settle::{Outcome, settle};

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use super::{Entry, invalid_event, raw};
use crate::error::Error;
use crate::id::Entropy;
use crate::time::Time;

/// The AMQP header that counts how often consumers have failed on a job.
pub const ATTEMPT_HEADER: &str = "x-attempt";

/// The messages of one event; of each queue in their order.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The invocation's request id.
    pub id: String,
    /// The start of the invocation; the event itself contains no time.
    pub now: Time,
    pub entropy: Entropy,
    pub deliveries: Vec<Delivery>,
}

/// One message from a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The queue's name, without the virtual host.
    pub queue: String,
    /// AMQP `message-id`, if the publisher set one.
    pub message_id: Option<String>,
    pub body: Vec<u8>,
    /// How often consumers have failed on it: [`ATTEMPT_HEADER`], or 0.
    pub attempt: u32,
    /// Whether the broker has delivered it before.
    pub redelivered: bool,
}

/// Makes a handler of batches a Lambda function. An error fails the invocation, and the broker redelivers the whole
/// batch. A job that fails on its own must therefore not be returned as an error; [`settle`] retries or
/// dead-letters it.
pub fn queue<H, F>(handle: H) -> Entry
where
    H: Fn(Batch) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    let handle = Arc::new(handle);
    Arc::new(move |event| {
        let handle = Arc::clone(&handle);
        Box::pin(async move {
            let (event, context) = event.into_parts();
            let deliveries = read(event.get()).map_err(|e| invalid_event(&e))?;
            let batch = Batch {
                id: context.request_id,
                now: super::clock(),
                entropy: Entropy::default(),
                deliveries,
            };
            let id = batch.id.clone();
            let handled = super::within_deadline(context.deadline, handle(batch)).await;
            handled.map_err(|error| super::failed(&error, &id))?;
            raw(&())
        })
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    rmq_messages_by_queue: HashMap<String, Vec<Record>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    #[serde(default)]
    basic_properties: Option<Properties>,
    #[serde(default)]
    redelivered: Option<bool>,
    #[serde(default)]
    data: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Properties {
    #[serde(default)]
    message_id: Option<String>,
    #[serde(default)]
    headers: Option<HashMap<String, Value>>,
}

fn read(text: &str) -> Result<Vec<Delivery>, serde_json::Error> {
    let event: Event = serde_json::from_str(text)?;
    let mut deliveries = Vec::new();
    for (name, records) in event.rmq_messages_by_queue {
        let queue = name.split("::").next().unwrap_or(&name);
        for record in records {
            deliveries.push(delivery(queue, record)?);
        }
    }
    Ok(deliveries)
}

fn delivery(queue: &str, record: Record) -> Result<Delivery, serde_json::Error> {
    let properties = record.basic_properties.unwrap_or_default();
    let attempt = properties.headers.unwrap_or_default().get(ATTEMPT_HEADER).and_then(number).unwrap_or(0);
    let body = STANDARD.decode(record.data.unwrap_or_default()).map_err(serde::de::Error::custom)?;
    Ok(Delivery {
        queue: queue.to_owned(),
        message_id: properties.message_id,
        body,
        attempt,
        redelivered: record.redelivered.unwrap_or(false),
    })
}

/// The number in a header's value: a JSON number, or digits in the form `{"bytes":[…]}`, in which AWS sends strings.
fn number(value: &Value) -> Option<u32> {
    if let Some(number) = value.as_u64() {
        return u32::try_from(number).ok();
    }
    let bytes: Option<Vec<u8>> = value
        .get("bytes")?
        .as_array()?
        .iter()
        .map(|byte| byte.as_u64().and_then(|byte| u8::try_from(byte).ok()))
        .collect();
    String::from_utf8(bytes?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn event_with_nulls_and_byte_headers_is_read() {
        let event = r#"{"eventSource":"aws:rmq","eventSourceArn":"arn:aws:mq:eu-central-1:1:broker:b:b-1",
            "rmqMessagesByQueue":{"orders::/":[{"basicProperties":{"contentType":"text/plain","headers":null,
            "deliveryMode":2,"priority":null,"messageId":null,"bodySize":2},"redelivered":false,"data":"aGk="},
            {"basicProperties":{"headers":{"x-attempt":{"bytes":[51]}},"messageId":"m1"},"redelivered":true,
            "data":"aGk="}]}}"#;
        let deliveries: Vec<_> = read(event)
            .unwrap()
            .into_iter()
            .map(|d| (d.queue, d.message_id, d.body, d.attempt, d.redelivered))
            .collect();
        let orders = || "orders".to_owned();
        assert_eq!(
            deliveries,
            [
                (orders(), None, b"hi".to_vec(), 0, false),
                (orders(), Some("m1".to_owned()), b"hi".to_vec(), 3, true)
            ]
        );
    }
}
