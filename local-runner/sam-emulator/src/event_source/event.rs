//! The `aws:rmq` event, with the nulls and the formats of an event captured on AWS
//! (aws-samples/aws-cdk-examples, `amazon-mq-rabbitmq-lambda`).

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::source::{AmqpProperties, AmqpValue, SourceMessage};
use crate::plan::QueuePlan;

/// One message of the event, with the fields in Lambda's order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EventMessage<'a> {
    basic_properties: BasicProperties<'a>,
    redelivered: bool,
    data: String,
}

/// Every field is present; it is null when the publisher did not set the property.
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

/// The JSON text of one message, for [`build`].
#[must_use]
pub fn message_json(message: &SourceMessage) -> String {
    let message = EventMessage {
        basic_properties: basic_properties(&message.properties, message.data.len()),
        redelivered: message.redelivered,
        data: STANDARD.encode(&message.data),
    };
    serde_json::to_string(&message).unwrap_or_default()
}

/// The event with `messages`, each a text of [`message_json`]. Their key is `<queue>::<virtual host>`.
#[must_use]
pub fn build(plan: &QueuePlan, messages: &[&str]) -> Bytes {
    let key = Value::from(format!("{}::{}", plan.queue, plan.virtual_host));
    let arn = Value::from(plan.broker_arn.as_str());
    let messages = messages.join(",");
    Bytes::from(format!(
        r#"{{"eventSource":"aws:rmq","eventSourceArn":{arn},"rmqMessagesByQueue":{{{key}:[{messages}]}}}}"#
    ))
}

fn basic_properties(properties: &AmqpProperties, body_size: usize) -> BasicProperties<'_> {
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

fn table(table: &BTreeMap<String, AmqpValue>) -> Value {
    table.iter().map(|(name, value)| (name.clone(), header(value))).collect()
}

/// A string becomes `{"bytes":[…]}` with signed bytes: Lambda serializes the fields of the Java client's
/// `LongString`.
fn header(value: &AmqpValue) -> Value {
    match value {
        AmqpValue::Text(text) => json!({ "bytes": signed(text) }),
        AmqpValue::Bytes(bytes) => signed(bytes),
        AmqpValue::Integer(number) => json!(number),
        AmqpValue::Float(number) => json!(number),
        AmqpValue::Boolean(flag) => json!(flag),
        AmqpValue::Time(seconds) => json!(date(*seconds)),
        AmqpValue::List(values) => values.iter().map(header).collect(),
        AmqpValue::Table(values) => table(values),
        AmqpValue::Null => Value::Null,
    }
}

fn signed(bytes: &[u8]) -> Value {
    bytes.iter().map(|byte| byte.cast_signed()).collect()
}

/// `Jan 1, 1970, 12:33:41 AM` in UTC; `None` for a time outside the calendar.
fn date(seconds: u64) -> Option<String> {
    let at = Timestamp::from_second(i64::try_from(seconds).ok()?).ok()?;
    Some(at.strftime("%b %-d, %Y, %-I:%M:%S %p").to_string())
}
