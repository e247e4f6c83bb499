//! Ctrl-C and SIGTERM: the first signal starts an orderly shutdown, the second ends the process at once.

use std::process;

use tokio_util::sync::CancellationToken;

/// The exit code of a process that SIGINT ended: 128 + 2.
const INTERRUPTED: i32 = 130;

/// Cancels `stop` at the first signal and exits at the second.
pub(crate) async fn cancel_on_signal(stop: CancellationToken) {
    signal().await;
    tracing::info!("shutting down; press Ctrl-C again to stop now");
    stop.cancel();
    signal().await;
    process::exit(INTERRUPTED);
}

#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};

    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(_) => ctrl_c().await,
    }
}

#[cfg(not(unix))]
async fn signal() {
    ctrl_c().await;
}

/// Waits for Ctrl-C; without a signal handler it waits forever, and the process must be killed.
async fn ctrl_c() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
