//! Where each API of a plan is on the one port: at the root if it is the only one of its kind, otherwise below
//! `/_api/<logical id>`. Without that prefix a request goes to the API whose route fits it best.

use crate::plan::{HttpApiPlan, Plan, WebSocketPlan};

/// The path before the stage of an HTTP API, a REST API or a function URL.
#[must_use]
pub(crate) fn http_prefix(plan: &Plan, api: &HttpApiPlan) -> String {
    if plan.http.len() > 1 { prefix(&api.id) } else { String::new() }
}

/// The path before the stage of a WebSocket API.
#[must_use]
pub(crate) fn websocket_prefix(plan: &Plan, api: &WebSocketPlan) -> String {
    if plan.websocket.len() > 1 { prefix(&api.id) } else { String::new() }
}

fn prefix(id: &str) -> String {
    format!("/_api/{id}")
}
