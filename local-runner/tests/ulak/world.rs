//! A running Ulak: the real binary with a port, a data directory and an environment of its own. It never
//! outlives the tests, however they end.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;
use tempfile::TempDir;

use crate::client::{Call, Port};
use crate::person::Person;
use crate::vhost::Vhost;

/// What signs the access tokens of every world, so that a test can make tokens of its own.
pub(crate) const JWT_SECRET: &str = "a secret of the tests, known to everybody";

/// The binary under test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_local-runner");

/// The repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Text that no other test uses: lower-case letters and digits, beginning with a letter.
pub(crate) fn unique() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    static START: OnceLock<u64> = OnceLock::new();
    let start = START.get_or_init(|| {
        let since: Duration = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        u64::from(std::process::id()) << 20 ^ u64::from(since.subsec_nanos())
    });
    format!("u{start:x}n{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// One system, running or not.
pub(crate) struct World {
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

impl World {
    /// The world of all tests that use only their own fresh users. Nothing is kept, no limits.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<World> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(":memory:", &[]))
    }

    /// A world of its own, with its data on the disk.
    pub(crate) fn own(environment: &[(&str, &str)]) -> Self {
        Self::start("data", environment)
    }

    fn start(data: &str, environment: &[(&str, &str)]) -> Self {
        let (mut all, vhost) = standard_environment();
        all.extend(environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let home = tempfile::Builder::new().prefix("ulak-test-").tempdir().unwrap();
        let mut world = Self { home, data: data.to_owned(), environment: all, vhost, running: None };
        world.running = Some(world.spawn());
        world
    }

    fn spawn(&self) -> Running {
        let log = File::options().create(true).append(true).open(self.log_file()).unwrap();
        let mut command = Command::new(BINARY);
        if is_process_mode() {
            command.args(["--mode", "process", "--bin-dir"]).arg(Path::new(BINARY).parent().unwrap());
            command.arg("--env-file").arg(self.write_env_file());
        }
        let mut child = command
            .args(["--port", "0", "--data", &self.data, "--template"])
            .arg(repository().join("template.yaml"))
            .current_dir(self.home.path())
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            // What it keeps for a while goes away with its home, even after a kill.
            .env("TMPDIR", self.home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let guard = guard(child.id(), self.home.path(), self.vhost.as_ref());
        let banner = read_banner(child.stdout.take().unwrap());
        let Some(port) = port_of(&banner) else {
            let _ = child.kill();
            panic!("no address in the banner:\n{banner}\n{}", self.log());
        };
        Running { child, guard, port }
    }

    /// The variables of the functions' processes, which get nothing else of the runner's environment.
    fn write_env_file(&self) -> PathBuf {
        let file = self.home.path().join("env");
        let lines: Vec<String> =
            self.environment.iter().map(|(name, value)| format!("{name}='{value}'\n")).collect();
        std::fs::write(&file, lines.concat()).unwrap();
        file
    }

    /// Kills it without a warning and starts it again on the same data.
    pub(crate) fn kill_and_restart(&mut self) {
        self.kill();
        self.running = Some(self.spawn());
    }

    /// kill -9.
    pub(crate) fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.child.kill().unwrap();
            running.child.wait().unwrap();
            release(&mut running.guard);
        }
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> Port {
        self.running.as_ref().expect("the world is not running").port
    }

    /// The process id of the runner.
    pub(crate) fn pid(&self) -> u32 {
        self.running.as_ref().expect("the world is not running").child.id()
    }

    /// What it wrote to standard error.
    pub(crate) fn log(&self) -> String {
        let mut text = String::new();
        File::open(self.log_file()).and_then(|mut file| file.read_to_string(&mut text)).unwrap();
        text
    }

    /// Where its data is.
    pub(crate) fn data(&self) -> PathBuf {
        self.home.path().join(&self.data)
    }

    fn log_file(&self) -> PathBuf {
        self.home.path().join("log")
    }

    /// A request of nobody's.
    pub(crate) fn call(&self, method: &str, path: &str) -> Call {
        Call::new(self.port(), method, path)
    }

    /// A new user, logged in.
    pub(crate) fn person(&self) -> Person {
        self.person_named(&unique())
    }

    /// The same, with a name to find.
    pub(crate) fn person_named(&self, username: &str) -> Person {
        let email = format!("{username}@example.com");
        let form = json!({ "username": username, "email": email, "password": Person::PASSWORD });
        let data = self.call("POST", "/api/auth/register").json(&form).data(201);
        Person::of(self.port(), &data)
    }

    /// Waits until what was written before can be found: an index beside the documents is a moment behind.
    pub(crate) fn until_searchable(&self) {
        if !self.environment.iter().any(|(name, _)| name == "ELASTICSEARCH_URL") {
            return;
        }
        let (ada, _, conversation) = self.pair();
        let word = unique();
        ada.say(&conversation, &word);
        let start = std::time::Instant::now();
        let search = ada.get(&format!("/api/messages/search?q={word}"));
        // An index that was never there is made by the first sweep.
        while !matches!(search.send(), answer if answer.status == 200 && answer.data()["hits"] != json!([])) {
            assert!(start.elapsed() < Duration::from_secs(60), "the index shows nothing");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Two new users and the id of the conversation between them.
    pub(crate) fn pair(&self) -> (Person, Person, String) {
        let (ada, bob) = (self.person(), self.person());
        let conversation = ada.conversation_with(&bob);
        (ada, bob, conversation)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() && self.running.is_some() {
            eprintln!("the world's log:\n{}", self.log());
        }
        self.kill();
    }
}

/// Whether the tests run every function in processes of its own (`ULAK_TEST_MODE=process`), which needs the servers
/// and the built binaries of all functions.
pub(crate) fn is_process_mode() -> bool {
    std::env::var("ULAK_TEST_MODE").is_ok_and(|mode| mode == "process")
}

/// Limits off, quiet logs, and the real stores when the tests are asked for them: each world with a database, a
/// prefix, a virtual host and an index of its own.
fn standard_environment() -> (Vec<(String, String)>, Option<Vhost>) {
    let mut all = vec![
        ("RATE_LIMIT_SCALE".to_owned(), "0".to_owned()),
        ("RUST_LOG".to_owned(), "warn".to_owned()),
        ("LOG_FILTER".to_owned(), "warn".to_owned()),
        ("JWT_SECRET".to_owned(), JWT_SECRET.to_owned()),
    ];
    let mut vhost = None;
    if std::env::var("ULAK_TEST_REAL").is_ok_and(|wanted| wanted == "1") {
        let named = |name: &str| std::env::var(name).ok().map(|url| (name.to_owned(), url));
        all.extend(["MONGODB_URI", "REDIS_URL", "ELASTICSEARCH_URL"].into_iter().filter_map(named));
        let own = format!("ulak-test-{}", unique());
        vhost = named("AMQP_URL").and_then(|(_, url)| Vhost::new(&url, own.clone()));
        all.extend(vhost.iter().map(|vhost| ("AMQP_URL".to_owned(), vhost.url.clone())));
        let names = ["MONGODB_DATABASE", "REDIS_PREFIX", "ELASTICSEARCH_INDEX"];
        all.extend(names.map(|name| (name.to_owned(), own.clone())));
    }
    (all, vhost)
}

/// A shell that waits for the end of our pipe to it, that is of this process, and then ends the world: the
/// shared world is a static, which nobody drops.
fn guard(pid: u32, home: &Path, vhost: Option<&Vhost>) -> Child {
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

/// Ends the guard before its pipe closes, so that it harms nobody.
fn release(guard: &mut Child) {
    guard.kill().unwrap();
    guard.wait().unwrap();
}

/// The banner up to the address, or everything that a runner said before it ended.
fn read_banner(stdout: ChildStdout) -> String {
    let mut banner = String::new();
    let mut lines = BufReader::new(stdout).lines();
    while let Some(Ok(line)) = lines.next() {
        banner.push_str(&line);
        banner.push('\n');
        if line.contains("http://") {
            break;
        }
    }
    banner
}

fn port_of(banner: &str) -> Option<Port> {
    let line = banner.lines().find(|line| line.contains("HTTP API"))?;
    let rest = line.split_once("http://127.0.0.1:")?.1;
    rest.split_once('/')?.0.parse().ok().map(Port)
}
