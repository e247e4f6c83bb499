//! The event that a schedule sends to its function, byte for byte as the two services write it.

use jiff::Timestamp;
use serde::Serialize;

use crate::plan::{Account, ScheduleKind, SchedulePlan};

/// EventBridge's envelope, with the fields in its order.
#[derive(Serialize)]
struct Envelope<'a> {
    version: &'a str,
    id: &'a str,
    #[serde(rename = "detail-type")]
    detail_type: &'a str,
    source: &'a str,
    account: &'a str,
    time: String,
    region: &'a str,
    resources: [String; 1],
    detail: Detail,
}

/// A rule sends an empty object, Scheduler the same as a string.
#[derive(Serialize)]
#[serde(untagged)]
enum Detail {
    Object {},
    Text(&'static str),
}

/// The event of the run at `at`, as JSON text. `id` is a UUID: the event's id, and Scheduler's
/// `<aws.scheduler.execution-id>`.
///
/// The plan's `Input` replaces the whole event. Only Scheduler replaces the `<aws.scheduler.*>` attributes in
/// it.
#[must_use]
pub fn build(plan: &SchedulePlan, at: Timestamp, account: &Account, id: &str) -> String {
    match (&plan.input, plan.kind) {
        (Some(input), ScheduleKind::Rule) => input.clone(),
        (Some(input), ScheduleKind::Scheduler) => replace_attributes(input, plan, at, account, id),
        (None, _) => envelope(plan, at, account, id),
    }
}

/// A time as both services write it: `2026-01-01T02:00:00Z`.
fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn envelope(plan: &SchedulePlan, at: Timestamp, account: &Account, id: &str) -> String {
    let (source, detail) = match plan.kind {
        ScheduleKind::Rule => ("aws.events", Detail::Object {}),
        ScheduleKind::Scheduler => ("aws.scheduler", Detail::Text("{}")),
    };
    let envelope = Envelope {
        version: "0",
        id,
        detail_type: "Scheduled Event",
        source,
        account: &account.id,
        time: time(at),
        region: &account.region,
        resources: [arn(plan, account)],
        detail,
    };
    serde_json::to_string(&envelope).unwrap_or_default()
}

fn arn(plan: &SchedulePlan, account: &Account) -> String {
    let name = &plan.name;
    match plan.kind {
        ScheduleKind::Rule => account.arn("events", &format!("rule/{name}")),
        ScheduleKind::Scheduler => account.arn("scheduler", &format!("schedule/default/{name}")),
    }
}

/// Replaces Scheduler's context attributes. The attempt number is always 1: a run is not retried here.
fn replace_attributes(
    input: &str,
    plan: &SchedulePlan,
    at: Timestamp,
    account: &Account,
    id: &str,
) -> String {
    input
        .replace("<aws.scheduler.schedule-arn>", &arn(plan, account))
        .replace("<aws.scheduler.scheduled-time>", &time(at))
        .replace("<aws.scheduler.execution-id>", id)
        .replace("<aws.scheduler.attempt-number>", "1")
}
