//! A running server: the real binary with a port, a data directory and an environment of its own. It ends with
//! the tests, also when they are killed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;

use crate::http_client::{HttpRequest, Port};
use crate::person::Person;
use crate::report::leave_to_another_run;
use crate::unique::unique_name;
use crate::vhost::Vhost;

/// The key of all test servers, so that a test can sign tokens.
pub const JWT_SECRET: &str = "a secret of the tests, known to every test";

/// The longest time until a server accepts connections, or shows a message in search.
const PATIENCE: Duration = Duration::from_secs(60);

/// The environment of a server on embedded stores, also when `ULAK_TEST_REAL` is set.
pub const EMBEDDED: [(&str, &str); 4] =
    [("MONGODB_URI", ""), ("REDIS_URL", ""), ("AMQP_URL", ""), ("ELASTICSEARCH_URL", "")];

/// The root of the repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A server, running or stopped.
pub struct TestServer {
    binary: PathBuf,
    home: TempDir,
    data: String,
    environment: Vec<(String, String)>,
    vhost: Option<Vhost>,
    running: Option<Running>,
}

struct Running {
    child: Child,
    guard: Child,
    port: Port,
}

impl TestServer {
    /// Starts `binary`, a `local-runner`, with its data in memory.
    pub fn in_memory(binary: impl Into<PathBuf>, environment: &[(&str, &str)]) -> Self {
        Self::start(binary.into(), ":memory:", environment)
    }

    /// Starts `binary`, a `local-runner`, with its data in a directory that a restart keeps.
    pub fn on_disk(binary: impl Into<PathBuf>, environment: &[(&str, &str)]) -> Self {
        Self::start(binary.into(), "data", environment)
    }

    fn start(binary: PathBuf, data: &str, environment: &[(&str, &str)]) -> Self {
        let (mut all, vhost) = standard_environment();
        all.extend(environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let home = tempfile::Builder::new().prefix("ulak-test-").tempdir().unwrap();
        let data = data.to_owned();
        let mut server = Self { binary, home, data, environment: all, vhost, running: None };
        server.running = Some(server.spawn());
        server
    }

    fn spawn(&self) -> Running {
        let log = File::options().create(true).append(true).open(self.log_file()).unwrap();
        let mut command = Command::new(&self.binary);
        if is_process_mode() {
            command.args(["--mode", "process", "--bin-dir"]).arg(self.binary.parent().unwrap());
            command.arg("--env-file").arg(self.write_env_file());
        }
        let mut child = command
            .args(["--port", "0", "--data", &self.data, "--template"])
            .arg(repository().join("template.yaml"))
            .current_dir(self.home.path())
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            // Temporary files are then removed with the home directory, also after a kill.
            .env("TMPDIR", self.home.path())
            .stdin(Stdio::null())
            .stdout(File::create(self.banner_file()).unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let guard = spawn_guard(child.id(), self.home.path(), self.vhost.as_ref());
        let port = self.wait_for_port(&mut child);
        Running { child, guard, port }
    }

    /// The variables of the functions' processes, which inherit nothing of the runner's environment.
    fn write_env_file(&self) -> PathBuf {
        let file = self.home.path().join("env");
        let lines: Vec<String> =
            self.environment.iter().map(|(name, value)| format!("{name}='{value}'\n")).collect();
        fs::write(&file, lines.concat()).unwrap();
        file
    }

    fn wait_for_port(&self, child: &mut Child) -> Port {
        let start = Instant::now();
        loop {
            if let Some(port) = port_of(&self.banner()) {
                return port;
            }
            let ended = child.try_wait().unwrap();
            if ended.is_some() || start.elapsed() > PATIENCE {
                let _ = child.kill();
                panic!("no address in the banner, {ended:?}:\n{}\n{}", self.banner(), self.log());
            }
            sleep(Duration::from_millis(10));
        }
    }

    /// Kills the server with SIGKILL and starts it again on the same data, on another port.
    pub fn kill_and_restart(&mut self) {
        self.kill();
        self.running = Some(self.spawn());
    }

    /// Kills the server with SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.child.kill().unwrap();
            running.child.wait().unwrap();
            end_guard(&mut running.guard);
        }
    }

    /// The port the server listens on.
    ///
    /// # Panics
    /// If the server was killed.
    pub fn port(&self) -> Port {
        self.running.as_ref().expect("the server is not running").port
    }

    /// The process id of the server.
    ///
    /// # Panics
    /// If the server was killed.
    pub fn pid(&self) -> u32 {
        self.running.as_ref().expect("the server is not running").child.id()
    }

    /// What all runs of the server wrote to standard error.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap()
    }

    /// What the last run of the server has written to standard output so far.
    pub fn banner(&self) -> String {
        fs::read_to_string(self.banner_file()).unwrap()
    }

    /// The data directory of a server on disk.
    pub fn data(&self) -> PathBuf {
        self.home.path().join(&self.data)
    }

    fn log_file(&self) -> PathBuf {
        self.home.path().join("log")
    }

    fn banner_file(&self) -> PathBuf {
        self.home.path().join("banner")
    }

    /// A request without a token.
    pub fn request(&self, method: &str, path: &str) -> HttpRequest {
        HttpRequest::new(self.port(), method, path)
    }

    /// A new user with a session.
    pub fn person(&self) -> Person {
        self.person_named(&unique_name())
    }

    /// A new user with this username.
    pub fn person_named(&self, username: &str) -> Person {
        Person::register(self.port(), username)
    }

    /// Two new users and the id of their direct conversation.
    pub fn pair(&self) -> (Person, Person, String) {
        let (ada, bob) = (self.person(), self.person());
        let conversation = ada.conversation_with(&bob);
        (ada, bob, conversation)
    }

    /// Waits until search finds what was sent before. Elasticsearch shows messages with a delay.
    pub fn wait_until_searchable(&self) {
        if !self.environment.iter().any(|(name, _)| name == "ELASTICSEARCH_URL") {
            return;
        }
        let (ada, _, conversation) = self.pair();
        let word = unique_name();
        ada.send(&conversation, &word);
        let start = Instant::now();
        let search = ada.get(&format!("/api/messages/search?q={word}"));
        // The first sweep creates a missing index; until then search fails.
        while !matches!(search.send(), found if found.status == 200 && found.data()["hits"] != json!([])) {
            assert!(start.elapsed() < PATIENCE, "search does not find {word}");
            sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if std::thread::panicking() && self.running.is_some() {
            crate::report(&format!("the server's log:\n{}", self.log()));
        }
        self.kill();
    }
}

/// Whether every function runs in processes of its own (`ULAK_TEST_MODE=process`). This needs the servers and the
/// built binaries of all functions.
pub fn is_process_mode() -> bool {
    std::env::var("ULAK_TEST_MODE").is_ok_and(|mode| mode == "process")
}

/// Whether the running test is left to the runs without `ULAK_TEST_MODE=process`, and reports it. `why` says what the
/// test needs that function processes do not have. The caller returns if this is true.
pub fn leaves_process_mode(why: &str) -> bool {
    if is_process_mode() {
        leave_to_another_run(&format!("unset ULAK_TEST_MODE: {why}"));
    }
    is_process_mode()
}

/// No rate limits and only warnings in the log. With `ULAK_TEST_REAL=1` also the servers of the environment; each
/// test server then gets a database, a prefix, a virtual host and an index of its own.
fn standard_environment() -> (Vec<(String, String)>, Option<Vhost>) {
    let mut all = vec![
        ("RATE_LIMIT_SCALE".to_owned(), "0".to_owned()),
        ("RUST_LOG".to_owned(), "warn".to_owned()),
        ("LOG_FILTER".to_owned(), "warn".to_owned()),
        ("JWT_SECRET".to_owned(), JWT_SECRET.to_owned()),
    ];
    let mut vhost = None;
    if std::env::var("ULAK_TEST_REAL").is_ok_and(|value| value == "1") {
        let named = |name: &str| std::env::var(name).ok().map(|url| (name.to_owned(), url));
        all.extend(["MONGODB_URI", "REDIS_URL", "ELASTICSEARCH_URL"].into_iter().filter_map(named));
        let own = format!("ulak-test-{}", unique_name());
        vhost = named("AMQP_URL").and_then(|(_, url)| Vhost::create(&url, own.clone()));
        all.extend(vhost.iter().map(|vhost| ("AMQP_URL".to_owned(), vhost.url.clone())));
        let names = ["MONGODB_DATABASE", "REDIS_PREFIX", "ELASTICSEARCH_INDEX"];
        all.extend(names.map(|name| (name.to_owned(), own.clone())));
    }
    (all, vhost)
}

/// Starts a shell that ends the server when this process ends: a server in a static is never dropped.
fn spawn_guard(pid: u32, home: &Path, vhost: Option<&Vhost>) -> Child {
    let script = r#"read -r _; kill -9 "$0"; rm -rf "$1"; test -z "$2" || rabbitmqctl -q delete_vhost "$2""#;
    Command::new("sh")
        .args(["-c", script, &pid.to_string()])
        .arg(home)
        .arg(vhost.map_or("", Vhost::name))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Kills the guard before its pipe is closed, which would run its script.
fn end_guard(guard: &mut Child) {
    guard.kill().unwrap();
    guard.wait().unwrap();
}

fn port_of(banner: &str) -> Option<Port> {
    let line = banner.lines().find(|line| line.contains("HTTP API"))?;
    let rest = line.split_once("http://127.0.0.1:")?.1;
    rest.split_once('/')?.0.parse().ok().map(Port)
}
