//! A night that no runner saw: it is told at the next start, with the command that makes up for it, and once
//! that is done it is not told again.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::commands::{command, nobody};
use crate::client::Port;
use crate::world::{BINARY, repository};

const PATIENCE: Duration = Duration::from_secs(30);

/// A runner whose whole banner can be read; it ends with this value.
struct Runner {
    child: Child,
    banner: String,
}

impl Runner {
    fn start(data: &Path) -> Self {
        let output = data.join("banner");
        let child = Command::new(BINARY)
            .args(["--port", "0", "--template"])
            .arg(repository().join("template.yaml"))
            .arg("--data")
            .arg(data)
            .env_clear()
            .env("RUST_LOG", "off")
            .stdin(Stdio::null())
            .stdout(File::create(&output).unwrap())
            .spawn()
            .unwrap();
        let mut runner = Self { child, banner: String::new() };
        let start = Instant::now();
        // The last line that every banner has, and the memory on the disk.
        while !runner.banner.contains("JWT secret") || !data.join("schedules.json").exists() {
            assert!(start.elapsed() < PATIENCE, "no banner: {}", runner.banner);
            std::thread::sleep(Duration::from_millis(20));
            runner.banner = std::fs::read_to_string(&output).unwrap();
        }
        runner
    }

    fn port(&self) -> Port {
        let rest = self.banner.split_once("http://127.0.0.1:").unwrap().1;
        Port(rest.split_once('/').unwrap().0.parse().unwrap())
    }

    /// The line about the planner's missed nights.
    fn missed(&self) -> Option<&str> {
        self.banner.lines().find(|line| line.trim_start().starts_with("missed") && line.contains("planner"))
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
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
fn a_missed_night_is_told_until_it_is_fired() {
    for with_a_runner in [true, false] {
        let data = tempfile::tempdir().unwrap();
        let first = Runner::start(data.path());
        assert_eq!(first.missed(), None, "a new schedule has missed nothing");
        drop(first);
        sleep_three_days(data.path());
        for _ in 0..2 {
            let runner = Runner::start(data.path());
            let line = runner.missed().unwrap_or_else(|| panic!("{}", runner.banner));
            assert!(line.contains("3 runs") && line.contains("T23:00:00Z"), "{line}");
        }
        let mut runner = Some(Runner::start(data.path()));
        let advice = advice(runner.as_ref().unwrap().missed().unwrap());
        let advice: Vec<&str> = advice.iter().map(String::as_str).collect();
        let said = match runner.take_if(|_| !with_a_runner) {
            Some(ended) => {
                drop(ended);
                command(nobody(), data.path(), &advice)
            }
            None => command(runner.as_ref().unwrap().port(), Path::new("/nowhere"), &advice),
        };
        let day = said.reply()["plannedFor"].as_str().unwrap().to_owned();
        let local: jiff::Timestamp = advice[3].parse().unwrap();
        assert!(local.to_string().starts_with(&day[..8]) || day.ends_with("-01"), "{day} for {local}");
        wait_until_remembered(data.path());
        drop(runner);
        let again = Runner::start(data.path());
        assert_eq!(again.missed(), None, "{}", again.banner);
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
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A run that is still to come makes up for nothing.
#[test]
fn a_run_of_the_future_makes_up_for_nothing() {
    let data = tempfile::tempdir().unwrap();
    drop(Runner::start(data.path()));
    sleep_three_days(data.path());
    let said =
        command(nobody(), data.path(), &["fire", "auto-message-planner", "--at", "2096-12-01T23:00:00Z"]);
    assert_eq!(said.reply()["plannedFor"], "2096-12-02");
    let runner = Runner::start(data.path());
    assert!(runner.missed().is_some(), "{}", runner.banner);
}
