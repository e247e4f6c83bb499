//! The `aws:rmq` event: pure, with the nulls and the odd forms of a real capture.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::source::{Delivery, HeaderValue, Properties};
use crate::plan::QueuePlan;

/// One message of the event, in Lambda's order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Message<'a> {
    basic_properties: BasicProperties<'a>,
    redelivered: bool,
    data: String,
}

/// Every field is there, null when the publisher set none.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BasicProperties<'a> {
    content_type: &'a Option<String>,
    content_encoding: &'a Option<String>,
    headers: Option<Value>,
    delivery_mode: Option<u8>,
    priority: Option<u8>,
    correlation_id: &'a Option<String>,
    reply_to: &'a Option<String>,
    expiration: &'a Option<String>,
    message_id: &'a Option<String>,
    timestamp: Option<String>,
    #[serde(rename = "type")]
    kind: &'a Option<String>,
    user_id: &'a Option<String>,
    app_id: &'a Option<String>,
    cluster_id: &'a Option<String>,
    body_size: usize,
}

/// One message as JSON text, to be joined into an event by [`event`].
#[must_use]
pub fn message(delivery: &Delivery) -> String {
    let message = Message {
        basic_properties: basic_properties(&delivery.properties, delivery.data.len()),
        redelivered: delivery.redelivered,
        data: STANDARD.encode(&delivery.data),
    };
    serde_json::to_string(&message).unwrap_or_default()
}

/// The event that carries `messages`, each the text of [`message`]. The key is `<queue>::<vhost>`.
#[must_use]
pub fn event(plan: &QueuePlan, messages: &[&str]) -> Bytes {
    let key = Value::from(format!("{}::{}", plan.queue, plan.virtual_host));
    let arn = Value::from(plan.broker_arn.as_str());
    let messages = messages.join(",");
    Bytes::from(format!(
        r#"{{"eventSource":"aws:rmq","eventSourceArn":{arn},"rmqMessagesByQueue":{{{key}:[{messages}]}}}}"#
    ))
}

fn basic_properties(properties: &Properties, body_size: usize) -> BasicProperties<'_> {
    BasicProperties {
        content_type: &properties.content_type,
        content_encoding: &properties.content_encoding,
        headers: properties.headers.as_ref().map(table),
        delivery_mode: properties.delivery_mode,
        priority: properties.priority,
        correlation_id: &properties.correlation_id,
        reply_to: &properties.reply_to,
        expiration: &properties.expiration,
        message_id: &properties.message_id,
        timestamp: properties.timestamp.and_then(date),
        kind: &properties.kind,
        user_id: &properties.user_id,
        app_id: &properties.app_id,
        cluster_id: &properties.cluster_id,
        body_size,
    }
}

fn table(table: &BTreeMap<String, HeaderValue>) -> Value {
    table.iter().map(|(name, value)| (name.clone(), header(value))).collect()
}

/// Text is `{"bytes":[…]}`, which is how the Java client's long string looks when its fields are written
/// out; its bytes are Java's and so signed.
fn header(value: &HeaderValue) -> Value {
    match value {
        HeaderValue::Text(text) => json!({ "bytes": signed(text) }),
        HeaderValue::Bytes(bytes) => signed(bytes),
        HeaderValue::Integer(number) => json!(number),
        HeaderValue::Float(number) => json!(number),
        HeaderValue::Boolean(flag) => json!(flag),
        HeaderValue::Time(seconds) => json!(date(*seconds)),
        HeaderValue::List(values) => values.iter().map(header).collect(),
        HeaderValue::Table(values) => table(values),
        HeaderValue::Null => Value::Null,
    }
}

fn signed(bytes: &[u8]) -> Value {
    bytes.iter().map(|byte| byte.cast_signed()).collect()
}

/// `Jan 1, 1970, 12:33:41 AM`, in UTC; null for a time that no calendar has.
fn date(seconds: u64) -> Option<String> {
    let at = Timestamp::from_second(i64::try_from(seconds).ok()?).ok()?;
    Some(at.strftime("%b %-d, %Y, %-I:%M:%S %p").to_string())
}
