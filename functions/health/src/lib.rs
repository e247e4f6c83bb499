//! `GET /api/health` — asks every store how it is: 200, or 503 naming the one that is down.

use serde_json::{Map, Value, json};
use shared::auth::Gate;
use shared::error::Error;
use shared::lambda::http::{Reply, Request};
use shared::ports::Probe;

/// A store and the name that health reports it by.
pub type Named<'a> = (&'static str, &'a dyn Probe);

/// All stores are asked; an unlimited caller learns only names, never addresses.
///
/// # Errors
/// `RateLimited`; a limit store that is down does not stop the report.
pub async fn handle(gate: Gate<'_>, stores: &[Named<'_>], request: Request) -> Result<Reply, Error> {
    match gate.admit_stranger(&request).await {
        Ok(()) | Err(Error::Unavailable(_)) => {}
        Err(refused) => return Err(refused),
    }
    let mut report = Map::new();
    for (name, store) in stores {
        let well = store.check().await.inspect_err(|failure| {
            tracing::warn!(store = name, cause = %failure.cause, "a store is down");
        });
        report.insert((*name).to_owned(), Value::from(if well.is_ok() { "up" } else { "down" }));
    }
    let down: Vec<&String> = report.iter().filter(|(_, v)| *v == "down").map(|(name, _)| name).collect();
    if down.is_empty() {
        Reply::ok(json!({ "status": "ok", "stores": report }))
    } else {
        let down = json!(down);
        let report = json!({ "status": "unavailable", "down": down, "stores": report });
        Ok(Reply::unavailable(report)?.saying("A store is down."))
    }
}
