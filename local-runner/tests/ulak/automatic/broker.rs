//! A virtual host for one test on the broker of `AMQP_URL`, and a broker node for one test that can be killed. Queue
//! names are fixed, so tests cannot share a virtual host.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use test_support::vhost::Vhost;
use test_support::{server_url, skip, unique_name};

/// How long a node may take to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);
/// Debian's path of the server itself; the one in `PATH` is a script that changes the user.
const SERVER: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";

/// A virtual host whose connections can be cut.
pub(super) struct CuttableVhost(Vhost);

impl CuttableVhost {
    /// Without a broker or without the right to create a virtual host, the test is skipped.
    pub(super) fn new() -> Option<Self> {
        let url = server_url("AMQP_URL")?;
        Vhost::create(&url, format!("ulak-test-{}", unique_name())).map(Self)
    }

    pub(super) fn url(&self) -> &str {
        &self.0.url
    }

    /// Closes every connection to the virtual host.
    pub(super) fn cut_connections(&self) {
        let mut command = Command::new("rabbitmqctl");
        command.args(["-q", "close_all_connections", "--vhost", self.0.name(), "closed by a test"]);
        assert!(command.stdin(Stdio::null()).stdout(Stdio::null()).status().unwrap().success());
    }
}

/// A broker node that can be killed and started again on its data.
pub(super) struct BrokerNode {
    home: TempDir,
    name: String,
    port: u16,
    server: Option<Child>,
    /// A process that ends the node when this process ends.
    guard: Child,
}

impl BrokerNode {
    /// Without an installed RabbitMQ the test is skipped.
    pub(super) fn new() -> Option<Self> {
        if !Path::new(SERVER).exists() {
            skip(&format!("install rabbitmq-server, which must be {SERVER}"));
            return None;
        }
        let home = tempfile::Builder::new().prefix("ulak-rabbit-").tempdir().unwrap();
        let (port, guard) = (free_port(), spawn_guard(home.path()));
        let mut node = Self { home, name: format!("ulak{port}@localhost"), port, server: None, guard };
        node.start();
        Some(node)
    }

    pub(super) fn url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/%2f", self.port)
    }

    /// Kills the node with SIGKILL and starts it again on its data.
    pub(super) fn kill_and_restart(&mut self) {
        let before = self.pid();
        self.kill();
        self.start();
        assert_ne!(self.pid(), before, "the node was not restarted");
    }

    fn pid(&self) -> Option<String> {
        std::fs::read_to_string(self.home.path().join("pid")).ok()
    }

    fn start(&mut self) {
        let home = self.home.path();
        let log = std::fs::File::options().create(true).append(true).open(home.join("log")).unwrap();
        let server = Command::new(SERVER)
            .current_dir(home)
            .env_clear()
            .envs(std::env::var("PATH").map(|path| ("PATH", path)))
            .env("HOME", home)
            .env("RABBITMQ_NODENAME", &self.name)
            .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_NODE_PORT", self.port.to_string())
            .env("RABBITMQ_DIST_PORT", free_port().to_string())
            .env("RABBITMQ_MNESIA_BASE", home.join("mnesia"))
            .env("RABBITMQ_PID_FILE", home.join("pid"))
            .env("RABBITMQ_LOGS", "-")
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", home.join("plugins"))
            .env("RABBITMQ_CONF_ENV_FILE", home.join("none"))
            .env("RABBITMQ_CONFIG_FILE", home.join("none"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.server = Some(server);
        let start = Instant::now();
        while !home.join("pid").exists() || std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(start.elapsed() < PATIENCE, "the node has not started: {}", self.log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// The child is a script that waits for the node; the node's own process id is in its pid file.
    fn kill(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        if let Some(pid) = self.pid() {
            let _ = Command::new("kill").args(["-9", pid.trim()]).status();
        }
        let _ = server.kill();
        let _ = server.wait();
        let start = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok() && start.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = std::fs::remove_file(self.home.path().join("pid"));
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.home.path().join("log")).unwrap_or_default()
    }
}

impl Drop for BrokerNode {
    fn drop(&mut self) {
        self.kill();
        let _ = self.guard.kill();
        let _ = self.guard.wait();
    }
}

/// Starts a shell that kills the node when its standard input is closed.
fn spawn_guard(home: &Path) -> Child {
    let script = r#"read -r _; kill -9 "$(cat "$0/pid")"; rm -rf "$0""#;
    Command::new("sh")
        .args(["-c", script])
        .arg(home)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
