//! The plain JSON dialect: `{"action","id","data"}` in, `{"event","data"}` out.

use std::fmt;

use serde_json::{Map, Number, Value};

use super::{ParseError, bounded};

/// One frame from a client.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// The event's name; not empty.
    pub action: String,
    /// The id for the answer; without it, only a failure is answered.
    pub id: Option<Id>,
    /// The payload; null if the frame has none.
    pub data: Value,
}

/// A client's id for one frame; the answer repeats it unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Id {
    Text(String),
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

/// A frame; or, for a frame with wrong fields, its id and the error to answer under that id.
pub type Parsed = Result<Frame, (Id, &'static str)>;

const WRONG_FIELDS: &str =
    "the frame must be {action, id, data} with a non-empty string as action and no other keys";

/// Parses one frame from a client. A null id counts as absent. A frame with wrong fields (no `action`, or an unknown
/// key, such as a misspelt `data`) is answered under its id, if it has one.
///
/// # Errors
///
/// `TooLong`, `TooDeep`, `InvalidJson`; `InvalidPayload` if the frame is no object, if its id is neither a string nor a
/// number, or if it has wrong fields and no id.
pub fn parse(frame: &str) -> Result<Parsed, ParseError> {
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
        (_, _, Some(id)) => Ok(Err((id, WRONG_FIELDS))),
        (_, _, None) => Err(ParseError::InvalidPayload),
    }
}

/// The frame of an event; `payload` is JSON already.
pub fn event(name: &str, payload: &str) -> String {
    let name = bounded::to_string(name);
    format!(r#"{{"event":{name},"data":{payload}}}"#)
}

/// The frame of the ack for the frame `id`; `payload` is JSON already.
pub fn ack(id: &Id, payload: &str) -> String {
    format!(r#"{{"event":"ack","id":{id},"data":{payload}}}"#)
}
