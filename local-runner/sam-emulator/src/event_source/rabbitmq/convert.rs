//! lapin's types → the types of [`source`](crate::event_source::source).

use std::collections::BTreeMap;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, ShortString};

use crate::event_source::source::{AmqpProperties, AmqpValue};

pub(super) fn properties(from: &BasicProperties) -> AmqpProperties {
    AmqpProperties {
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

fn table(from: &FieldTable) -> BTreeMap<String, AmqpValue> {
    from.inner().iter().map(|(name, value)| (name.to_string(), header(value))).collect()
}

fn header(from: &AMQPValue) -> AmqpValue {
    match from {
        AMQPValue::Boolean(flag) => AmqpValue::Boolean(*flag),
        AMQPValue::ShortShortInt(number) => AmqpValue::Integer((*number).into()),
        AMQPValue::ShortShortUInt(number) => AmqpValue::Integer((*number).into()),
        AMQPValue::ShortInt(number) => AmqpValue::Integer((*number).into()),
        AMQPValue::ShortUInt(number) => AmqpValue::Integer((*number).into()),
        AMQPValue::LongInt(number) => AmqpValue::Integer((*number).into()),
        AMQPValue::LongUInt(number) => AmqpValue::Integer((*number).into()),
        AMQPValue::LongLongInt(number) => AmqpValue::Integer(*number),
        AMQPValue::Float(number) => AmqpValue::Float((*number).into()),
        AMQPValue::Double(number) => AmqpValue::Float(*number),
        AMQPValue::DecimalValue(decimal) => {
            AmqpValue::Float(f64::from(decimal.value) / 10_f64.powi(decimal.scale.into()))
        }
        AMQPValue::ShortString(text) => AmqpValue::Text(text.as_str().into()),
        AMQPValue::LongString(text) => AmqpValue::Text(text.as_bytes().into()),
        AMQPValue::FieldArray(values) => AmqpValue::List(values.as_slice().iter().map(header).collect()),
        AMQPValue::Timestamp(seconds) => AmqpValue::Time(*seconds),
        AMQPValue::FieldTable(values) => AmqpValue::Table(table(values)),
        AMQPValue::ByteArray(bytes) => AmqpValue::Bytes(bytes.as_slice().into()),
        AMQPValue::Void => AmqpValue::Null,
    }
}
