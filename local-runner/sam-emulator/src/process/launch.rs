//! How a function's process is started.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// A program with its arguments, in the folder of the function's code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Launch {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    /// `LAMBDA_TASK_ROOT`, and the working directory.
    pub(crate) task_root: PathBuf,
}

/// Whether it is a file that may be executed.
pub(super) fn is_executable(file: &Path) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}
