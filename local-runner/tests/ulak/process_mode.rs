//! Process mode: function processes that are killed while users send, and the functions of another project.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use test_support::http_client::{HttpRequest, Port};
use test_support::person::Person;
use test_support::test_server::is_process_mode;
use test_support::{leave_to_another_run, repository, unique_name};

use crate::server::{BINARY, own_server};
use crate::sockets::socket_client::SocketClient;

/// The process ids of a process's children.
fn children(parent: u32) -> Vec<u32> {
    let processes =
        fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let is_child = |pid: &u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let after_name = stat.rsplit_once(") ").map(|(_, rest)| rest).unwrap_or_default();
        after_name.split(' ').nth(1).and_then(|parent| parent.parse().ok()) == Some(parent)
    };
    processes.filter(is_child).collect()
}

/// The number of times that every function process is killed.
const ROUNDS: usize = 12;
/// The time between two rounds. On a busy machine a function can start and answer a few calls in it.
const PAUSE: Duration = Duration::from_millis(500);

/// Kills every function process of a runner [`ROUNDS`] times. Returns the number of killed processes.
fn kill_functions(runner: u32, is_over: &AtomicBool) -> usize {
    let mut killed = 0;
    for _ in 0..ROUNDS {
        thread::sleep(PAUSE);
        for pid in children(runner) {
            let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            // The runner's guard process is a shell and must stay.
            if name.trim() != "sh" {
                let kill = Command::new("kill").args(["-9", &pid.to_string()]).output().unwrap();
                killed += usize::from(kill.status.success());
            }
        }
    }
    is_over.store(true, Ordering::SeqCst);
    killed
}

#[test]
fn killed_function_processes_lose_no_acknowledged_message() {
    if !is_process_mode() {
        return leave_to_another_run("set ULAK_TEST_MODE=process and ULAK_TEST_REAL=1");
    }
    let server = own_server(&[]);
    let (ada, bob, conversation) = server.pair();
    let (is_over, failed) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (acknowledged, killed) = thread::scope(|scope| {
        let killer = scope.spawn(|| kill_functions(server.pid(), &is_over));
        let write = |sender| write(sender, &conversation, &failed, &is_over);
        let writers: Vec<_> = [&ada, &bob].map(|sender| scope.spawn(move || write(sender))).into();
        let acknowledged: BTreeMap<String, Value> =
            writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect();
        (acknowledged, killer.join().unwrap())
    });
    assert!(killed >= 10, "only {killed} processes were killed");
    assert!(failed.load(Ordering::SeqCst) > 0, "no send was interrupted");
    assert!(acknowledged.len() >= ROUNDS, "only {} messages", acknowledged.len());
    // The next call starts a new instance.
    ada.send(&conversation, "still here");
    let history = ada.whole_history(&conversation);
    for (key, message) in &acknowledged {
        let stored: Vec<&Value> =
            history.iter().filter(|message| message["clientMessageId"] == **key).collect();
        assert_eq!(stored, [message], "an acknowledged message is missing or stored twice");
    }
    assert_eq!(history.len(), acknowledged.len() + 1, "a repeated send created a second message");
}

/// Sends messages until `is_over`, and repeats each until it is acknowledged.
fn write(
    sender: &Person,
    conversation: &str,
    failed: &AtomicUsize,
    is_over: &AtomicBool,
) -> BTreeMap<String, Value> {
    let mut acknowledged = BTreeMap::new();
    while !is_over.load(Ordering::SeqCst) {
        let key = unique_name();
        let body = json!({ "conversationId": conversation, "content": key, "clientMessageId": key });
        let message = loop {
            let answer = sender.post("/api/messages/send", &body).send();
            match answer.status {
                200 | 201 => break answer.data()["message"].take(),
                500 | 502 | 503 => failed.fetch_add(1, Ordering::SeqCst),
                other => panic!("{other}: {}", answer.text()),
            };
        };
        acknowledged.insert(key, message);
    }
    acknowledged
}

/// A runner with the template of another project; it is killed when the value is dropped.
struct ForeignRunner(Child, Port);

impl ForeignRunner {
    fn start(template: &Path) -> Self {
        let inherited = ["PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"];
        let mut child = Command::new(BINARY)
            .args(["--mode", "process", "--port", "0", "--data", ":memory:", "--template"])
            .arg(template)
            .env_clear()
            .envs(inherited.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
            .env("CARGO_TARGET_DIR", repository().join("target/foreign"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.find_map(|line| {
            line.unwrap().split_once("Invoke API  http://127.0.0.1:")?.1.split_once('/')?.0.parse().ok()
        });
        Self(child, Port(port.expect("the banner contains no address")))
    }
}

impl Drop for ForeignRunner {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_project_runs_unchanged() {
    let template = repository().join("local-runner/process-tests/foreign/template.yaml");
    let foreign = ForeignRunner::start(&template);
    let page = HttpRequest::new(foreign.1, "GET", "/a/b").send();
    assert_eq!((page.status, page.text().as_str()), (200, "page a/b"));
    let mut client = SocketClient::open(foreign.1, "/prod").await.unwrap();
    client.send(r#"{"action":"add","numbers":[1,2,39]}"#).await;
    assert_eq!(client.receive().await, "42");
    let output = Command::new(BINARY)
        .args(["--port", &foreign.1.0.to_string(), "--template"])
        .arg(&template)
        .args(["fire", "Clean", "--at", "2026-11-25T03:00:00Z"])
        .output()
        .unwrap();
    let reply: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(reply, json!({ "cleaned": "2026-11-25T03:00:00Z", "table": "pages" }));
}
