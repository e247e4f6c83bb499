//! The command line of the real binary: its output and its exit status.

use std::fs;
use std::io::{Read as _, Write as _};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

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
fn taken_port_fails_with_one_line() {
    let server = shared_server();
    let port = server.port().0.to_string();
    let (is_success, stdout, stderr) = run(&["--port", &port]);
    assert!(!is_success && stdout.is_empty(), "{stdout}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains(&format!("127.0.0.1:{port} is taken")), "{stderr}");
    server.request("GET", "/api/health").data(200);
}

#[test]
fn data_directory_in_use_fails_with_one_line() {
    // Only embedded stores lock the data directory, so the servers of `ULAK_TEST_REAL` are not used.
    let server = own_server(&["MONGODB_URI", "REDIS_URL", "AMQP_URL"].map(|name| (name, "")));
    let output = Command::new(BINARY)
        .args(["--port", "0", "--template"])
        .arg(repository().join("template.yaml"))
        .arg("--data")
        .arg(server.data())
        .env_clear()
        .output()
        .unwrap();
    let (is_success, _, stderr) = split(&output);
    let problems: Vec<&str> = stderr.lines().filter(|line| line.starts_with("local-runner: ")).collect();
    assert!(!is_success && problems.len() == 1, "{stderr}");
    server.request("GET", "/api/health").data(200);
}

#[test]
fn invoke_prints_the_functions_reply() {
    let form = json!({ "email": "no-such-user@example.com", "password": "8 horses" });
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), request("POST /api/auth/login", &form).to_string()).unwrap();
    let (is_success, stdout, _) = run(&["invoke", "auth-login", "--event", file.path().to_str().unwrap()]);
    let reply: Value = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}"));
    assert!(is_success, "an error reply is not a failure of the function");
    assert_eq!(reply["statusCode"], 401);
    let body: Value = serde_json::from_str(reply["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["error"], json!({ "code": "INVALID_CREDENTIALS", "requestId": "a-request" }));
}

#[test]
fn invoke_reads_the_event_from_standard_input() {
    let mut child = runner(&["invoke", "health", "--event", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let event = request("GET /api/health", &json!({}));
    child.stdin.take().unwrap().write_all(event.to_string().as_bytes()).unwrap();
    let (is_success, stdout, _) = split(&child.wait_with_output().unwrap());
    let reply: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((is_success, &reply["statusCode"]), (true, &json!(200)), "{stdout}");
}

#[test]
fn invoke_prints_the_functions_error_for_an_invalid_event() {
    let (is_success, stdout, _) = run(&["invoke", "auth-login"]);
    assert!(!is_success);
    let error: Value = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}"));
    assert!(error["errorType"].is_string() && error["errorMessage"].is_string(), "{error}");
}

#[test]
fn impossible_commands_fail_with_one_line() {
    let missing = "/nowhere/event.json";
    for (arguments, expected) in [
        (vec!["invoke", "no-such-function"], "no function named no-such-function; there are: api-"),
        (vec!["invoke", "auth-login", "--event", missing], missing),
        (vec!["fire", "auth-login"], "auth-login"),
    ] {
        let (is_success, stdout, stderr) = run(&arguments);
        assert!(!is_success && stdout.is_empty(), "{arguments:?}: {stdout}");
        assert!(stderr.lines().count() == 1 && stderr.contains(expected), "{arguments:?}: {stderr}");
    }
}

#[test]
fn help_lists_commands_options_and_examples() {
    let (is_success, stdout, stderr) = split(&Command::new(BINARY).arg("--help").output().unwrap());
    assert!(is_success && stderr.is_empty());
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
    let (is_success, _, stderr) = split(&Command::new(BINARY).arg("no-such-command").output().unwrap());
    assert!(!is_success && stderr.contains("no-such-command"));
}

#[test]
fn routes_and_functions_print_tables() {
    let (is_success, routes, _) = run(&["routes"]);
    let row = |text: &str, words: &[&str]| {
        text.lines().any(|line| line.split_whitespace().collect::<Vec<_>>() == words)
    };
    assert!(is_success && row(&routes, &["METHOD", "PATH", "FUNCTION"]));
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
    let (is_success, functions, _) = run(&["functions"]);
    assert!(is_success && functions.contains("auth-login") && functions.contains("1024 MB"), "{functions}");
}

#[test]
fn the_banner_ends_with_the_pages() {
    let server = own_server(&[]);
    let banner = server.banner();
    let (_, pages) = banner.split_once("Open in a browser:\n").unwrap();
    let pages: Vec<Vec<&str>> = pages.lines().map(|line| line.split("  ").map(str::trim).collect()).collect();
    let origin = format!("http://127.0.0.1:{}", server.port().0);
    for (page, (name, path)) in pages.iter().zip([("chat", "/"), ("API docs", "/api/docs")]) {
        assert!(page.contains(&name) && page.contains(&format!("{origin}{path}").as_str()), "{banner}");
        assert_eq!(server.request("GET", path).send().status, 200);
    }
    assert_eq!(pages.len(), 2, "{banner}");
}

#[test]
#[cfg(target_os = "linux")]
fn open_starts_the_browser_with_the_chat_page() {
    use std::os::unix::fs::PermissionsExt as _;

    // A desktop's `xdg-open`, which only writes down what it is asked for.
    let folder = tempfile::tempdir().unwrap();
    let opener = folder.path().join("xdg-open");
    fs::write(&opener, "#!/bin/sh\necho \"$1\" > \"$(dirname \"$0\")/url.part\"\nmv \"$(dirname \"$0\")/url.part\" \"$(dirname \"$0\")/url\"\n")
        .unwrap();
    fs::set_permissions(&opener, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let mut child =
        runner(&["--open", "--port", "0"]).env("PATH", path).stdout(Stdio::piped()).spawn().unwrap();
    let start = Instant::now();
    let url = loop {
        match fs::read_to_string(folder.path().join("url")) {
            Ok(url) => break url,
            Err(_) => assert!(start.elapsed() < Duration::from_secs(60), "the browser was not started"),
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    child.kill().unwrap();
    let mut banner = String::new();
    child.stdout.take().unwrap().read_to_string(&mut banner).unwrap();
    child.wait().unwrap();
    assert!(url.starts_with("http://127.0.0.1:") && banner.contains(url.trim()), "{url} is not in {banner}");
}
