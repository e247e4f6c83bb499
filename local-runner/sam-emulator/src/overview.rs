//! The plan as text for a terminal: the tables of `routes`, `functions` and `queues`, and the banner of
//! `serve`.

use std::net::{Ipv4Addr, SocketAddr};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::address;
use crate::plan::{AuthorizerPlan, HttpApiKind, HttpRoutePlan, Plan, WebSocketRoutePlan};
use crate::runner::Page;
use crate::schedule::{MissedRuns, NextRuns};
use crate::table::table;

/// The output of `routes`: every route with its function, then the next runs of every schedule. What the
/// template declares beside that is in [`notices`].
#[must_use]
pub fn routes(plan: &Plan, schedules: &[NextRuns]) -> String {
    let routes = route_table(plan);
    if schedules.is_empty() { routes } else { format!("{routes}\n{}", run_table(schedules)) }
}

fn route_table(plan: &Plan) -> String {
    let http = plan.http.iter().flat_map(|api| {
        let prefix = address::http_prefix(plan, api);
        let row = move |route: &HttpRoutePlan| {
            let path = if route.path == "$default" { "(any other)" } else { &route.path };
            let space = if prefix.is_empty() || path.starts_with('/') { "" } else { " " };
            [route.method.clone(), format!("{prefix}{space}{path}"), route.function.clone()]
        };
        api.routes.iter().map(row)
    });
    let websocket = plan.websocket.iter().flat_map(|api| {
        let prefix = address::websocket_prefix(plan, api);
        let row = move |(key, route): (&String, &WebSocketRoutePlan)| {
            ["WS".to_owned(), format!("{prefix}/{} {key}", api.stage), route.function.clone()]
        };
        api.routes.iter().map(row)
    });
    table(["METHOD", "PATH", "FUNCTION"], &http.chain(websocket).collect::<Vec<_>>())
}

fn run_table(schedules: &[NextRuns]) -> String {
    let rows = schedules.iter().flat_map(|schedule| {
        let next = match schedule.enabled {
            true => schedule.runs.iter().map(|run| local_time(*run, &schedule.timezone)).collect(),
            false => vec!["(off)".to_owned()],
        };
        let expression = || format!("{} {}", schedule.expression, schedule.timezone);
        let row = move |run| [schedule.function.clone(), expression(), run];
        next.into_iter().map(row)
    });
    table(["SCHEDULED", "WHEN", "NEXT RUNS"], &rows.collect::<Vec<_>>())
}

/// RFC 3339 with the offset of the time zone.
fn local_time(at: Timestamp, zone: &str) -> String {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    at.to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// Lines for the banner about runs that were missed, each with the command that runs the latest of them.
#[must_use]
pub fn missed(missed: &[MissedRuns]) -> Vec<String> {
    let line = |missed: &MissedRuns| {
        let (function, last) = (&missed.function, missed.last);
        let runs = if missed.count == 1 { "run" } else { "runs" };
        let fire = format!("fire {} --at {last}", missed.schedule);
        format!(
            "missed       {function}: {} {runs}, the last at {last}; to make up for it: {fire}",
            missed.count
        )
    };
    missed.iter().map(line).collect()
}

/// The output of `functions`: every function with its limits and its triggers.
#[must_use]
pub fn functions(plan: &Plan) -> String {
    let rows: Vec<_> = plan
        .functions
        .values()
        .map(|function| {
            let timeout = format!("{} s", function.timeout.as_secs());
            let memory = format!("{} MB", function.memory_mb);
            [function.name.clone(), timeout, memory, triggers(plan, &function.name).join(", ")]
        })
        .collect();
    table(["FUNCTION", "TIMEOUT", "MEMORY", "CALLED BY"], &rows)
}

/// The output of `queues` when the application has no [`QueueAdmin`](crate::queues::QueueAdmin): the queues
/// of the template, without depths.
#[must_use]
pub fn queues(plan: &Plan) -> String {
    let rows: Vec<_> = plan
        .queues
        .iter()
        .map(|queue| {
            let batch = format!("{} or {} ms", queue.batch_size, queue.batching_window.as_millis());
            let state = if queue.enabled { "on" } else { "off" };
            [queue.queue.clone(), queue.virtual_host.clone(), batch, state.to_owned(), queue.function.clone()]
        })
        .collect();
    table(["QUEUE", "VHOST", "BATCH", "STATE", "FUNCTION"], &rows)
}

fn triggers(plan: &Plan, function: &str) -> Vec<String> {
    let http = plan.http.iter().flat_map(|api| &api.routes).filter(|route| route.function == function);
    let http = http.map(|route| match route.path.as_str() {
        "$default" => "any other request".to_owned(),
        path => format!("{} {path}", route.method),
    });
    let websocket = plan.websocket.iter().flat_map(|api| &api.routes);
    let websocket =
        websocket.filter(|(_, route)| route.function == function).map(|(key, _)| format!("WS {key}"));
    let schedules = plan.schedules.iter().filter(|schedule| schedule.function == function);
    let schedules = schedules.map(|schedule| format!("{} {}", schedule.expression, schedule.timezone));
    let queues = plan.queues.iter().filter(|queue| queue.function == function);
    let queues = queues.map(|queue| format!("queue {}", queue.queue));
    let authorizers = authorizers(plan).filter(|(authorizer, _)| *authorizer == function);
    let authorizers = authorizers.map(|(_, place)| format!("authorizer of {place}"));
    let others = plan.notices.other_triggers.iter().filter(|trigger| trigger.function == function);
    let others = others.map(|trigger| format!("{} (not run here)", trigger.source));
    http.chain(websocket).chain(authorizers).chain(schedules).chain(queues).chain(others).collect()
}

/// The functions of Lambda authorizers, each with its API.
fn authorizers(plan: &Plan) -> impl Iterator<Item = (&str, &str)> {
    let http = plan.http.iter().flat_map(|api| api.authorizers.values().map(move |it| (it, api.id.as_str())));
    let websocket = plan.websocket.iter().filter_map(|api| Some((api.authorizer.as_ref()?, api.id.as_str())));
    http.chain(websocket).filter_map(|(authorizer, api)| match authorizer {
        AuthorizerPlan::Lambda(plan) => Some((plan.function.as_str(), api)),
        AuthorizerPlan::Jwt(_) | AuthorizerPlan::Iam | AuthorizerPlan::Unusable => None,
    })
}

/// What the template declares and the emulator does not run, a line each: first what invokes functions, then
/// what behaves in another way, then types and properties in one line each. Empty when there is nothing.
#[must_use]
pub fn notices(plan: &Plan) -> Vec<String> {
    let notices = &plan.notices;
    let skipped = notices.skipped.iter().map(|what| format!("left out     {what}"));
    let triggers = notices.other_triggers.iter().map(|trigger| match trigger.function.as_str() {
        "" => format!("not run      {}", trigger.source),
        function => format!("not run      {} -> {function}", trigger.source),
    });
    let remarks = notices.remarks.iter().map(|remark| format!("note         {remark}"));
    let types = notices.resource_types.iter().map(|(kind, count)| match count {
        1 => kind.clone(),
        _ => format!("{kind} ({count})"),
    });
    let types = list("ignored      resources: ", &types.collect::<Vec<_>>());
    let properties =
        list("ignored      properties: ", &notices.properties.iter().cloned().collect::<Vec<_>>());
    skipped.chain(triggers).chain(remarks).chain(types).chain(properties).collect()
}

fn list(start: &str, items: &[String]) -> Option<String> {
    (!items.is_empty()).then(|| format!("{start}{}", items.join(", ")))
}

/// The banner of `serve`: the URL of every API, and every enabled schedule and queue.
#[must_use]
pub fn banner(plan: &Plan, address: SocketAddr) -> String {
    let mut rows = Vec::new();
    let mut row = |name: &str, value: String| rows.push(format!("  {name:<11} {value}\n"));
    for api in &plan.http {
        let kind = match api.kind {
            HttpApiKind::Http => "HTTP API",
            HttpApiKind::Rest => "REST API",
            HttpApiKind::FunctionUrl => "function URL",
        };
        let url = format!("http://{address}{}/", address::http_prefix(plan, api));
        let url = if api.stage == "$default" { url } else { format!("{url}{}", api.stage) };
        row(kind, format!("{url}  ({} routes)", api.routes.len()));
    }
    for api in &plan.websocket {
        let path = format!("{address}{}/{}", address::websocket_prefix(plan, api), api.stage);
        row("WebSocket", format!("ws://{path}  ({} routes)", api.routes.len()));
        row("push", format!("http://{path}/@connections/{{id}}"));
    }
    let functions = plan.functions.len();
    let path = "/2015-03-31/functions/{name}/invocations";
    row("Invoke API", format!("http://{address}{path}  ({functions} functions)"));
    for schedule in plan.schedules.iter().filter(|schedule| schedule.enabled) {
        row("schedule", format!("{} {} -> {}", schedule.expression, schedule.timezone, schedule.function));
    }
    for queue in plan.queues.iter().filter(|queue| queue.enabled) {
        row("queue", format!("{} -> {}", queue.queue, queue.function));
    }
    rows.concat()
}

/// The end of the banner: the pages that a person can open, and what to try there.
#[must_use]
pub fn pages(pages: &[Page], address: SocketAddr) -> String {
    let width = pages.iter().map(|page| page_url(page, address).len()).max().unwrap_or_default();
    let line =
        |page: &Page| format!("  {:<11}  {:<width$}  {}\n", page.name, page_url(page, address), page.hint);
    let lines: String = pages.iter().map(line).collect();
    if lines.is_empty() { lines } else { format!("\nOpen in a browser:\n{lines}") }
}

/// The URL of a page for a browser on this machine.
#[must_use]
pub fn page_url(page: &Page, address: SocketAddr) -> String {
    let mut address = address;
    if address.ip().is_unspecified() {
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    format!("http://{address}{}", page.path)
}
