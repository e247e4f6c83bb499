//! The JWT secret of a machine without `JWT_SECRET`: generated once and stored with the data.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use sam_emulator::cli::Data;
use shared::id::Entropy;

const FILE: &str = "jwt-secret";

/// The secret, and where it is stored. Without a data directory it is new in every run.
///
/// # Errors
/// The file can be neither read nor created.
pub(crate) fn of(data: &Data) -> io::Result<(String, String)> {
    let fresh = Entropy::default().secret();
    match data {
        Data::Memory => Ok((fresh, "generated for this run".to_owned())),
        Data::Directory(directory) => {
            let file = directory.join(FILE);
            Ok((stored(&file, &fresh)?, format!("generated, stored in {}", file.display())))
        }
    }
}

fn stored(file: &Path, fresh: &str) -> io::Result<String> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", file.display()));
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
        Ok(mut new) => {
            new.write_all(fresh.as_bytes()).and_then(|()| new.sync_all()).map_err(named)?;
            Ok(fresh.to_owned())
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => read(file, fresh).map_err(named),
        Err(error) => Err(named(error)),
    }
}

/// Replaces a file that a crash left half written: no token was signed with it yet.
fn read(file: &Path, fresh: &str) -> io::Result<String> {
    let text = fs::read_to_string(file)?;
    if text.trim().len() == fresh.len() {
        return Ok(text.trim().to_owned());
    }
    fs::write(file, fresh)?;
    Ok(fresh.to_owned())
}
