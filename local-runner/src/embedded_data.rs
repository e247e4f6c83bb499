//! The data of the embedded store: its backup, and its file at the end.

use std::path::PathBuf;
use std::sync::Arc;

use adapter_embedded::Embedded;
use sam_emulator::BoxError;
use sam_emulator::backup::Backup;
use sam_emulator::invoke::BoxFuture;
use sam_emulator::runner::App;

struct EmbeddedBackup(&'static Embedded);

impl Backup for EmbeddedBackup {
    fn write(&self, file: PathBuf) -> BoxFuture<Result<(), BoxError>> {
        let store = self.0;
        Box::pin(async move { Ok(store.backup(&file).await?) })
    }
}

/// Lets the command `backup` copy the store. At the end, the write-ahead log is copied into the database file, so that
/// a copy of that one file is a backup too.
pub(crate) fn add(app: &mut App, store: &'static Embedded) {
    app.backup = Some(Arc::new(EmbeddedBackup(store)));
    app.closers.push(Box::pin(async move {
        if let Err(error) = store.checkpoint().await {
            tracing::warn!(%error, "the write-ahead log could not be copied into the database file");
        }
    }));
}
