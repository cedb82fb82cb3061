//! `spacey keys`: makes, shows and removes the keys that sign access tokens. Running processes follow within seconds.

use std::process::ExitCode;

use common::Clock;
use common::token::{KEY_GRACE, KeyAlgorithm, KeyRing};
use jiff::{SignedDuration, Timestamp};

use crate::cli::{KeyAlgorithmName, KeysArgs, KeysCommand};
use crate::keys::{KeyFile, make, read_folder, retire, retire_outlived};
use crate::secrets::make_private_dir;
use crate::settings::Settings;

pub(super) fn run(settings: &Settings, arguments: &KeysArgs) -> super::Result {
    if let Some(file) = &settings.keys.jwt_key_file {
        let file = file.display();
        return Err(format!("SPACEY_JWT_KEY_FILE is set to {file}: only the keys of a folder, SPACEY_JWT_KEY_DIR, are managed here").into());
    }
    let folder = &settings.keys.jwt_key_dir;
    let now = Clock::System.now();
    match &arguments.command {
        KeysCommand::List => super::answer(&list(&read_folder(folder)?, now))?,
        KeysCommand::Rotate { algorithm } => {
            make_private_dir(&settings.data.dir)?;
            let algorithm = match algorithm {
                Some(KeyAlgorithmName::Eddsa) => KeyAlgorithm::EdDsa,
                Some(KeyAlgorithmName::Hs256) => KeyAlgorithm::Hs256,
                None => settings.keys.jwt_algorithm,
            };
            let lifetime = SignedDuration::try_from(settings.accounts.access_token_lifetime)?;
            let retired = retire_outlived(folder, lifetime, now)?;
            let made = make(folder, algorithm, now)?;
            println!("made {} ({})", made.key.kid(), made.path.display());
            println!("it signs from {}", now.saturating_add(KEY_GRACE)?);
            for file in retired {
                println!("retired {}", file.key.kid());
            }
        }
        KeysCommand::Retire { kid } => {
            let file = retire(folder, kid, now)?;
            println!("retired {}", file.key.kid());
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(files: &[KeyFile], now: Timestamp) -> String {
    let ring = KeyRing::new(files.iter().map(|file| file.key.clone()).collect());
    let signing = ring.as_ref().ok().and_then(|ring| ring.signing(now));
    let mut text = String::new();
    for file in files {
        let key = &file.key;
        let state = if signing.is_some_and(|signing| signing.kid() == key.kid()) {
            "signs"
        } else if key.can_sign() && signing.is_some_and(|signing| signing.made() < key.made()) {
            "will sign"
        } else {
            "verifies"
        };
        let line = [key.kid(), key.algorithm().as_str(), &key.made().to_string(), state];
        text.push_str(&line.join("  "));
        text.push('\n');
    }
    text
}
