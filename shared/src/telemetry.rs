//! Logs: JSON lines where a machine reads them, plain lines on a terminal. `RUST_LOG` filters.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// The target of the one line per request.
pub const REQUESTS: &str = "ulak::request";

/// Starts logging to standard error; later calls change nothing. `default` filters when `RUST_LOG` is
/// absent. `LOG_FORMAT=json|text` overrules what is guessed from the terminal.
pub fn start(default: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let json = match std::env::var("LOG_FORMAT").as_deref() {
        Ok("json") => true,
        Ok("text") => false,
        _ => !std::io::stderr().is_terminal(),
    };
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // An error here means that a test or a caller has set a subscriber already, which then serves.
    if json {
        let _ = logs.json().flatten_event(true).try_init();
    } else {
        let _ = logs.compact().try_init();
    }
}
