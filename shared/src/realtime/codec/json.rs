//! The plain JSON dialect: `{"action","id","data"}` in, `{"event","data"}` out.

use std::fmt;

use serde_json::{Map, Number, Value};

use super::{ParseError, bounded};

/// One frame from a client.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// The event's name. Not empty.
    pub action: String,
    /// The answer is wanted under this id.
    pub id: Option<Id>,
    /// The event's payload; null if the frame has none.
    pub data: Value,
}

/// A client's id for one frame, given back as it came.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Id {
    /// A string.
    Text(String),
    /// A number.
    Number(Number),
}

impl fmt::Display for Id {
    /// The id as JSON.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => formatter.write_str(&bounded::to_string(text)),
            Self::Number(number) => number.fmt(formatter),
        }
    }
}

/// A frame, or what its sender is told under its id.
pub type Read = Result<Frame, (Id, &'static str)>;

/// Reads one frame from a client. A null id is none. A frame whose only fault is its fields is answered under its
/// id, where it has one.
///
/// # Errors
///
/// `TooLong`, `TooDeep`, `InvalidJson`; `InvalidPayload` if it is no object, has an id that is neither string nor
/// number, or no id to answer under and no `action` or a key we do not know (most often `data` misspelt).
pub fn parse(frame: &str) -> Result<Read, ParseError> {
    bounded::check_size(frame)?;
    let mut fields: Map<String, Value> = bounded::from_str(frame)?;
    let id = match fields.remove("id") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(Id::Text(text)),
        Some(Value::Number(number)) => Some(Id::Number(number)),
        Some(_) => return Err(ParseError::InvalidPayload),
    };
    let action = fields.remove("action");
    let data = fields.remove("data").unwrap_or_default();
    match (action, fields.is_empty(), id) {
        (Some(Value::String(action)), true, id) if !action.is_empty() => Ok(Ok(Frame { action, id, data })),
        (_, _, Some(id)) => Ok(Err((id, "a frame is {action, id, data}, with a text as its action"))),
        (_, _, None) => Err(ParseError::InvalidPayload),
    }
}

/// An event, `payload` being JSON already.
pub fn event(name: &str, payload: &str) -> String {
    let name = bounded::to_string(name);
    format!(r#"{{"event":{name},"data":{payload}}}"#)
}

/// The ack of the frame `id`, `payload` being JSON already.
pub fn ack(id: &Id, payload: &str) -> String {
    format!(r#"{{"event":"ack","id":{id},"data":{payload}}}"#)
}
