//! Servers that run the binary under test.

use std::sync::OnceLock;

use test_support::test_server::TestServer;

/// The path of the binary under test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_local-runner");

/// The server of all tests that use only users of their own. Its data is in memory.
pub(crate) fn shared_server() -> &'static TestServer {
    static SHARED: OnceLock<TestServer> = OnceLock::new();
    SHARED.get_or_init(|| TestServer::in_memory(BINARY, &[]))
}

/// A server for one test, with its data on disk and these variables in its environment.
pub(crate) fn own_server(environment: &[(&str, &str)]) -> TestServer {
    TestServer::on_disk(BINARY, environment)
}
