//! The runner under test: the release build with a proxy before each of its servers. It uses its own database, prefix,
//! index and virtual host.

use std::path::PathBuf;
use std::process::Command;

use test_support::http_client::Port;
use test_support::proxied_server::ProxiedServer;
use test_support::repository;
use test_support::test_server::TestServer;
use test_support::vhost::Vhost;

/// A running runner; it ends when the value is dropped.
pub(crate) struct Runner {
    /// In the order of the variables.
    pub(crate) proxies: Vec<ProxiedServer>,
    server: TestServer,
    _vhost: Vhost,
}

impl Runner {
    /// Builds the runner if necessary and starts it on the servers in these environment variables.
    pub(crate) fn start(variables: &[&str]) -> Self {
        let own = format!("ulak-faults-{}", std::process::id());
        let url = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("set {}", variables.join(", ")));
        let vhost =
            Vhost::create(&url("AMQP_URL"), own.clone()).expect("rabbitmqctl cannot create a virtual host");
        let url = |name: &str| if name == "AMQP_URL" { vhost.url.clone() } else { url(name) };
        let proxies: Vec<ProxiedServer> =
            variables.iter().map(|name| ProxiedServer::start(&url(name))).collect();
        let mut environment =
            vec![("ACTIVE_DAYS", "36500"), ("SEND_WINDOW_MINUTES", "1"), ("RUST_LOG", "off")];
        environment.extend(variables.iter().zip(&proxies).map(|(name, proxy)| (*name, proxy.url.as_str())));
        let names = ["MONGODB_DATABASE", "REDIS_PREFIX", "ELASTICSEARCH_INDEX"];
        environment.extend(names.map(|name| (name, own.as_str())));
        let server = TestServer::in_memory(build(), &environment);
        Self { proxies, server, _vhost: vhost }
    }

    pub(crate) fn port(&self) -> Port {
        self.server.port()
    }
}

fn build() -> PathBuf {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let built = Command::new(cargo)
        .args(["build", "--release", "-q", "-p", "local-runner", "--bin", "local-runner"])
        .current_dir(repository())
        .status()
        .unwrap();
    assert!(built.success(), "the runner does not build");
    // The path of this example is target/release/examples/faults.
    std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("local-runner")
}
