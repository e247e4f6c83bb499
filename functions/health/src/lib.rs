//! `GET /api/health` — checks every store and answers 200, or 503 naming those that are down.

use serde_json::{Map, Value, json};
use shared::auth::Gate;
use shared::error::Error;
use shared::lambda::http::{Reply, Request};
use shared::ports::Probe;

/// A store and its name in the report.
pub type Named<'a> = (&'static str, &'a dyn Probe);

/// Checks all stores. The report contains names, never addresses.
///
/// # Errors
/// `RateLimited`. If the store of the limits is down, the report is made without a limit.
pub async fn handle(gate: Gate<'_>, stores: &[Named<'_>], request: Request) -> Result<Reply, Error> {
    match gate.admit_anonymous(request.credentials()).await {
        Ok(()) | Err(Error::Unavailable(_)) => {}
        Err(refused) => return Err(refused),
    }
    let mut report = Map::new();
    for (name, store) in stores {
        let checked = store.check().await.inspect_err(|failure| {
            tracing::warn!(store = name, cause = %failure.cause, "store is down");
        });
        report.insert((*name).to_owned(), Value::from(if checked.is_ok() { "up" } else { "down" }));
    }
    let down: Vec<&String> = report.iter().filter(|(_, v)| *v == "down").map(|(name, _)| name).collect();
    if down.is_empty() {
        Reply::ok(json!({ "status": "ok", "stores": report }))
    } else {
        let down = json!(down);
        let report = json!({ "status": "unavailable", "down": down, "stores": report });
        Ok(Reply::unavailable(report)?.with_message("A store is down."))
    }
}
