//! Logging to standard error: plain lines on a terminal, JSON lines otherwise. `RUST_LOG` filters.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// The target of the one log line per request.
pub const REQUESTS: &str = "ulak::request";

/// The target of the security log.
pub const SECURITY: &str = "ulak::security";

/// Starts logging; later calls change nothing. `default` is the filter without `RUST_LOG`. `LOG_FORMAT=json|text`
/// overrides the format.
pub fn start(default: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let json = match std::env::var("LOG_FORMAT").as_deref() {
        Ok("json") => true,
        Ok("text") => false,
        _ => !std::io::stderr().is_terminal(),
    };
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // `try_init` fails when a subscriber is set already; that one stays in use.
    if json {
        let _ = logs.json().flatten_event(true).try_init();
    } else {
        let _ = logs.compact().try_init();
    }
}
