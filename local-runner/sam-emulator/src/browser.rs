//! Opens a page in the browser of this machine.

use std::process::Stdio;

use tokio::process::Command;

/// The program that opens a URL in the user's browser, with the arguments before the URL.
const OPENER: &[&str] = if cfg!(target_os = "macos") {
    &["open"]
} else if cfg!(windows) {
    &["rundll32", "url.dll,FileProtocolHandler"]
} else {
    &["xdg-open"]
};

/// Starts the browser and does not wait for it. Without one, as on a server, a warning is logged.
pub(crate) fn open(url: &str) {
    let mut command = Command::new(OPENER[0]);
    command.args(&OPENER[1..]).arg(url);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Err(error) = command.spawn() {
        tracing::warn!(program = OPENER[0], %error, url, "browser not opened");
    }
}
