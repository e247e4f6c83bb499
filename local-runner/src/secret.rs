//! The JWT secret of a machine that was given none: made once, kept beside the data, shown to nobody.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use sam_emulator::cli::Data;
use shared::id::Entropy;

const FILE: &str = "jwt-secret";

/// The secret, and where it lies. With nothing kept, it is new in every run.
///
/// # Errors
/// The file can be neither read nor made.
pub(crate) fn of(data: &Data) -> io::Result<(String, String)> {
    let fresh = Entropy::default().secret();
    match data {
        Data::Memory => Ok((fresh, "made for this run".to_owned())),
        Data::Directory(directory) => {
            let file = directory.join(FILE);
            Ok((kept(&file, &fresh)?, format!("generated, kept in {}", file.display())))
        }
    }
}

fn kept(file: &Path, fresh: &str) -> io::Result<String> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
        Ok(mut new) => {
            new.write_all(fresh.as_bytes())?;
            new.sync_all()?;
            Ok(fresh.to_owned())
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => read(file, fresh),
        Err(error) => Err(error),
    }
}

/// A file that a crash left half written is made anew: the tokens of that moment were never given out.
fn read(file: &Path, fresh: &str) -> io::Result<String> {
    let text = fs::read_to_string(file)?;
    if text.trim().len() == fresh.len() {
        return Ok(text.trim().to_owned());
    }
    fs::write(file, fresh)?;
    Ok(fresh.to_owned())
}
