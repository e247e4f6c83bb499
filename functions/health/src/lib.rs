//! `GET /api/health` — checks every store and answers 200, or 503 naming those that are down.

use std::collections::BTreeMap;

use shared::auth::Gate;
use shared::error::Error;
use shared::lambda::http::{Reply, Request};
use shared::ports::Probe;
use shared::reply_data::{HealthData, HealthStatus, StoreState};

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
    let mut stores_by_name = BTreeMap::new();
    for (name, store) in stores {
        let checked = store.check().await.inspect_err(|failure| {
            tracing::warn!(store = name, cause = %failure.cause, "store is down");
        });
        let state = if checked.is_ok() { StoreState::Up } else { StoreState::Down };
        stores_by_name.insert((*name).to_owned(), state);
    }
    let down = stores_by_name.iter().filter(|(_, state)| **state == StoreState::Down);
    let down: Vec<String> = down.map(|(name, _)| name.clone()).collect();
    if down.is_empty() {
        Reply::ok(HealthData { status: HealthStatus::Ok, down: None, stores: stores_by_name })
    } else {
        let status = HealthStatus::Unavailable;
        let report = HealthData { status, down: Some(down), stores: stores_by_name };
        Ok(Reply::unavailable(report)?.with_message("A store is down."))
    }
}
