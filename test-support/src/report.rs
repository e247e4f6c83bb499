//! Messages that are visible although a test passes, and the one way to skip a test.

use std::io::Write as _;

/// With the value `1`, a test that would be skipped fails.
const REQUIRE: &str = "ULAK_REQUIRE_SERVERS";

/// Writes a line to standard error. The test harness captures only what is printed with macros, so the line is
/// visible although the test passes.
pub fn report(text: &str) {
    // Without a standard error there is no place to report to.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Reports that the running test is skipped; the caller then returns. `remedy` says what to install or to set.
///
/// # Panics
/// If `ULAK_REQUIRE_SERVERS` is `1`.
#[track_caller]
pub fn skip(remedy: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    assert!(!servers_are_required(), "{test} cannot run, and {REQUIRE}=1 allows no skipped test: {remedy}");
    report(&format!("SKIPPED {test}: {remedy}"));
}

/// Reports that the running test belongs to another kind of run; the caller then returns. `remedy` says how to choose
/// that run. Unlike [`skip`], it fails in no run, since the gate makes a run of each kind.
pub fn leave_to_another_run(remedy: &str) {
    let thread = std::thread::current();
    report(&format!("SKIPPED {}: {remedy}", thread.name().unwrap_or("a test")));
}

/// Whether `ULAK_REQUIRE_SERVERS` is `1`, so that no test may be skipped.
pub fn servers_are_required() -> bool {
    std::env::var(REQUIRE).is_ok_and(|value| value == "1")
}

/// The URL in an environment variable such as `REDIS_URL`. Without it the test is skipped.
#[track_caller]
pub fn server_url(variable: &str) -> Option<String> {
    let url = std::env::var(variable).ok().filter(|url| !url.is_empty());
    if url.is_none() {
        skip(&format!("set {variable} to the URL of a server"));
    }
    url
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Output};

    use super::{REQUIRE, server_url};

    /// Runs the test below, which needs a server, in a process of its own.
    fn run_without_server(require: &str) -> Output {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "report::tests::server_is_needed", "--nocapture"])
            .env_remove("ULAK_NO_SUCH_SERVER_URL")
            .env(REQUIRE, require)
            .env("ULAK_RUN_SKIPPED_TEST", "1")
            .output()
            .unwrap()
    }

    #[test]
    fn server_is_needed() {
        if std::env::var_os("ULAK_RUN_SKIPPED_TEST").is_some() {
            assert_eq!(server_url("ULAK_NO_SUCH_SERVER_URL"), None);
        }
    }

    #[test]
    fn missing_server_is_reported_and_fails_the_test_when_servers_are_required() {
        for (require, passes, expected) in [
            ("0", true, "SKIPPED report::tests::server_is_needed: set ULAK_NO_SUCH_SERVER_URL"),
            ("1", false, "ULAK_REQUIRE_SERVERS=1 allows no skipped test: set ULAK_NO_SUCH_SERVER_URL"),
        ] {
            let output = run_without_server(require);
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.success(), passes, "{stderr}");
            assert!(stderr.contains(expected), "{stderr}");
        }
    }
}
