//! One module for each command, and what they share.

mod admin;
mod backup;
mod compose;
mod demo;
mod front;
mod gateway;
mod keys;
mod metrics;
mod plan;
mod router;
mod schema;
mod serve;
mod server;
mod subgraph;

#[cfg(test)]
pub(crate) use schema::own_sdls;

use std::collections::BTreeMap;
use std::future::Future;
use std::io::{self, Write};
use std::process::ExitCode;

use crate::cli::{Cli, Command};
use crate::data_lock::DataLock;
use crate::secrets::make_private_dir;
use crate::settings::Settings;
use crate::settings::reader::SettingErrors;

/// What a command ends with: any error is printed with its causes.
pub(crate) type Result = std::result::Result<ExitCode, Box<dyn std::error::Error>>;

/// Runs the command.
pub(crate) fn run(cli: Cli) -> Result {
    match cli.command {
        Command::Serve(arguments) if arguments.print_settings => print_settings(),
        Command::Gateway(arguments) if arguments.print_settings => print_settings(),
        Command::Subgraph(arguments) if arguments.print_settings => print_settings(),
        Command::Serve(_) => on_data("serve", serve::run),
        Command::Gateway(arguments) => {
            in_runtime("gateway", |settings| gateway::run(settings, arguments))
        }
        Command::Subgraph(arguments) => {
            let name = arguments.name.as_str();
            on_data(name, |settings| subgraph::run(settings, arguments))
        }
        Command::Compose(arguments) => compose::run(&arguments),
        Command::Plan(arguments) => plan::run(&arguments),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Keys(arguments) => keys::run(&settings()?, &arguments),
        Command::Backup(arguments) => {
            in_runtime("backup", |settings| backup::take(settings, arguments))
        }
        Command::Restore(arguments) => {
            in_runtime("restore", |settings| backup::restore(settings, arguments))
        }
        Command::Admin(arguments) => on_data("admin", |settings| admin::run(settings, arguments)),
    }
}

fn settings() -> std::result::Result<Settings, SettingErrors> {
    // A name or value that is not UTF-8 cannot be one of ours.
    let environment: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    Settings::load(environment)
}

fn print_settings() -> Result {
    let mut text = String::new();
    for shown in settings()?.shown {
        text.push_str(&format!("{} = {}  ({})\n", shown.name, shown.value, shown.origin));
    }
    answer(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// Writes a command's answer. Whoever reads it may stop in the middle, as `head` does.
fn answer(text: &str) -> io::Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Reads the settings, starts to log, and runs a command that waits for things.
fn in_runtime<F: Future<Output = Result>>(
    role: &'static str,
    command: impl FnOnce(Settings) -> F,
) -> Result {
    let settings = settings()?;
    let _traces = crate::logging::start(&settings.log, &settings.observed, role)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(command(settings));
    // A blocked thread, such as one that hashes a password nobody waits for, does not hold the program up.
    runtime.shutdown_background();
    result
}

/// The same for a command that uses the data, which nobody brings back from a backup meanwhile.
fn on_data<F: Future<Output = Result>>(
    role: &'static str,
    command: impl FnOnce(Settings) -> F,
) -> Result {
    in_runtime(role, |settings| async move {
        let folder = settings.data.dir.clone();
        make_private_dir(&folder)?;
        let _lock = DataLock::shared(&folder)?.ok_or_else(|| {
            let folder = folder.display();
            format!("the data in {folder} are being brought back from a backup: wait for that")
        })?;
        command(settings).await
    })
}
