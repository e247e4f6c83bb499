//! What the commands print, and the error type that ends them.

use std::error::Error;
use std::io::{self, Write as _};
use std::process::ExitCode;

/// Any error; its text is printed as one line on standard error.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Prints on standard output. A closed pipe (`| head`) is not an error.
pub(crate) fn print(text: &str) -> Result<ExitCode, BoxError> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// Writes lines to standard error, so that standard output stays what was asked for.
pub(crate) fn tell(lines: &[String]) {
    for line in lines {
        // If standard error is closed, the answer is still printed.
        let _ = writeln!(io::stderr(), "{line}");
    }
}
