//! Replies and environments of AWS.

use shared::config::Env;
use test_support::scripted_server::{ScriptedReply, ScriptedServer};

/// A reply without a body.
pub(crate) fn status(status: u16) -> ScriptedReply {
    ScriptedReply::new(status, "")
}

/// An error whose type is in `x-amzn-ErrorType`.
pub(crate) fn error(status: u16, kind: &str) -> ScriptedReply {
    ScriptedReply::new(status, r#"{"message":"no"}"#).header("x-amzn-ErrorType", kind)
}

/// An error whose body is not JSON and that has no type, such as the real 410.
pub(crate) fn html(status: u16) -> ScriptedReply {
    ScriptedReply::new(status, "<html>")
}

/// The environment of a function that pushes to this server, with more variables.
pub(crate) fn env_of(server: &ScriptedServer, more: &[(&str, &str)]) -> Env {
    let endpoint = format!("http://{}/live", server.address);
    env(&[&[("PUSH_ENDPOINT", endpoint.as_str())], more].concat())
}

pub(crate) fn env(values: &[(&str, &str)]) -> Env {
    Env::of(values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

/// The keys that Lambda sets.
pub(crate) const KEYS: [(&str, &str); 4] = [
    ("AWS_REGION", "eu-central-1"),
    ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG"),
    ("AWS_SESSION_TOKEN", "session-token"),
];
