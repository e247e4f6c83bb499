//! The emulator as a program: HTTP, sockets and the Invoke API over processes, the command line, and the end
//! of every process with it.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::Message;

use crate::bench::{bin_dir, eventually, is_alive, template_of};

/// A running emulator. It is killed when it is dropped.
pub(crate) struct Emulator {
    pub(crate) home: TempDir,
    pub(crate) child: Child,
    pub(crate) port: u16,
}

impl Emulator {
    /// Starts the emulator on a template in process mode.
    pub(crate) fn start(template: &Path, arguments: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let log = File::create(home.path().join("log")).unwrap();
        let mut child = command(template, arguments).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.by_ref().find_map(|line| {
            let line = line.unwrap();
            line.split_once("Invoke API  http://127.0.0.1:")?.1.split_once('/')?.0.parse().ok()
        });
        let log = fs::read_to_string(home.path().join("log")).unwrap();
        Self {
            port: port.unwrap_or_else(|| panic!("no port in the banner; the log is:\n{log}")),
            home,
            child,
        }
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("log")).unwrap()
    }

    /// Status, head and body of a request.
    pub(crate) fn send(&self, head: &str, body: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let (line, headers) = head.split_once('\n').unwrap_or((head, ""));
        let headers: String = headers.lines().map(|header| format!("{}\r\n", header.trim())).collect();
        let length = body.len();
        write!(stream, "{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}").unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_owned(), body.to_owned())
    }

    pub(crate) fn invoke(&self, function: &str, event: &str) -> String {
        self.send(&format!("POST /2015-03-31/functions/{function}/invocations"), event).2
    }

    fn pid_of(&self, function: &str) -> u64 {
        serde_json::from_str::<Value>(&self.invoke(function, "{}")).unwrap()["pid"].as_u64().unwrap()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(template: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_emulator"));
    if !arguments.contains(&"--mode") {
        command.args(["--mode", "process"]);
    }
    command.args(["--port", "0", "--data", ":memory:", "--template"]).arg(template);
    command.args(arguments).stdin(Stdio::null());
    command
}

/// The orders template, and a folder in which all of its functions are `echo`.
fn orders() -> (PathBuf, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    for name in ["order_get", "order-create", "files", "report-daily"] {
        symlink(env!("CARGO_BIN_EXE_echo"), folder.path().join(name)).unwrap();
    }
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    (package.parent().unwrap().join("sam-emulator/tests/it/orders.yaml"), folder)
}

#[tokio::test]
async fn every_trigger_of_a_template_reaches_its_process() {
    let (template, folder) = orders();
    let emulator = Emulator::start(&template, &["--bin-dir", folder.path().to_str().unwrap()]);
    let (status, _, body) = emulator.send("GET /orders/7", "");
    assert_eq!(status, 200, "{body}");
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["pathParameters"]["id"], "7");

    let url = format!("ws://127.0.0.1:{}/live", emulator.port);
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    socket.send(Message::text(r#"{"action":"anything"}"#)).await.unwrap();
    let Message::Text(answer) = socket.next().await.unwrap().unwrap() else { panic!("no text") };
    assert_eq!(serde_json::from_str::<Value>(&answer).unwrap()["requestContext"]["routeKey"], "$default");

    let head = "POST /2015-03-31/functions/report-daily/invocations\nx-amz-log-type: Tail\nx-amz-client-context: eyJjdXN0b20iOnsiayI6InYifSwiY2xpZW50Ijp7Imluc3RhbGxhdGlvbl9pZCI6ImkiLCJhcHBfdGl0bGUiOiIiLCJhcHBfdmVyc2lvbl9uYW1lIjoiIiwiYXBwX3ZlcnNpb25fY29kZSI6IiIsImFwcF9wYWNrYWdlX25hbWUiOiIifSwiZW52Ijp7fX0=";
    let (status, head, body) = emulator.send(head, r#"{"a":1}"#);
    assert_eq!(status, 200, "{body}");
    let reply: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&reply["event"]["a"], &reply["clientContext"]["custom"]["k"]), (&1.into(), &"v".into()));
    let log = head.lines().find_map(|line| line.split_once("x-amz-log-result: ")).unwrap().1;
    let log = String::from_utf8(STANDARD.decode(log).unwrap()).unwrap();
    assert!(log.starts_with("START RequestId: ") && log.contains("\nREPORT RequestId: "), "{log}");
    assert!(emulator.log().contains("report-daily | START RequestId: "), "{}", emulator.log());

    let output = Command::new(env!("CARGO_BIN_EXE_emulator"))
        .args(["--port", &emulator.port.to_string(), "-t"])
        .arg(&template)
        .args(["invoke", "report-daily", "--log-tail"])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("START RequestId: "), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("\"event\":{}"), "{output:?}");
}

#[test]
fn a_function_is_invoked_from_the_command_line_without_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let template = folder.path().join("template.yaml");
    fs::write(&template, template_of(&[("prints", ""), ("missing", "")])).unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = Command::new(env!("CARGO_BIN_EXE_emulator"));
    command
        .args(["--mode", "process", "--port", &free.to_string(), "--data", ":memory:", "-t"])
        .arg(&template);
    command.arg("--bin-dir").arg(bin_dir()).args(["invoke", "prints"]).stdin(Stdio::null());
    let output = command.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "null\n", "{output:?}");
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(log.contains("prints | out 0\n") && log.contains("prints | REPORT"), "{log}");
}

#[tokio::test]
async fn ctrl_c_and_kill_9_of_the_emulator_end_every_process() {
    let folder = tempfile::tempdir().unwrap();
    let template = folder.path().join("template.yaml");
    fs::write(&template, template_of(&[("echo", ""), ("sleeps", "Timeout: 900")])).unwrap();
    let bin_dir = bin_dir();
    for signal in ["-INT", "-KILL"] {
        let mut emulator = Emulator::start(&template, &["--bin-dir", bin_dir.to_str().unwrap()]);
        let idle = emulator.pid_of("echo");
        let head = "POST /2015-03-31/functions/sleeps/invocations\nx-amz-invocation-type: Event";
        assert_eq!(emulator.send(head, "{}").0, 202);
        let children = || -> Vec<u64> {
            let output = Command::new("ps").args(["-eo", "pid,args"]).output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            let lines = text.lines().filter(|line| line.contains(env!("CARGO_BIN_EXE_sleeps")));
            lines.filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect()
        };
        eventually("the sleeping process runs", || !children().is_empty()).await;
        let sleeping = children()[0];
        let pid = emulator.child.id().to_string();
        if signal == "-INT" {
            // Twice: the first signal waits for what runs, the second does not.
            assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
            eventually("the emulator is shutting down", || emulator.log().contains("shutting down")).await;
        }
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        emulator.child.wait().unwrap();
        eventually("every process has ended", || !is_alive(idle) && !is_alive(sleeping)).await;
        let scratch = |entry: std::io::Result<fs::DirEntry>| {
            entry.unwrap().file_name().to_string_lossy().starts_with(&format!("sam-emulator-{pid}-"))
        };
        eventually("the temporary files are gone", || {
            !fs::read_dir(std::env::temp_dir()).unwrap().any(scratch)
        })
        .await;
    }
}

#[test]
fn what_cannot_run_is_refused_by_name_at_start_or_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let template = folder.path().join("template.yaml");
    let mut text = template_of(&[("echo", ""), ("lost", "CodeUri: nowhere")]);
    text.push_str("  Old: { Type: AWS::Serverless::Function, Properties: { FunctionName: old, Runtime: java17, Handler: a.B } }\n");
    text.push_str("  Boxed: { Type: AWS::Serverless::Function, Properties: { FunctionName: boxed, PackageType: Image } }\n");
    text.push_str("  Within: { Type: AWS::Serverless::Function, Properties: { FunctionName: within, Runtime: nodejs22.x, Handler: index.handler, InlineCode: x } }\n");
    fs::write(&template, text).unwrap();
    let bin_dir = bin_dir();
    let arguments = ["--bin-dir", bin_dir.to_str().unwrap()];
    let output = command(&template, &arguments).output().unwrap();
    assert!(!output.status.success());
    let error = String::from_utf8(output.stderr).unwrap();
    for line in [
        "these functions cannot run in processes (--skip-unsupported runs the others):",
        "boxed: PackageType Image is not run here; only code in a folder is",
        "within: InlineCode is not run here: put the code into a file, and name its folder in CodeUri",
        "old: Runtime java17 is not run here; provided.*, nodejs* and python3* are",
        "nowhere/bootstrap does not exist, and there is no Cargo.toml in its folder or above",
    ] {
        assert!(error.contains(line), "{line} is not in {error}");
    }
    let emulator =
        Emulator::start(&template, &["--bin-dir", bin_dir.to_str().unwrap(), "--skip-unsupported"]);
    assert!(emulator.invoke("echo", "{}").contains("\"event\":{}"));
    assert_eq!(
        emulator.invoke("old", "{}"),
        r#"{"errorType":"Runtime.InvalidEntrypoint","errorMessage":"the function old is not run here: Runtime java17 is not run here; provided.*, nodejs* and python3* are"}"#
    );
}

#[tokio::test]
async fn remote_mode_forwards_to_another_emulator() {
    let (template, folder) = orders();
    let behind = Emulator::start(&template, &["--bin-dir", folder.path().to_str().unwrap()]);
    let url = format!("remote=http://127.0.0.1:{}", behind.port);
    let front = Emulator::start(&template, &["--mode", &url]);
    let (status, _, body) = front.send("GET /orders/8", "");
    assert_eq!((status, body.contains("\"/orders/8\"")), (200, true), "{body}");
    assert_eq!(front.send("POST /2015-03-31/functions/nothing/invocations", "{}").0, 404);
    drop(behind);
    let body = front.invoke("files", "{}");
    assert!(body.contains("Runtime.RemoteUnavailable"), "{body}");
}
