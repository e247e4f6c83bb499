//! A night that no runner saw: it is told at the next start, with the command that makes up for it, and once
//! that is done it is not told again.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use test_support::test_server::{EMBEDDED, TestServer};

use super::commands::{command, nobody};
use crate::server::own_server;

const PATIENCE: Duration = Duration::from_secs(30);

/// The complete banner, once the schedules' memory is on the disk.
fn banner(server: &TestServer) -> String {
    let start = Instant::now();
    loop {
        let banner = server.banner();
        // The last line that every banner has.
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

/// Turns the clock of the schedules' memory back by three days: as if no runner had been up since.
fn sleep_three_days(data: &Path) {
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

/// What the banner says is to be fired.
fn advice(line: &str) -> Vec<String> {
    let (_, fire) = line.split_once("fire ").unwrap();
    ["fire"].into_iter().chain(fire.split_whitespace()).map(str::to_owned).collect()
}

#[test]
fn missed_runs_are_in_the_banner_until_one_is_fired() {
    for with_a_runner in [true, false] {
        let mut server = own_server(&EMBEDDED);
        assert_eq!(missed(&banner(&server)), None, "a new schedule has missed nothing");
        server.kill();
        sleep_three_days(&server.data());
        for _ in 0..2 {
            server.kill_and_restart();
            let banner = banner(&server);
            let line = missed(&banner).unwrap_or_else(|| panic!("{banner}"));
            assert!(line.contains("3 runs") && line.contains("T23:00:00Z"), "{line}");
        }
        let advice = advice(missed(&banner(&server)).unwrap());
        let advice: Vec<&str> = advice.iter().map(String::as_str).collect();
        let said = if with_a_runner {
            command(server.port(), Path::new("/nowhere"), &advice)
        } else {
            server.kill();
            command(nobody(), &server.data(), &advice)
        };
        let day = said.reply()["plannedFor"].as_str().unwrap().to_owned();
        let local: jiff::Timestamp = advice[3].parse().unwrap();
        assert!(local.to_string().starts_with(&day[..8]) || day.ends_with("-01"), "{day} for {local}");
        wait_until_remembered(&server.data());
        server.kill_and_restart();
        let again = banner(&server);
        assert_eq!(missed(&again), None, "{again}");
    }
}

/// The runner notes what it heard in its own time.
fn wait_until_remembered(data: &Path) {
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

/// A run that is still to come makes up for nothing.
#[test]
fn future_run_keeps_missed_runs_in_the_banner() {
    let mut server = own_server(&EMBEDDED);
    banner(&server);
    server.kill();
    sleep_three_days(&server.data());
    let said =
        command(nobody(), &server.data(), &["fire", "auto-message-planner", "--at", "2096-12-01T23:00:00Z"]);
    assert_eq!(said.reply()["plannedFor"], "2096-12-02");
    server.kill_and_restart();
    let banner = banner(&server);
    assert!(missed(&banner).is_some(), "{banner}");
}
