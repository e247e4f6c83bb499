//! A function's `Events`: `HttpApi` routes, `Schedule` and `ScheduleV2`, `MQ`. Any other type is an error.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::error::TemplateError;
use super::http_api::HttpApiBuilder;
use super::node::Cursor;
use super::resource::Resource;
use super::scope::Scope;
use crate::plan::{Plan, QueuePlan, ScheduleKind, SchedulePlan};

/// Reads every event of one function into the plan.
pub(crate) fn read(
    scope: &Scope<'_>,
    resource: &Resource,
    function: &str,
    plan: &mut Plan,
    http: &mut HttpApiBuilder,
) -> Result<(), TemplateError> {
    let at = resource.properties();
    let Some(events) = at.get("Events") else { return Ok(()) };
    for (id, event) in events.entries()? {
        event.only(&[&["Type", "Properties"]])?;
        let kind = event.need("Type")?;
        let properties = event.get("Properties");
        let need = || properties.clone().ok_or_else(|| event.error("Properties is missing"));
        // SAM names the rule or schedule after the function and the event.
        let name = format!("{}{id}", resource.id);
        match kind.text()? {
            "HttpApi" => http.add_route(properties.as_ref(), function)?,
            "Schedule" => plan.schedules.push(read_rule(&need()?, function, &name)?),
            "ScheduleV2" => plan.schedules.push(read_scheduler(&need()?, function, &name)?),
            "MQ" => plan.queues.push(read_queue(scope, &need()?, function, id)?),
            other => return Err(kind.error(format!("the event type {other} is not supported"))),
        }
    }
    Ok(())
}

fn text_or(at: &Cursor<'_>, key: &str, default: &str) -> Result<String, TemplateError> {
    Ok(match at.get(key) {
        Some(value) => value.text()?.to_owned(),
        None => default.to_owned(),
    })
}

/// `Enabled: false` and `State: DISABLED` both disable an event.
fn is_enabled(at: &Cursor<'_>) -> Result<bool, TemplateError> {
    let enabled = at.get("Enabled").map_or(Ok(true), |value| value.boolean())?;
    let state = text_or(at, "State", "ENABLED")?;
    Ok(enabled && state != "DISABLED")
}

/// Delivery properties of a schedule. They have no effect: delivery to a function in this process cannot
/// fail.
const IGNORED_BY_SCHEDULES: &[&str] = &["RetryPolicy", "DeadLetterConfig", "Description"];

fn read_rule(at: &Cursor<'_>, function: &str, name: &str) -> Result<SchedulePlan, TemplateError> {
    at.only(&[&["Schedule", "Name", "Enabled", "State", "Input"], IGNORED_BY_SCHEDULES])?;
    Ok(SchedulePlan {
        name: text_or(at, "Name", name)?,
        function: function.to_owned(),
        kind: ScheduleKind::Rule,
        expression: at.need("Schedule")?.text()?.to_owned(),
        timezone: "UTC".to_owned(),
        input: at.get("Input").map(|input| input.text().map(str::to_owned)).transpose()?,
        start: None,
        end: None,
        enabled: is_enabled(at)?,
    })
}

fn read_scheduler(at: &Cursor<'_>, function: &str, name: &str) -> Result<SchedulePlan, TemplateError> {
    const READ: &[&str] = &["ScheduleExpression", "ScheduleExpressionTimezone", "Name", "State", "Input"];
    const IGNORED: &[&str] = &["GroupName", "KmsKeyArn", "OmitName", "PermissionsBoundary", "RoleArn"];
    at.only(&[READ, IGNORED, IGNORED_BY_SCHEDULES, &["FlexibleTimeWindow", "StartDate", "EndDate"]])?;
    check_window(at)?;
    let (start, end) = (read_date(at, "StartDate")?, read_date(at, "EndDate")?);
    if start.zip(end).is_some_and(|(start, end)| end <= start) {
        return Err(at.error("EndDate must be after StartDate"));
    }
    Ok(SchedulePlan {
        name: text_or(at, "Name", name)?,
        function: function.to_owned(),
        kind: ScheduleKind::Scheduler,
        expression: at.need("ScheduleExpression")?.text()?.to_owned(),
        timezone: text_or(at, "ScheduleExpressionTimezone", "UTC")?,
        input: at.get("Input").map(|input| input.text().map(str::to_owned)).transpose()?,
        start,
        end,
        enabled: is_enabled(at)?,
    })
}

/// `FlexibleTimeWindow` has no effect here: a run is at the start of its window. Its values must be valid.
fn check_window(at: &Cursor<'_>) -> Result<(), TemplateError> {
    let Some(window) = at.get("FlexibleTimeWindow") else { return Ok(()) };
    window.only(&[&["Mode", "MaximumWindowInMinutes"]])?;
    let mode = window.need("Mode")?;
    match mode.text()? {
        "OFF" => Ok(()),
        "FLEXIBLE" => window.need("MaximumWindowInMinutes")?.number(1, 1440).map(drop),
        other => Err(mode.error(format!("expected OFF or FLEXIBLE, found `{other}`"))),
    }
}

/// `StartDate` or `EndDate`: ISO 8601, in UTC unless it has an offset.
fn read_date(at: &Cursor<'_>, key: &str) -> Result<Option<Timestamp>, TemplateError> {
    let Some(date) = at.get(key) else { return Ok(None) };
    let text = date.text()?;
    let in_utc = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|time| time.timestamp());
    let parsed = text.parse().ok().or_else(in_utc);
    let whole = parsed.and_then(|time: Timestamp| Timestamp::from_second(time.as_second()).ok());
    let expected = || format!("expected a date like 2026-01-31T12:00:00Z, found `{text}`");
    whole.map(Some).ok_or_else(|| date.error(expected()))
}

fn read_queue(
    scope: &Scope<'_>,
    at: &Cursor<'_>,
    function: &str,
    id: &str,
) -> Result<QueuePlan, TemplateError> {
    const READ: &[&str] = &["Broker", "Queues", "BatchSize", "MaximumBatchingWindowInSeconds", "Enabled"];
    at.only(&[READ, &["SourceAccessConfigurations", "SecretsManagerKmsKeyId", "DynamicPolicyName"]])?;
    let queues = at.need("Queues")?;
    let names = queues.texts()?;
    let count = names.len();
    let [queue] =
        names.try_into().map_err(|_| queues.error(format!("expected exactly one queue, found {count}")))?;
    Ok(QueuePlan {
        name: id.to_owned(),
        function: function.to_owned(),
        queue,
        virtual_host: read_virtual_host(at)?,
        batch_size: at.get("BatchSize").map_or(Ok(100), |value| value.number(1, 10_000))? as usize,
        batching_window: match at.get("MaximumBatchingWindowInSeconds") {
            Some(value) => Duration::from_secs(value.number(0, 300)?),
            None => Duration::from_millis(500),
        },
        broker_arn: match text_or(at, "Broker", "")? {
            arn if arn.starts_with("arn:") => arn,
            name => scope.account.arn("mq", &format!("broker:{name}")),
        },
        enabled: is_enabled(at)?,
    })
}

/// The `VIRTUAL_HOST` of `SourceAccessConfigurations`, `/` by default. The credentials there are not used.
fn read_virtual_host(at: &Cursor<'_>) -> Result<String, TemplateError> {
    let Some(list) = at.get("SourceAccessConfigurations") else { return Ok("/".to_owned()) };
    for item in list.items()? {
        if text_or(&item, "Type", "")? == "VIRTUAL_HOST" {
            return text_or(&item, "URI", "/");
        }
    }
    Ok("/".to_owned())
}
