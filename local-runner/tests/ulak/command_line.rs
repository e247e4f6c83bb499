//! The command line of the real binary: what it prints, where, and how it ends.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use test_support::repository;

use crate::server::{BINARY, own_server, shared_server};

fn runner(arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command
        .args(arguments)
        .args(["--data", ":memory:", "--template"])
        .arg(repository().join("template.yaml"))
        .env_clear()
        .envs([("RUST_LOG", "error"), ("RATE_LIMIT_SCALE", "0")])
        .stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> (bool, String, String) {
    split(&runner(arguments).output().unwrap())
}

fn split(output: &Output) -> (bool, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

fn request(route: &str, body: &Value) -> Value {
    let (method, path) = route.split_once(' ').unwrap();
    json!({
        "version": "2.0", "routeKey": route, "rawPath": path, "rawQueryString": "",
        "headers": { "content-type": "application/json" },
        "requestContext": {
            "accountId": "123456789012", "apiId": "local", "domainName": "localhost", "domainPrefix": "localhost",
            "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "test" },
            "requestId": "a-request", "routeKey": route, "stage": "$default",
            "time": "14/Nov/2023:22:13:20 +0000", "timeEpoch": 1_700_000_000_000_i64,
        },
        "body": body.to_string(), "isBase64Encoded": false,
    })
}

#[test]
fn a_taken_port_is_one_line_and_a_failure() {
    let server = shared_server();
    let port = server.port().0.to_string();
    let (well, stdout, stderr) = run(&["--port", &port]);
    assert!(!well && stdout.is_empty(), "{stdout}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains(&format!("127.0.0.1:{port} is taken")), "{stderr}");
    server.request("GET", "/api/health").data(200);
}

#[test]
fn a_data_directory_in_use_is_one_line_and_a_failure() {
    // On embedded stores, whatever the tests are asked for: without them no directory is in use.
    let server = own_server(&["MONGODB_URI", "REDIS_URL", "AMQP_URL"].map(|name| (name, "")));
    let output = Command::new(BINARY)
        .args(["--port", "0", "--template"])
        .arg(repository().join("template.yaml"))
        .arg("--data")
        .arg(server.data())
        .env_clear()
        .output()
        .unwrap();
    let (well, _, stderr) = split(&output);
    let problems: Vec<&str> = stderr.lines().filter(|line| line.starts_with("local-runner: ")).collect();
    assert!(!well && problems.len() == 1, "{stderr}");
    server.request("GET", "/api/health").data(200);
}

#[test]
fn invoking_a_function_prints_its_reply() {
    let form = json!({ "email": "nobody@example.com", "password": "8 horses" });
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), request("POST /api/auth/login", &form).to_string()).unwrap();
    let (well, stdout, _) = run(&["invoke", "auth-login", "--event", file.path().to_str().unwrap()]);
    let reply: Value = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}"));
    assert!(well, "a refusal is a reply, not a failure of the function");
    assert_eq!(reply["statusCode"], 401);
    let body: Value = serde_json::from_str(reply["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["error"], json!({ "code": "INVALID_CREDENTIALS", "requestId": "a-request" }));
}

#[test]
fn the_event_may_come_from_standard_input() {
    let mut child = runner(&["invoke", "health", "--event", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let event = request("GET /api/health", &json!({}));
    child.stdin.take().unwrap().write_all(event.to_string().as_bytes()).unwrap();
    let (well, stdout, _) = split(&child.wait_with_output().unwrap());
    let reply: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((well, &reply["statusCode"]), (true, &json!(200)), "{stdout}");
}

#[test]
fn a_wrong_event_is_the_functions_error() {
    let (well, stdout, _) = run(&["invoke", "auth-login"]);
    assert!(!well);
    let error: Value = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}"));
    assert!(error["errorType"].is_string() && error["errorMessage"].is_string(), "{error}");
}

#[test]
fn what_cannot_be_done_is_one_line() {
    let missing = "/nowhere/event.json";
    for (arguments, told) in [
        (vec!["invoke", "no-such-function"], "no function named no-such-function; there are: auth-"),
        (vec!["invoke", "auth-login", "--event", missing], missing),
        (vec!["fire", "auth-login"], "auth-login"),
    ] {
        let (well, stdout, stderr) = run(&arguments);
        assert!(!well && stdout.is_empty(), "{arguments:?}: {stdout}");
        assert!(stderr.lines().count() == 1 && stderr.contains(told), "{arguments:?}: {stderr}");
    }
}

#[test]
fn help_tells_commands_options_and_examples() {
    let (well, stdout, stderr) = split(&Command::new(BINARY).arg("--help").output().unwrap());
    assert!(well && stderr.is_empty());
    for word in [
        "serve",
        "invoke",
        "fire",
        "routes",
        "functions",
        "queues",
        "--port",
        "--data",
        "--template",
        "Examples:",
    ] {
        assert!(stdout.contains(word), "{word} is missing:\n{stdout}");
    }
    let (well, _, stderr) = split(&Command::new(BINARY).arg("no-such-command").output().unwrap());
    assert!(!well && stderr.contains("no-such-command"));
}

#[test]
fn routes_and_functions_are_tables() {
    let (well, routes, _) = run(&["routes"]);
    let row = |text: &str, words: &[&str]| {
        text.lines().any(|line| line.split_whitespace().collect::<Vec<_>>() == words)
    };
    assert!(well && row(&routes, &["METHOD", "PATH", "FUNCTION"]));
    for words in [
        ["POST", "/api/messages/send", "message-send"],
        ["POST", "/api/messages", "message-send"],
        ["POST", "/api/conversations/{id}/messages", "message-send"],
        ["PUT", "/api/auth/me", "user-profile"],
        ["GET", "/api/auth/me", "auth-me"],
    ] {
        assert!(row(&routes, &words), "{words:?} is missing:\n{routes}");
    }
    assert!(routes.contains("$connect") && routes.contains("ws-connect"), "{routes}");
    let (well, functions, _) = run(&["functions"]);
    assert!(well && functions.contains("auth-login") && functions.contains("1024 MB"), "{functions}");
}
