//! Requests that every route rejects. The routes come from the template, so a new route is tested too.

use std::process::Command;

use serde_json::json;
use test_support::http_client::HttpRequest;
use test_support::repository;

use crate::server::{BINARY, shared_server};

/// Routes that need no token.
const OPEN: [&str; 10] = [
    "POST /api/auth/register",
    "POST /api/auth/login",
    "POST /api/auth/refresh",
    "GET /api/health",
    "GET /api/openapi.json",
    "GET /api/asyncapi.json",
    "GET /api/docs",
    "GET /api/docs/{file}",
    "GET /",
    "GET /app/{file}",
];

/// Routes that read no body.
const BODILESS: [&str; 2] = ["PUT /api/conversations/{id}/read", "PUT /api/messages/{messageId}/read"];

/// Every HTTP route, as `(method, path)`.
fn routes() -> Vec<(String, String)> {
    let output = Command::new(BINARY)
        .arg("routes")
        .arg("--template")
        .arg(repository().join("template.yaml"))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let rows = text.lines().skip(1).take_while(|line| !line.is_empty()).filter_map(|line| {
        let mut words = line.split_whitespace().map(str::to_owned);
        Some((words.next()?, words.next()?))
    });
    let rows: Vec<_> = rows.filter(|(method, _)| method != "WS").collect();
    assert!(rows.len() >= 28, "{text}");
    rows
}

/// The path with `value` in place of its parameters.
fn filled(path: &str, value: &str) -> String {
    let segments = path.split('/').map(|segment| if segment.starts_with('{') { value } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

fn is_open(method: &str, path: &str) -> bool {
    OPEN.contains(&format!("{method} {path}").as_str())
}

#[test]
fn every_route_except_the_open_ones_requires_a_token() {
    for (method, path) in routes().iter().filter(|(method, path)| !is_open(method, path)) {
        let call = HttpRequest::new(shared_server().port(), method, &filled(path, "01ABC"));
        call.fails(401, "UNAUTHENTICATED");
        call.clone().bearer("nonsense").fails(401, "UNAUTHENTICATED");
        // The token is checked before the body.
        call.raw_json("{").fails(401, "UNAUTHENTICATED");
    }
}

#[test]
fn impossible_ids_are_not_found() {
    let ada = shared_server().person();
    let long = "x".repeat(5_000);
    let hostile =
        ["01NOTHING", "%24gt", "%00", "a%20b", "..%2F..", "%7B%22%24ne%22%3Anull%7D", "'--", "%FF", &long];
    for (method, path) in routes().iter().filter(|(_, path)| path.contains('{')) {
        for id in hostile {
            let path = filled(path, id);
            let call = if method == "POST" || method == "PATCH" {
                ada.request(method, &path).json(&json!({ "content": "x" }))
            } else {
                ada.request(method, &path)
            };
            call.fails(404, "NOT_FOUND");
        }
    }
}

#[test]
fn bodies_must_be_json_within_the_size_limit() {
    let ada = shared_server().person();
    let with_body = |method: &str, path: &str| {
        matches!(method, "POST" | "PUT" | "PATCH") && !BODILESS.contains(&format!("{method} {path}").as_str())
    };
    for (method, path) in routes().iter().filter(|(method, path)| with_body(method, path)) {
        let path = filled(path, "01ABC");
        let call = || ada.request(method, &path);
        for broken in
            ["{", "{\"a\":}", "nul", "[1,]", "{'a':1}", "\u{feff}{}", "{}{}", "{\"a\":1}x", "\"\u{1}\""]
        {
            call().raw_json(broken).fails(400, "INVALID_JSON");
        }
        call().raw_json(b"\xff\xfe{}".to_vec()).fails(400, "INVALID_JSON");
        let huge = format!("{{\"a\":\"{}\"}}", "x".repeat(70 * 1024));
        call().raw_json(huge).fails(413, "PAYLOAD_TOO_LARGE");
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/jsonx",
            "multipart/form-data",
            "",
        ] {
            call().header("content-type", kind).body("{}").fails(415, "UNSUPPORTED_MEDIA_TYPE");
        }
        call().body("{}").fails(415, "UNSUPPORTED_MEDIA_TYPE");
        for kind in ["application/json", "APPLICATION/JSON", "application/json; charset=utf-8"] {
            let answer = call().header("content-type", kind).body("[]").fails(422, "VALIDATION_FAILED");
            assert_eq!(answer.fields(), ["body"], "{method} {path} as {kind}");
        }
    }
}
