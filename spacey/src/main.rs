//! The `spacey` program: reads the command line and the settings, and hands over to one command.
//!
//! This crate alone may name every other; it holds no rule of a domain and none of the engine.

#![expect(clippy::print_stdout, reason = "a command's answer goes to standard output")]

mod backup;
mod callback;
mod cli;
mod commands;
mod data_lock;
mod dev_mail;
mod documents;
mod export;
mod graph;
mod keys;
mod logging;
mod mail_pages;
mod origin;
mod reload;
mod secrets;
mod settings;
mod shutdown;
mod sidecar;
mod sources;
mod subgraphs;
mod wiring;

use std::process::ExitCode;

use clap::Parser;

// Requests make many short-lived values: measured, it saves more than any other single choice.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    // Both libraries that speak TLS take the same provider; installing it twice is all that can fail.
    drop(rustls::crypto::ring::default_provider().install_default());
    match commands::run(cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("spacey: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("  because: {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}
