//! A plan for people: the tables of `routes`, `functions` and `queues`, and the banner of `serve`. Pure.

use std::net::SocketAddr;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::plan::Plan;
use crate::schedule::{Missed, NextRuns};
use crate::table::table;

/// `local-runner routes`: what answers where, and when each schedule runs next.
#[must_use]
pub fn routes(plan: &Plan, schedules: &[NextRuns]) -> String {
    let routes = answers(plan);
    if schedules.is_empty() { routes } else { format!("{routes}\n{}", runs(schedules)) }
}

/// The coming runs, in the clocks of each schedule's zone.
fn runs(schedules: &[NextRuns]) -> String {
    let rows = schedules.iter().flat_map(|schedule| {
        let next = match schedule.enabled {
            true => schedule.runs.iter().map(|run| local(*run, &schedule.timezone)).collect(),
            false => vec!["(off)".to_owned()],
        };
        let expression = || format!("{} {}", schedule.expression, schedule.timezone);
        let row = move |run| [schedule.function.clone(), expression(), run];
        next.into_iter().map(row)
    });
    table(["SCHEDULED", "WHEN", "NEXT RUNS"], &rows.collect::<Vec<_>>())
}

/// RFC 3339 with the zone's offset.
fn local(at: Timestamp, zone: &str) -> String {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    at.to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// What was missed while no runner was up, for the banner, with the command that makes up for it.
#[must_use]
pub fn missed(missed: &[Missed]) -> Vec<String> {
    let line = |missed: &Missed| {
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

fn answers(plan: &Plan) -> String {
    let http = plan.http.iter().flat_map(|api| &api.routes).map(|route| {
        let path = if route.path == "$default" { "(any other)" } else { &route.path };
        [route.method.clone(), path.to_owned(), route.function.clone()]
    });
    let sockets = plan.websocket.iter().flat_map(|api| {
        let row = |(key, route): (&String, &crate::plan::WebSocketRoutePlan)| {
            ["WS".to_owned(), format!("/{} {key}", api.stage), route.function.clone()]
        };
        api.routes.iter().map(row)
    });
    table(["METHOD", "PATH", "FUNCTION"], &http.chain(sockets).collect::<Vec<_>>())
}

/// `local-runner functions`.
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

/// `local-runner queues`.
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

/// Everything that calls one function.
fn triggers(plan: &Plan, function: &str) -> Vec<String> {
    let http = plan.http.iter().flat_map(|api| &api.routes).filter(|route| route.function == function);
    let http = http.map(|route| match route.path.as_str() {
        "$default" => "any other request".to_owned(),
        path => format!("{} {path}", route.method),
    });
    let sockets = plan.websocket.iter().flat_map(|api| &api.routes);
    let sockets = sockets.filter(|(_, route)| route.function == function).map(|(key, _)| format!("WS {key}"));
    let schedules = plan.schedules.iter().filter(|schedule| schedule.function == function);
    let schedules = schedules.map(|schedule| format!("{} {}", schedule.expression, schedule.timezone));
    let queues = plan.queues.iter().filter(|queue| queue.function == function);
    let queues = queues.map(|queue| format!("queue {}", queue.queue));
    http.chain(sockets).chain(schedules).chain(queues).collect()
}

/// What `serve` says first: what runs where.
#[must_use]
pub fn banner(plan: &Plan, address: SocketAddr) -> String {
    let mut rows = Vec::new();
    let mut row = |what: &str, place: String| rows.push(format!("  {what:<11} {place}\n"));
    if let Some(api) = &plan.http {
        let stage = if api.stage == "$default" { String::new() } else { api.stage.clone() };
        row("HTTP API", format!("http://{address}/{stage}  ({} routes)", api.routes.len()));
    }
    if let Some(api) = &plan.websocket {
        row("WebSocket", format!("ws://{address}/{}  ({} routes)", api.stage, api.routes.len()));
        row("push", format!("http://{address}/{}/@connections/{{id}}", api.stage));
    }
    let functions = plan.functions.len();
    let path = "/2015-03-31/functions/{name}/invocations";
    row("Invoke API", format!("http://{address}{path}  ({functions} functions)"));
    for schedule in plan.schedules.iter().filter(|schedule| schedule.enabled) {
        let place = format!("{} {} -> {}", schedule.expression, schedule.timezone, schedule.function);
        row("schedule", place);
    }
    for queue in plan.queues.iter().filter(|queue| queue.enabled) {
        row("queue", format!("{} -> {}", queue.queue, queue.function));
    }
    rows.concat()
}
