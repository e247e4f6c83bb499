//! The event a schedule hands to its function: pure, byte for byte what the two services send.

use jiff::Timestamp;
use serde::Serialize;

use crate::plan::{ScheduleKind, SchedulePlan};

/// Where the emulated account lives; it shows in ARNs and in the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// `eu-central-1`, say.
    pub region: String,
    /// Twelve digits.
    pub account: String,
}

impl Default for Place {
    fn default() -> Self {
        Self { region: "eu-central-1".to_owned(), account: "123456789012".to_owned() }
    }
}

/// EventBridge's envelope, in its order.
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

/// The event of the firing `at`, as JSON text. `id` is a UUID: the event's id, and Scheduler's
/// `<aws.scheduler.execution-id>`.
///
/// The plan's `Input` replaces the event wholly; only Scheduler fills in its `<aws.scheduler.*>` words.
#[must_use]
pub fn event(plan: &SchedulePlan, at: Timestamp, place: &Place, id: &str) -> String {
    match (&plan.input, plan.kind) {
        (Some(input), ScheduleKind::Rule) => input.clone(),
        (Some(input), ScheduleKind::Scheduler) => substitute(input, plan, at, place, id),
        (None, _) => envelope(plan, at, place, id),
    }
}

/// An instant as the services write it: `2026-01-01T02:00:00Z`.
#[must_use]
pub fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn envelope(plan: &SchedulePlan, at: Timestamp, place: &Place, id: &str) -> String {
    let (source, detail) = match plan.kind {
        ScheduleKind::Rule => ("aws.events", Detail::Object {}),
        ScheduleKind::Scheduler => ("aws.scheduler", Detail::Text("{}")),
    };
    let envelope = Envelope {
        version: "0",
        id,
        detail_type: "Scheduled Event",
        source,
        account: &place.account,
        time: time(at),
        region: &place.region,
        resources: [arn(plan, place)],
        detail,
    };
    serde_json::to_string(&envelope).unwrap_or_default()
}

fn arn(plan: &SchedulePlan, place: &Place) -> String {
    let Place { region, account } = place;
    let name = &plan.name;
    match plan.kind {
        ScheduleKind::Rule => format!("arn:aws:events:{region}:{account}:rule/{name}"),
        ScheduleKind::Scheduler => format!("arn:aws:scheduler:{region}:{account}:schedule/default/{name}"),
    }
}

/// Fills in the context attributes; a firing here is always the first attempt.
fn substitute(input: &str, plan: &SchedulePlan, at: Timestamp, place: &Place, id: &str) -> String {
    input
        .replace("<aws.scheduler.schedule-arn>", &arn(plan, place))
        .replace("<aws.scheduler.scheduled-time>", &time(at))
        .replace("<aws.scheduler.execution-id>", id)
        .replace("<aws.scheduler.attempt-number>", "1")
}
