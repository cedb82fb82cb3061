//! `spacey backup` and `spacey restore`.

use std::process::ExitCode;

use common::Clock;

use crate::backup::{self, Place};
use crate::cli::{BackupArgs, RestoreArgs};
use crate::settings::Settings;

pub(super) async fn take(settings: Settings, arguments: BackupArgs) -> super::Result {
    if arguments.list {
        let names = Place::open(&settings.backups.to)?.names().await?;
        super::answer(&names.into_iter().map(|name| name + "\n").collect::<String>())?;
        return Ok(ExitCode::SUCCESS);
    }
    let now = Clock::System.now();
    let (made, removed) = backup::take(&settings.data, &settings.backups, now).await?;
    let (files, bytes) = (made.files.len(), made.bytes());
    println!("{}: {files} files, {bytes} bytes, in {}", made.name, settings.backups.to);
    for name in removed {
        println!("removed {name}");
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn restore(settings: Settings, arguments: RestoreArgs) -> super::Result {
    let (name, replace) = (arguments.name.as_deref(), arguments.replace);
    let now = Clock::System.now();
    let (restored, aside) =
        backup::restore(&settings.data, &settings.backups, name, replace, now).await?;
    println!("{} is back", restored.name);
    if let Some(aside) = aside {
        println!("what was there is in {}", aside.display());
    }
    Ok(ExitCode::SUCCESS)
}
