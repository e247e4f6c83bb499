//! Where each API of a plan is on the one port: at the root if it is the only one of its kind, otherwise below
//! `/_api/<logical id>`. Without that prefix a request goes to the API whose route fits it best.

use std::collections::BTreeMap;

use crate::plan::{HttpApiKind, HttpApiPlan, Plan, WebSocketPlan};

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

/// The prefix of every API that has one, by the first label of the host name that AWS would give it. That of a
/// function URL is the function's logical id.
#[must_use]
pub(crate) fn prefixes(plan: &Plan) -> BTreeMap<String, String> {
    let http = plan.http.iter().map(|api| {
        let is_url = api.kind == HttpApiKind::FunctionUrl;
        let label = api.id.strip_suffix("Url").filter(|_| is_url).unwrap_or(&api.id);
        (label.to_owned(), http_prefix(plan, api))
    });
    let websocket = plan.websocket.iter().map(|api| (api.id.clone(), websocket_prefix(plan, api)));
    http.chain(websocket).filter(|(_, prefix)| !prefix.is_empty()).collect()
}

fn prefix(id: &str) -> String {
    format!("/_api/{id}")
}
