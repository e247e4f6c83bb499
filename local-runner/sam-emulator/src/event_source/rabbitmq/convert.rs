//! From lapin's types to ours.

use std::collections::BTreeMap;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, ShortString};

use crate::event_source::source::{HeaderValue, Properties};

/// A message's properties.
pub(super) fn properties(from: &BasicProperties) -> Properties {
    Properties {
        content_type: text(from.content_type()),
        content_encoding: text(from.content_encoding()),
        headers: from.headers().as_ref().map(table),
        delivery_mode: *from.delivery_mode(),
        priority: *from.priority(),
        correlation_id: text(from.correlation_id()),
        reply_to: text(from.reply_to()),
        expiration: text(from.expiration()),
        message_id: text(from.message_id()),
        timestamp: *from.timestamp(),
        kind: text(from.kind()),
        user_id: text(from.user_id()),
        app_id: text(from.app_id()),
        cluster_id: text(from.cluster_id()),
    }
}

fn text(from: &Option<ShortString>) -> Option<String> {
    from.as_ref().map(ShortString::to_string)
}

fn table(from: &FieldTable) -> BTreeMap<String, HeaderValue> {
    from.inner().iter().map(|(name, value)| (name.to_string(), header(value))).collect()
}

fn header(from: &AMQPValue) -> HeaderValue {
    match from {
        AMQPValue::Boolean(flag) => HeaderValue::Boolean(*flag),
        AMQPValue::ShortShortInt(number) => HeaderValue::Integer((*number).into()),
        AMQPValue::ShortShortUInt(number) => HeaderValue::Integer((*number).into()),
        AMQPValue::ShortInt(number) => HeaderValue::Integer((*number).into()),
        AMQPValue::ShortUInt(number) => HeaderValue::Integer((*number).into()),
        AMQPValue::LongInt(number) => HeaderValue::Integer((*number).into()),
        AMQPValue::LongUInt(number) => HeaderValue::Integer((*number).into()),
        AMQPValue::LongLongInt(number) => HeaderValue::Integer(*number),
        AMQPValue::Float(number) => HeaderValue::Float((*number).into()),
        AMQPValue::Double(number) => HeaderValue::Float(*number),
        AMQPValue::DecimalValue(decimal) => {
            HeaderValue::Float(f64::from(decimal.value) / 10_f64.powi(decimal.scale.into()))
        }
        AMQPValue::ShortString(text) => HeaderValue::Text(text.as_str().into()),
        AMQPValue::LongString(text) => HeaderValue::Text(text.as_bytes().into()),
        AMQPValue::FieldArray(values) => HeaderValue::List(values.as_slice().iter().map(header).collect()),
        AMQPValue::Timestamp(seconds) => HeaderValue::Time(*seconds),
        AMQPValue::FieldTable(values) => HeaderValue::Table(table(values)),
        AMQPValue::ByteArray(bytes) => HeaderValue::Bytes(bytes.as_slice().into()),
        AMQPValue::Void => HeaderValue::Null,
    }
}
