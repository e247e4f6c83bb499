//! Encodes Socket.IO packets for clients as complete frames, including the Engine.IO message around them.

use serde::Serialize;

use super::MAIN_NAMESPACE;
use crate::realtime::codec::{bounded, engine_io};

/// The answer to CONNECT. Its payload is exactly `{sid}`, because further keys switch on client features that Ulak does
/// not serve. A second one makes the client fire `connect` again, so `sid` should stay the same.
pub fn connect(namespace: &str, sid: &str) -> String {
    #[derive(Serialize)]
    struct Session<'a> {
        sid: &'a str,
    }
    packet('0', namespace, None, &bounded::to_string(&Session { sid }))
}

/// The refusal of CONNECT. The client reports it as `connect_error` with `err.message` and, if given, `err.data`, and
/// does not try again by itself.
pub fn connect_error(namespace: &str, message: &str, data: Option<&impl Serialize>) -> String {
    #[derive(Serialize)]
    struct Refusal<'a, D> {
        message: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        data: Option<&'a D>,
    }
    packet('4', namespace, None, &bounded::to_string(&Refusal { message, data }))
}

/// The server's DISCONNECT: it tells the client not to reconnect, which it would do after a mere close.
pub fn disconnect(namespace: &str) -> String {
    packet('1', namespace, None, "")
}

/// An event with one argument; `payload` is JSON already. With an `id`, the client answers with an ack.
pub fn event(namespace: &str, id: Option<u64>, name: &str, payload: &str) -> String {
    let name = bounded::to_string(name);
    packet('2', namespace, id, &format!("[{name},{payload}]"))
}

/// The ack of the event `id` with one argument; `payload` is JSON already.
pub fn ack(namespace: &str, id: u64, payload: &str) -> String {
    packet('3', namespace, Some(id), &format!("[{payload}]"))
}

fn packet(kind: char, namespace: &str, id: Option<u64>, payload: &str) -> String {
    let id = id.map(|id| id.to_string()).unwrap_or_default();
    let (namespace, comma) = if namespace == MAIN_NAMESPACE { ("", "") } else { (namespace, ",") };
    engine_io::message(&format!("{kind}{namespace}{comma}{id}{payload}"))
}
