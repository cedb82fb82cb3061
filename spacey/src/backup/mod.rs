//! Backups: everything that is stored, as it was at one moment, in a folder or an S3-compatible store.
//!
//! A backup is a group of objects under one name, of which the list, `manifest.json`, is written last: one without a list broke off, and counts
//! as none. Of embedded databases it has a copy of each file, compressed by Zstandard, with its length and SHA-256; of MongoDB what `mongodump`
//! writes, with these. Keys and secrets are not in it: they are made anew where they are absent, and whoever can read a backup should not be able to sign
//! with them.

mod files;
mod manifest;
mod mongo;
mod place;
mod receive;

use std::path::PathBuf;

use common::StoreError;
use jiff::Timestamp;

use crate::secrets::SecretError;
use crate::settings::{Backups, Data};

pub(crate) use manifest::Manifest;
pub(crate) use place::Place;

/// Why a backup cannot be made, or brought back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackupError {
    #[error("SPACEY_BACKUP_TO: {0}")]
    Place(#[source] object_store::Error),
    #[error(transparent)]
    Folder(#[from] SecretError),
    #[error("the place of backups: {0}")]
    Store(#[from] object_store::Error),
    #[error("there is nothing to back up in {folder}: is SPACEY_DATA_DIR the folder of the data?", folder = folder.display())]
    Nothing { folder: PathBuf },
    #[error("there is no backup {name:?}; there are: {there}", there = or_none(there))]
    Absent { name: String, there: Vec<String> },
    #[error("there is no backup yet")]
    None,
    #[error("the backup {name}: {problem}")]
    Unsuitable { name: String, problem: String },
    #[error("{path} is there already: with --replace what is there is moved aside", path = path.display())]
    Taken { path: PathBuf },
    #[error("the data in {folder} are in use: stop Spacey first", folder = folder.display())]
    InUse { folder: PathBuf },
    #[error(
        "the database {database} is there already: with --replace it is dropped, and what is in no backup of it is lost"
    )]
    DatabaseTaken { database: String },
    #[error("the databases of {prefix} are in use from {}: stop Spacey first", .from.join(", "))]
    DatabaseInUse { prefix: String, from: Vec<String> },
    #[error("the replica set has databases that are not Spacey's ({}), and a dump of a whole replica set can only be brought back as a whole, which would set them \
             back too: bring it back into a replica set of Spacey's own", .databases.join(", "))]
    Shared { databases: Vec<String> },
    #[error("a database: {0}")]
    Database(#[from] StoreError),
    #[error("{path}: {source}", path = path.display())]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{0}")]
    Tool(String),
    #[error("it broke off")]
    BrokenOff(#[from] tokio::task::JoinError),
}

impl BackupError {
    fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}

fn or_none(names: &[String]) -> String {
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

/// Makes a backup, and removes the oldest of those that are more than are kept.
///
/// # Errors
/// [`BackupError`]; earlier backups are untouched then.
pub(crate) async fn take(
    data: &Data,
    backups: &Backups,
    now: Timestamp,
) -> Result<(Manifest, Vec<String>), BackupError> {
    let place = Place::open(&backups.to)?;
    let name = Manifest::name_at(now);
    let kept = match &data.mongo {
        Some(uri) => vec![mongo::dump(uri, &data.db_name, &place, &name).await?],
        None => files::store(&data.dir, &place, &name).await?,
    };
    let manifest = Manifest::new(name, now, kept);
    place.finish(&manifest).await?;
    let removed = place.remove_all_but(backups.keep, &manifest.name).await?;
    Ok((manifest, removed))
}

/// The era that begins when a backup is brought back: no two that are brought back within 68 years have the same.
fn era(now: Timestamp) -> i32 {
    i32::try_from(now.as_second() % i64::from(i32::MAX)).unwrap_or_default()
}

/// Brings back the backup of that name, or the latest. If `replace`, what is in the data folder is moved aside, and what is in MongoDB dropped. Nothing is touched
/// before all of the backup is there and found to be whole.
///
/// # Errors
/// [`BackupError`].
pub(crate) async fn restore(
    data: &Data,
    backups: &Backups,
    name: Option<&str>,
    replace: bool,
    now: Timestamp,
) -> Result<(Manifest, Option<PathBuf>), BackupError> {
    let place = Place::open(&backups.to)?;
    let manifest = place.manifest(name).await?;
    let aside = match &data.mongo {
        Some(uri) => {
            mongo::restore(uri, data, &place, &manifest, replace, now).await?;
            None
        }
        None => files::restore(&data.dir, &place, &manifest, replace, now).await?,
    };
    Ok((manifest, aside))
}
