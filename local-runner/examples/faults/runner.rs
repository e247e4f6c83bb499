//! The runner under test: this repository's release build, with a wire before each of its servers, and names of
//! its own on all of them.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::client::Port;
use crate::vhost::Vhost;
use crate::wire::Wire;

/// A runner that is up; it ends with its value.
pub(crate) struct Runner {
    pub(crate) port: Port,
    /// In the order of the variables.
    pub(crate) wires: Vec<Wire>,
    child: Child,
    _vhost: Vhost,
}

impl Runner {
    /// Builds it if need be and starts it on the servers that these variables name.
    pub(crate) fn start(variables: &[&str]) -> Self {
        let binary = build();
        let own = format!("ulak-faults-{}", std::process::id());
        let url = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("set {}", variables.join(", ")));
        let vhost = Vhost::new(&url("AMQP_URL"), own.clone()).expect("a virtual host for this run");
        let url = |name: &str| if name == "AMQP_URL" { vhost.url.clone() } else { url(name) };
        let wires: Vec<Wire> = variables.iter().map(|name| Wire::before(&url(name)).unwrap()).collect();
        let mut command = Command::new(binary);
        command
            .args(["--port", "0", "--data", ":memory:", "--template"])
            .arg(repository().join("template.yaml"))
            .envs(variables.iter().zip(&wires).map(|(name, wire)| (name, &wire.url)))
            .envs(["MONGODB_DATABASE", "REDIS_PREFIX", "ELASTICSEARCH_INDEX"].map(|name| (name, &own)))
            .envs([("RATE_LIMIT_SCALE", "0"), ("ACTIVE_DAYS", "36500"), ("SEND_WINDOW_MINUTES", "1")])
            .envs([("RUST_LOG", "off"), ("JWT_SECRET", "a secret of the faults, known to everybody")]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.find_map(|line| port_of(&line.ok()?)).expect("an address in the banner");
        Self { port, wires, child, _vhost: vhost }
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn port_of(line: &str) -> Option<Port> {
    let rest = line.trim_start().strip_prefix("HTTP API")?.split_once("http://127.0.0.1:")?.1;
    rest.split('/').next()?.parse().ok().map(Port)
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn build() -> PathBuf {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let built = Command::new(cargo)
        .args(["build", "--release", "-q", "-p", "local-runner", "--bin", "local-runner"])
        .current_dir(repository())
        .status()
        .unwrap();
    assert!(built.success(), "the runner does not build");
    // This example lies in target/release/examples.
    std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("local-runner")
}
