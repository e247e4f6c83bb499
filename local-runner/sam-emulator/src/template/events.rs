//! A function's `Events`: `HttpApi` and `Api` routes, `Schedule` and `ScheduleV2`, `MQ`. The other types of SAM
//! are noticed and not run.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::apis::ApiBuilder;
use super::context::{Context, NOTHING, text_or};
use super::declared::DeclaredRoute;
use super::error::TemplateError;
use super::node::Cursor;
use super::resource::Resource;
use super::{queue, route, sam_api};
use crate::plan::{HttpApiKind, Plan, ScheduleKind, SchedulePlan};
use crate::schedule::Expression;

/// Types of events that the emulator does not run.
const OTHER: &[&str] = &[
    "AlexaSkill",
    "CloudWatchEvent",
    "CloudWatchLogs",
    "Cognito",
    "DocumentDB",
    "DynamoDB",
    "EventBridgeRule",
    "IoTRule",
    "Kinesis",
    "MSK",
    "S3",
    "SNS",
    "SQS",
    "SelfManagedKafka",
];

/// Reads every event of one function into the plan.
pub(crate) fn read(
    context: &Context<'_>,
    resource: &Resource,
    function: &str,
    plan: &mut Plan,
    apis: &mut ApiBuilder,
) {
    let at = resource.properties();
    let Some(events) = at.get("Events") else { return };
    for (id, event) in context.findings.or(Vec::new(), events.entries()) {
        let reader = EventReader { context, function, id, resource: &resource.id };
        context.findings.ok(reader.read(&event, plan, apis));
    }
}

struct EventReader<'a> {
    context: &'a Context<'a>,
    /// The name of the function.
    function: &'a str,
    /// The logical id of the event.
    id: &'a str,
    /// The logical id of the function.
    resource: &'a str,
}

impl EventReader<'_> {
    fn read(&self, event: &Cursor<'_>, plan: &mut Plan, apis: &mut ApiBuilder) -> Result<(), TemplateError> {
        self.context.findings.only(event, &["Type", "Properties"], &[]);
        let kind = event.need("Type")?;
        let properties = event.get("Properties").unwrap_or_else(|| Cursor::new(NOTHING, event.path.clone()));
        let function = self.function;
        // SAM names the rule or schedule after the function and the event.
        let name = format!("{}{}", self.resource, self.id);
        match kind.text()? {
            "HttpApi" => apis.add_route(self.route(&properties, HttpApiKind::Http)?),
            "Api" => apis.add_route(self.route(&properties, HttpApiKind::Rest)?),
            "Schedule" => plan.schedules.push(read_rule(self.context, &properties, function, &name)?),
            "ScheduleV2" => plan.schedules.push(read_scheduler(self.context, &properties, function, &name)?),
            "MQ" => {
                let broker = text_or(&properties, "Broker", "")?;
                plan.queues.extend(queue::read(self.context, &properties, &broker, (function, self.id))?);
            }
            other if OTHER.contains(&other) => {
                self.context.findings.other_trigger(function, format!("{other} event {}", self.id));
            }
            other => {
                return Err(kind.error(format!("`{other}` is not a type of event that SAM has")));
            }
        }
        Ok(())
    }

    /// An `HttpApi` event, which without Path and Method is the `$default` route, or an `Api` event.
    fn route(&self, at: &Cursor<'_>, kind: HttpApiKind) -> Result<DeclaredRoute, TemplateError> {
        const READ: &[&str] =
            &["ApiId", "Auth", "Method", "Path", "PayloadFormatVersion", "RestApiId", "TimeoutInMillis"];
        const IGNORED: &[&str] =
            &["RequestModel", "RequestParameters", "ResponseTransferMode", "RouteSettings"];
        self.context.findings.only(at, READ, IGNORED);
        let (method, path) = match (at.get("Method"), at.get("Path")) {
            (None, None) if kind == HttpApiKind::Http => ("ANY".to_owned(), "$default".to_owned()),
            (Some(method), Some(path)) => {
                (route::read_method(&method)?, route::read_path(&path, path.text()?)?)
            }
            _ => return Err(at.error("Path and Method must be given together")),
        };
        let timeout = route::read_timeout(at, "TimeoutInMillis", kind)?;
        let format = route::read_format(at, "PayloadFormatVersion", "2.0")?;
        Ok(DeclaredRoute {
            api: sam_api::api_of_event(at, kind)?,
            path: at.path.clone(),
            plan: route::plan(&method, &path, self.function, timeout, &format),
            auth: route::read_auth(at)?,
            in_definition: false,
        })
    }
}

/// `Enabled: false` and `State: DISABLED` both disable an event. SAM refuses the two together.
fn is_enabled(at: &Cursor<'_>) -> Result<bool, TemplateError> {
    let enabled = at.get("Enabled").map(|value| value.boolean()).transpose()?;
    match (enabled, at.get("State")) {
        (Some(_), Some(state)) => Err(state.error("State and Enabled exclude each other; remove one")),
        (enabled, state) => {
            let state = state.map_or(Ok("ENABLED"), |state| state.text())?;
            Ok(enabled.unwrap_or(true) && state != "DISABLED")
        }
    }
}

/// `cron(…)`, `rate(…)` or `at(…)` in the grammar of its service.
pub(crate) fn read_expression(at: &Cursor<'_>, kind: ScheduleKind) -> Result<String, TemplateError> {
    let text = at.text()?;
    Expression::parse(text, kind).map_err(|error| {
        at.error(format!("{error} Use cron(minute hour day month weekday year) or rate(5 minutes)"))
    })?;
    Ok(text.to_owned())
}

/// Delivery properties of a schedule. They have no effect: delivery to a function in this process cannot
/// fail.
const IGNORED_BY_SCHEDULES: &[&str] =
    &["RetryPolicy", "DeadLetterConfig", "Description", "RoleArn", "Target"];

fn read_rule(
    context: &Context<'_>,
    at: &Cursor<'_>,
    function: &str,
    name: &str,
) -> Result<SchedulePlan, TemplateError> {
    let read = ["Schedule", "Name", "Enabled", "State", "Input"];
    context.findings.only(at, &read, IGNORED_BY_SCHEDULES);
    Ok(SchedulePlan {
        name: text_or(at, "Name", name)?,
        function: function.to_owned(),
        kind: ScheduleKind::Rule,
        expression: read_expression(&at.need("Schedule")?, ScheduleKind::Rule)?,
        timezone: "UTC".to_owned(),
        input: at.get("Input").map(|input| input.text().map(str::to_owned)).transpose()?,
        start: None,
        end: None,
        enabled: is_enabled(at)?,
    })
}

pub(crate) fn read_scheduler(
    context: &Context<'_>,
    at: &Cursor<'_>,
    function: &str,
    name: &str,
) -> Result<SchedulePlan, TemplateError> {
    const READ: &[&str] = &["ScheduleExpression", "ScheduleExpressionTimezone", "Name", "State", "Input"];
    const IGNORED: &[&str] = &["GroupName", "KmsKeyArn", "OmitName", "PermissionsBoundary"];
    let read = [READ, &["FlexibleTimeWindow", "StartDate", "EndDate"]].concat();
    context.findings.only(at, &read, &[IGNORED, IGNORED_BY_SCHEDULES].concat());
    check_window(at)?;
    let (start, end) = (read_date(at, "StartDate")?, read_date(at, "EndDate")?);
    if start.zip(end).is_some_and(|(start, end)| end <= start) {
        return Err(at.error("EndDate must be after StartDate"));
    }
    Ok(SchedulePlan {
        name: text_or(at, "Name", name)?,
        function: function.to_owned(),
        kind: ScheduleKind::Scheduler,
        expression: read_expression(&at.need("ScheduleExpression")?, ScheduleKind::Scheduler)?,
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
