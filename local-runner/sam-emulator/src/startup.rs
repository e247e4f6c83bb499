//! What happens before a command runs: the environment is read, the data directory created, the options of the
//! runner are derived.

use std::fs::DirBuilder;
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::cli::Data;
use crate::output::BoxError;
use crate::runner::RunnerOptions;
use crate::settings::Settings;

/// Warns when the APIs are open to other machines.
pub(crate) fn warn_of_other_machines(settings: &Settings) {
    let address = settings.address;
    match settings.access.remote_management {
        _ if address.ip().is_loopback() => {}
        false => tracing::warn!(%address, "other machines can use the HTTP and WebSocket APIs; \
            the Invoke API, @connections and /_runner serve this machine only"),
        true => tracing::warn!(%address, "other machines can use every API, \
            also the Invoke API, @connections and /_runner, without any credentials"),
    }
}

/// The environment, without variables that are not UTF-8: a template cannot refer to them.
pub(crate) fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Creates the data directory.
pub(crate) fn with_data_directory(settings: Settings) -> Result<Arc<Settings>, BoxError> {
    if let Data::Directory(directory) = &settings.data {
        let created = create_private(directory);
        created
            .map_err(|error| format!("cannot create the data directory {}: {error}", directory.display()))?;
    }
    Ok(Arc::new(settings))
}

/// `RATE_LIMIT_SCALE` multiplies the limit on new WebSocket connections; 0 disables the limit.
pub(crate) fn options(settings: &Settings) -> RunnerOptions {
    let mut options = RunnerOptions::default();
    options.server.access.clone_from(&settings.access);
    let scale = settings.value("RATE_LIMIT_SCALE").and_then(|scale| scale.parse::<f64>().ok());
    if let (Some(scale), Some(limit)) = (scale, options.websocket.connects_per_second) {
        let scaled = (f64::from(limit) * scale) as u32;
        options.websocket.connects_per_second = (scaled > 0).then_some(scaled);
    }
    options
}

/// Creates a directory that its owner alone may read. One that holds the schedules' state was created by the
/// emulator, perhaps by a version that let others read it, and becomes private too.
#[cfg(unix)]
fn create_private(directory: &Path) -> io::Result<()> {
    use std::fs::Permissions;
    use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};

    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let permissions = directory.metadata()?.permissions();
    if permissions.mode() & 0o077 != 0 && directory.join("schedules.json").exists() {
        std::fs::set_permissions(directory, Permissions::from_mode(0o700))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn create_private(directory: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).create(directory)
}
