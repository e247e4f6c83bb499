//! Files and folders that only their owner may read: they contain messages, and hashes of passwords and tokens.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

const DIR_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// Creates a folder and those above it. An existing one keeps its permissions: it may have another purpose too.
pub(super) fn create_dir(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(DIR_MODE).create(dir)
}

/// Opens a file for writing, and creates it if it does not exist. An existing one becomes private.
pub(super) fn create_file(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(FILE_MODE).open(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(FILE_MODE))?;
    }
    Ok(file)
}

/// Creates a file that must not exist.
pub(super) fn create_new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().create_new(true).write(true).mode(FILE_MODE).open(path)
}
