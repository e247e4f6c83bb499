//! The commands for operators, with and without a running runner.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use adapter_embedded::Embedded;
use serde_json::Value;
use shared::auto_message::SENDING_QUEUE;
use shared::ports::{Outbox as _, OutboxMessage};
use test_support::auto_messages::{NIGHT, history_of, insert_users, job_delivery, plan_rows, time};
use test_support::http_client::Port;
use test_support::repository;
use test_support::test_server::{EMBEDDED, leaves_process_mode};

use super::torture::{block_on, wait_for_queues};
use crate::server::{BINARY, own_server};

/// The result of a command.
pub(super) struct CommandOutput {
    pub(super) is_success: bool,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl CommandOutput {
    /// The reply of the function that was fired.
    #[track_caller]
    pub(super) fn reply(&self) -> Value {
        assert!(self.is_success, "{} {}", self.stdout, self.stderr);
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }
}

/// Runs the real binary. It uses the runner at `port`, or opens `data` if none is running there.
pub(super) fn command(port: Port, data: &Path, arguments: &[&str]) -> CommandOutput {
    let output = Command::new(BINARY)
        .args(arguments)
        .args(["--host", "127.0.0.1", "--port", &port.0.to_string(), "--template"])
        .arg(repository().join("template.yaml"))
        .arg("--data")
        .arg(data)
        .env_clear()
        .envs([("RUST_LOG", "error"), ("RATE_LIMIT_SCALE", "0"), ("TZ", "UTC")])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    CommandOutput {
        is_success: output.status.success(),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    }
}

/// A port that no process listens on.
pub(super) fn unused_port() -> Port {
    Port(TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port())
}

/// The rows of a table of queues, as words, without the header.
fn rows(text: &str) -> Vec<Vec<&str>> {
    text.lines()
        .filter(|line| line.starts_with(SENDING_QUEUE))
        .map(|line| line.split_whitespace().collect())
        .collect()
}

#[test]
fn queues_command_prints_depths_and_replays_dead_jobs() {
    if leaves_process_mode("it opens the embedded store") {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let (people, rows_planned) = block_on(async {
        let store = Embedded::open(&data).unwrap();
        let people = insert_users(&store, 8).await;
        let planned = plan_rows(&store, &people, 4, time(NIGHT)).await;
        let jobs: Vec<OutboxMessage> = planned.iter().map(|row| job(&job_delivery(row))).collect();
        store.publish(SENDING_QUEUE, &jobs[..1]).await.unwrap();
        store.retry_later(SENDING_QUEUE, &OutboxMessage { attempt: 4, ..jobs[1].clone() }).await.unwrap();
        for job in &jobs[2..] {
            store.dead_letter(SENDING_QUEUE, job, "too many attempts").await.unwrap();
        }
        (people, planned)
    });

    // Without a runner the command opens the data itself.
    let output = command(unused_port(), &data, &["queues"]);
    assert!(output.is_success, "{}", output.stderr);
    let (dead, retry) = (format!("{SENDING_QUEUE}.dead"), format!("{SENDING_QUEUE}.retry"));
    assert_eq!(
        output.stdout.lines().next().unwrap().split_whitespace().collect::<Vec<_>>(),
        ["QUEUE", "READY", "UNACKED"]
    );
    assert_eq!(rows(&output.stdout), [[SENDING_QUEUE, "1", "0"], [&dead, "2", "0"], [&retry, "1", "0"]]);
    let output = command(unused_port(), &data, &["queues", "--replay-dead"]);
    assert!(
        output.is_success && output.stdout.starts_with("sent back from .dead: 2\n"),
        "{} {}",
        output.stdout,
        output.stderr
    );
    assert_eq!(rows(&output.stdout), [[SENDING_QUEUE, "3", "0"], [&retry, "1", "0"]]);

    // A runner processes the jobs; the one in `.retry` stays there for ten minutes.
    let mut server = own_server(&EMBEDDED);
    server.kill();
    std::fs::rename(&data, server.data()).or_else(|_| replace(&data, &server.data())).unwrap();
    server.kill_and_restart();
    wait_for_queues(&server, |depths| depths == [(retry.clone(), 1)]);
    let output = command(server.port(), Path::new("/nowhere"), &["queues"]);
    assert!(output.is_success, "{}", output.stderr);
    assert_eq!(rows(&output.stdout), [[&retry, "1", "0"]]);

    // With a runner the command asks the runner to replay the dead jobs.
    server.kill();
    block_on(async {
        let store = Embedded::open(&server.data()).unwrap();
        store
            .dead_letter(SENDING_QUEUE, &job(&job_delivery(&rows_planned[1])), "dead-lettered by a test")
            .await
            .unwrap();
    });
    server.kill_and_restart();
    let output = command(server.port(), Path::new("/nowhere"), &["queues", "--replay-dead"]);
    assert!(output.stdout.starts_with("sent back from .dead: 1\n"), "{} {}", output.stdout, output.stderr);
    wait_for_queues(&server, |depths| depths == [(retry.clone(), 1)]);
    server.kill();
    block_on(async {
        let store = Embedded::open(&server.data()).unwrap();
        for pair in people.chunks_exact(2) {
            assert_eq!(history_of(&store, &pair[1]).await.len(), 1);
        }
    });
}

fn replace(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::remove_dir_all(to)?;
    std::fs::rename(from, to)
}

fn job(delivery: &shared::lambda::queue::Delivery) -> OutboxMessage {
    OutboxMessage {
        id: delivery.message_id.clone().unwrap(),
        body: delivery.body.clone(),
        attempt: delivery.attempt,
    }
}

#[test]
fn routes_command_lists_the_next_five_runs_of_every_schedule() {
    let home = tempfile::tempdir().unwrap();
    let output = command(unused_port(), home.path(), &["routes"]);
    assert!(output.is_success, "{}", output.stderr);
    let (_, schedules) = output.stdout.split_once("\n\n").unwrap();
    let runs_of = |function: &str| {
        let lines = schedules.lines().filter(|line| line.starts_with(function));
        lines.map(|line| line.split_whitespace().last().unwrap().to_owned()).collect::<Vec<String>>()
    };
    let nights = runs_of("auto-message-planner");
    assert_eq!(nights.len(), 5, "{schedules}");
    assert!(nights.iter().all(|run| run.ends_with("T02:00:00+03:00")), "{nights:?}");
    let minutes: Vec<i64> = runs_of("auto-message-queuer").iter().map(|run| time(run).millis()).collect();
    assert_eq!(minutes.len(), 5);
    assert!(minutes.windows(2).all(|two| two[1] - two[0] == 60_000), "{minutes:?}");
    assert!(
        std::fs::read_dir(home.path()).unwrap().next().is_none(),
        "the command wrote to the data directory"
    );
}
