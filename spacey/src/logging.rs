//! Logs on standard error, as text for people or as a JSON object a line for machines.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::settings::Log;

/// Starts to log. Later calls change nothing.
pub(crate) fn start(settings: &Log) {
    let filter = EnvFilter::try_new(&settings.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    // Only the second start in one process fails, and then logs are on already.
    drop(if settings.json { logs.json().try_init() } else { logs.try_init() });
}
