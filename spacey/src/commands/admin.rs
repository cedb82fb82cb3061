//! `spacey admin`: what takes access to the data rather than an account; above all the first administrator.

use std::io::Read;
use std::process::ExitCode;

use common::{Clock, Roles};

use crate::cli::{AdminArgs, AdminCommand};
use crate::settings::Settings;
use crate::wiring::{Domains, Identity, generation_settings};

pub(super) async fn run(settings: Settings, arguments: AdminArgs) -> super::Result {
    let AdminCommand::Create { email, name } = arguments.command;
    let mut password = String::new();
    std::io::stdin().take(4096).read_to_string(&mut password)?;
    let password = password.trim_end_matches(['\r', '\n']);

    let identity = Identity::load(&settings)?;
    let mut generation = generation_settings(&settings)?;
    // The program that runs beside this one has the jobs.
    generation.bounds.running = 0;
    let domains = Domains::open(&settings, &identity, generation, &Clock::System).await?;
    let users = domains.users.ok_or("the users domain runs elsewhere: run this command there")?;
    let roles = Roles { beta: true, admin: true };
    let id = users.ensure_account(&email, &name, password, roles).await?;
    println!("{email} is an administrator ({id})");
    Ok(ExitCode::SUCCESS)
}
