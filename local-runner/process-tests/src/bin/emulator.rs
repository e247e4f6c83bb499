//! The emulator as a program without functions of its own.

use std::process::ExitCode;

use sam_emulator::{App, Cli, run};

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
    run("emulator", &[], Cli::parse_as("emulator"), async |_| Ok(App::default())).await
}
