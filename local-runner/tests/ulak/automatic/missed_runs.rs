//! Runs that were due while no runner was up: the banner of the next start lists them with a command to fire, until one
//! is fired.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use test_support::test_server::{EMBEDDED, TestServer, leaves_process_mode};

use super::commands::{command, unused_port};
use crate::server::own_server;

const PATIENCE: Duration = Duration::from_secs(30);

/// The complete banner, once `schedules.json` is written.
fn banner(server: &TestServer) -> String {
    let start = Instant::now();
    loop {
        let banner = server.banner();
        // Every banner ends with this line.
        if banner.contains("JWT secret") && server.data().join("schedules.json").exists() {
            return banner;
        }
        assert!(start.elapsed() < PATIENCE, "no complete banner: {banner}");
        sleep(Duration::from_millis(20));
    }
}

/// The banner's line about the planner's missed runs.
fn missed(banner: &str) -> Option<&str> {
    banner.lines().find(|line| line.trim_start().starts_with("missed") && line.contains("planner"))
}

/// Moves the times in `schedules.json` back by three days, as if no runner had been up since.
fn age_three_days(data: &Path) {
    let file = data.join("schedules.json");
    let mut state: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    for seen in state.as_object_mut().unwrap().values_mut() {
        let seen = seen.as_object_mut().unwrap();
        seen.remove("lastFired");
        let since: jiff::Timestamp = seen["since"].as_str().unwrap().parse().unwrap();
        seen["since"] = (since - jiff::SignedDuration::from_hours(72)).to_string().into();
    }
    std::fs::write(&file, state.to_string()).unwrap();
}

/// The arguments of the `fire` command in the banner's line.
fn fire_arguments(line: &str) -> Vec<String> {
    let (_, fire) = line.split_once("fire ").unwrap();
    ["fire"].into_iter().chain(fire.split_whitespace()).map(str::to_owned).collect()
}

#[test]
fn missed_runs_are_in_the_banner_until_one_is_fired() {
    if leaves_process_mode("it opens the embedded store") {
        return;
    }
    for is_running in [true, false] {
        let mut server = own_server(&EMBEDDED);
        assert_eq!(missed(&banner(&server)), None, "a new schedule has missed runs");
        server.kill();
        age_three_days(&server.data());
        for _ in 0..2 {
            server.kill_and_restart();
            let banner = banner(&server);
            let line = missed(&banner).unwrap_or_else(|| panic!("{banner}"));
            assert!(line.contains("3 runs") && line.contains("T23:00:00Z"), "{line}");
        }
        let arguments = fire_arguments(missed(&banner(&server)).unwrap());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = if is_running {
            command(server.port(), Path::new("/nowhere"), &arguments)
        } else {
            server.kill();
            command(unused_port(), &server.data(), &arguments)
        };
        let day = output.reply()["plannedFor"].as_str().unwrap().to_owned();
        let local: jiff::Timestamp = arguments[3].parse().unwrap();
        assert!(local.to_string().starts_with(&day[..8]) || day.ends_with("-01"), "{day} for {local}");
        wait_until_recorded(&server.data());
        server.kill_and_restart();
        let banner = banner(&server);
        assert_eq!(missed(&banner), None, "{banner}");
    }
}

/// The runner writes `schedules.json` some time after a run.
fn wait_until_recorded(data: &Path) {
    let start = Instant::now();
    loop {
        let recorded = std::fs::read_to_string(data.join("schedules.json")).unwrap();
        let state: Value = serde_json::from_str(&recorded).unwrap();
        let planner =
            state.as_object().unwrap().values().find(|seen| seen["expression"] == "cron(0 2 * * ? *)");
        if planner.unwrap().get("lastFired").is_some() {
            break;
        }
        assert!(start.elapsed() < PATIENCE, "{recorded}");
        sleep(Duration::from_millis(20));
    }
}

#[test]
fn future_run_keeps_missed_runs_in_the_banner() {
    if leaves_process_mode("it opens the embedded store") {
        return;
    }
    let mut server = own_server(&EMBEDDED);
    banner(&server);
    server.kill();
    age_three_days(&server.data());
    let output = command(
        unused_port(),
        &server.data(),
        &["fire", "auto-message-planner", "--at", "2096-12-01T23:00:00Z"],
    );
    assert_eq!(output.reply()["plannedFor"], "2096-12-02");
    server.kill_and_restart();
    let banner = banner(&server);
    assert!(missed(&banner).is_some(), "{banner}");
}
