//! What the commands print, and the error that ends them.

use std::error::Error;
use std::io::{self, Write as _};
use std::process::ExitCode;

/// Any error, for one line on standard error.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Prints. A reader that has gone away (`| head`) is no failure.
pub(crate) fn say(text: &str) -> Result<ExitCode, BoxError> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}
