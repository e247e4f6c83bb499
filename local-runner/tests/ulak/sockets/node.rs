//! Runs the scenarios in `tests/node` with the unmodified `socket.io-client`, once for each way of pushing. Skipped
//! without node or its packages, which `npm ci` in `tests/node` installs.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use test_support::skip;
use test_support::socket_crowd::{now_millis, run_heartbeat};
use test_support::test_server::{JWT_SECRET, TestServer};

use crate::server::{own_server, shared_server};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node")
}

/// Node in `tests/node`. Without node or its packages the test is skipped.
fn node(server: &TestServer, arguments: &[&str]) -> Option<Command> {
    let has_node = Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success());
    let has_packages = directory().join("node_modules/socket.io-client/package.json").exists();
    if !(has_node && has_packages) {
        skip(&format!("install node 20 and run `npm ci` in {}", directory().display()));
        return None;
    }
    let mut command = Command::new("node");
    command
        .args(arguments)
        .current_dir(directory())
        .env("ULAK_URL", format!("http://127.0.0.1:{}", server.port().0))
        .env("ULAK_JWT_SECRET", JWT_SECRET)
        .stdin(Stdio::null());
    Some(command)
}

fn run_scenarios(server: &TestServer) {
    let Some(mut node) = node(server, &["--test", "--test-concurrency=5"]) else { return };
    let output = node.output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{stdout}\n{}", String::from_utf8_lossy(&output.stderr));
    let passed = stdout.lines().find_map(|line| line.strip_prefix("# pass ")).unwrap();
    assert!(passed.parse::<u32>().unwrap() > 30, "only {passed} scenarios ran");
    server.request("GET", "/api/health").data(200);
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

#[test]
fn unmodified_client_passes_all_scenarios() {
    run_scenarios(shared_server());
}

#[test]
fn unmodified_client_passes_all_scenarios_when_pushes_use_the_aws_sdk() {
    run_scenarios(&own_server(&[("PUSH", "sdk")]));
}

#[test]
fn readme_script_receives_the_events_in_its_comments() {
    let Some(mut node) = node(shared_server(), &["readme.mjs"]) else { return };
    let output = node.output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let printed: Vec<&str> = stdout.lines().filter(|line| line.starts_with(['a', 'b'])).collect();
    // Users of other tests connect to the same server.
    let own = |line: &&&str| !line.contains("user_") || line.contains("ada:");
    let names: Vec<String> = printed
        .iter()
        .filter(own)
        .map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
        .collect();
    let mut rest = names.iter();
    for expected in
        ["ada: user_online", "bob: typing", "bob: message_received", "ada: message_read", "ada: user_offline"]
    {
        assert!(rest.any(|name| name == expected), "{expected} is not in {names:?}");
    }
}

/// Starts a client in its own process and waits until it is connected.
fn start_idle_client(server: &TestServer, token: &str) -> Option<std::process::Child> {
    let mut child = node(server, &["idle.mjs", token])?.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "connected");
    Some(child)
}

#[test]
fn killed_client_goes_offline_at_once_and_a_frozen_one_after_its_lease() {
    let server = own_server(&[]);
    let (ada, bob, watcher) = (server.person(), server.person(), server.person());
    let online = |id: &str| {
        let found = watcher.get(&format!("/api/user/online/{id}")).data(200);
        found["online"].as_bool().unwrap()
    };
    let (Some(mut killed), Some(mut frozen)) =
        (start_idle_client(&server, &ada.access_token), start_idle_client(&server, &bob.access_token))
    else {
        return;
    };
    assert!(online(&ada.id) && online(&bob.id));

    killed.kill().unwrap();
    killed.wait().unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while online(&ada.id) {
        assert!(Instant::now() < deadline, "still online after kill -9");
        std::thread::sleep(Duration::from_millis(20));
    }

    // The kernel still accepts frames, but the stopped process does not read them.
    assert!(Command::new("kill").args(["-STOP", &frozen.id().to_string()]).status().unwrap().success());
    let start = now_millis();
    for minute in 1..=6 {
        run_heartbeat(server.port(), start, minute);
    }
    assert!(online(&bob.id), "offline before its lease has expired");
    let report = run_heartbeat(server.port(), start, 8);
    assert_eq!(report["closed"], json!(1), "{report}");
    assert!(!online(&bob.id));
    frozen.kill().unwrap();
    frozen.wait().unwrap();
}
