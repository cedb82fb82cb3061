//! When to stop: at Ctrl-C, or when a supervisor asks with SIGTERM.

use tokio::signal::unix::{SignalKind, signal};

/// Ends when the program is asked to stop.
///
/// # Errors
/// When the system does not let it listen for signals.
pub(crate) async fn requested() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}
