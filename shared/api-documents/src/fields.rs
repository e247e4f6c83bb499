//! The fields and parameters of requests. Their limits are the constants of the parsers in `shared`.

use serde_json::{Value, json};
use shared::auth::PASSWORD_LENGTH;
use shared::conversation::{LARGEST_GROUP, LONGEST_GROUP_NAME};
use shared::id::LONGEST_ID;
use shared::message::{LONGEST_CLIENT_MESSAGE_ID, LONGEST_CONTENT};
use shared::page::{LARGEST_PAGE, USUAL_PAGE};
use shared::realtime::client_event::MAX_REPLAYED;
use shared::search::{LONGEST_QUERY, MAX_TERMS};
use shared::user::{LONGEST_DISPLAY_NAME, LONGEST_EMAIL, LONGEST_USER_SEARCH, USERNAME_LENGTH};

/// Text that contains something to see.
const SOME_TEXT: &str = r"[^\s\u0000-\u001f\u007f-\u009f]";
/// The same, in one line.
const ONE_LINE: &str =
    r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$";
/// No control characters.
const NO_CONTROL: &str = r"^[^\u0000-\u001f\u007f-\u009f]+$";
const EMAIL: &str =
    r"^[A-Za-z0-9._%+-]{1,64}@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$";

fn text(description: &str, fewest: usize, most: usize) -> Value {
    json!({ "type": "string", "minLength": fewest, "maxLength": most, "description": description })
}

fn text_like(description: &str, pattern: &str, most: usize) -> Value {
    let mut schema = text(description, 1, most);
    schema["pattern"] = pattern.into();
    schema
}

/// An identifier of the given thing.
pub(crate) fn id(of: &str) -> Value {
    text_like(&format!("The id of {of}."), "^[A-Za-z0-9_-]+$", LONGEST_ID)
}

pub(crate) fn ids(of: &str, most: usize) -> Value {
    json!({ "type": "array", "items": id(of), "minItems": 1, "maxItems": most })
}

/// The members of a new group besides the caller.
pub(crate) fn participants() -> Value {
    ids("another user", LARGEST_GROUP - 1)
}

pub(crate) fn username() -> Value {
    let (fewest, most) = (*USERNAME_LENGTH.start(), *USERNAME_LENGTH.end());
    let mut schema = text("Unique without regard to case.", fewest, most);
    schema["pattern"] = "^[A-Za-z0-9_.-]+$".into();
    schema
}

pub(crate) fn email() -> Value {
    text_like("Unique without regard to case; only its owner sees it.", EMAIL, LONGEST_EMAIL)
}

pub(crate) fn new_password() -> Value {
    text("Characters are Unicode scalar values.", *PASSWORD_LENGTH.start(), *PASSWORD_LENGTH.end())
}

/// A password to compare; any text is accepted and then wrong.
pub(crate) fn password() -> Value {
    json!({ "type": "string", "description": "The current password." })
}

/// A name to log in with.
pub(crate) fn login(description: &str) -> Value {
    text_like(description, r"\S", LONGEST_EMAIL)
}

pub(crate) fn display_name() -> Value {
    text_like("The name that others see; it is trimmed.", ONE_LINE, LONGEST_DISPLAY_NAME)
}

pub(crate) fn group_name() -> Value {
    text_like("The group's name; it is trimmed.", ONE_LINE, LONGEST_GROUP_NAME)
}

pub(crate) fn content() -> Value {
    let what = "The text. It is trimmed, and control characters other than newline and tab are removed; otherwise it is \
                stored as sent and never interpreted as HTML.";
    text_like(what, SOME_TEXT, LONGEST_CONTENT)
}

pub(crate) fn client_message_id() -> Value {
    let what = "The sender's own key for this send. Sending the same message again with the same key stores nothing.";
    text_like(what, NO_CONTROL, LONGEST_CLIENT_MESSAGE_ID)
}

pub(crate) fn boolean(description: &str) -> Value {
    json!({ "type": "boolean", "description": description })
}

pub(crate) fn refresh_token() -> Value {
    json!({ "type": "string", "description": "The refresh token of the latest pair; opaque." })
}

/// The last `seq` of each conversation that a client has received.
pub(crate) fn last_seq() -> Value {
    json!({
        "type": "object",
        "description": "The last seq that the client has received, by conversation id.",
        "additionalProperties": { "type": "integer", "minimum": 0 },
        "maxProperties": MAX_REPLAYED,
    })
}

/// The parameter `limit` of a list.
pub(crate) fn limit() -> Value {
    let schema = json!({ "type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": USUAL_PAGE });
    query("limit", "The most rows of the page.", false, &schema)
}

/// A parameter of the query.
pub(crate) fn query(name: &str, description: &str, required: bool, schema: &Value) -> Value {
    json!({ "name": name, "in": "query", "required": required, "description": description, "schema": schema })
}

/// A parameter of the path that is an id.
pub(crate) fn path(name: &str, of: &str) -> Value {
    json!({ "name": name, "in": "path", "required": true, "description": format!("The id of {of}."), "schema": id(of) })
}

/// The parameter `q` of a search.
pub(crate) fn search_words() -> Value {
    let what = format!("1 to {MAX_TERMS} words; a message matches if each begins one of its words.");
    let schema = json!({ "type": "string", "minLength": 1, "maxLength": LONGEST_QUERY });
    query("q", &what, true, &schema)
}

/// The parameter `search` of the list of users.
pub(crate) fn user_search() -> Value {
    let what = "With it, only users whose username or a word of whose display name begins with this.";
    query("search", what, false, &json!({ "type": "string", "maxLength": LONGEST_USER_SEARCH }))
}

/// The parameter `cursor` of the list of users.
pub(crate) fn user_cursor() -> Value {
    cursor(&json!({ "type": "string", "maxLength": LONGEST_USER_SEARCH }))
}

/// A parameter `cursor` with this schema.
pub(crate) fn cursor(schema: &Value) -> Value {
    query("cursor", "The nextCursor of the page before; without it, the first page.", false, schema)
}

/// The cursor of the list of conversations.
pub(crate) fn activity_cursor() -> Value {
    cursor(&json!({ "type": "string", "pattern": "^[0-9]{1,15}_[A-Za-z0-9_-]{1,64}$" }))
}
