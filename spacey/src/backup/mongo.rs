//! Backups of MongoDB, by its own tools, `mongodump` and `mongorestore`.
//!
//! A dump is of the whole replica set with its log of changes (`--oplog`), which makes it one of a single moment, and which can only be brought back as a whole: so the replica set must be Spacey's own. The connection string
//! goes to the tools in a file, since everybody on the machine sees what stands on a command line.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use common::mongo::{CollectionId, ReplicaSet};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;
use tokio::io::AsyncReadExt;
use tokio::process::Command;

use super::files::work_folder;
use super::manifest::{Kept, Manifest, hex};
use super::place::Place;
use super::receive::{Form, receive};
use super::{BackupError, era};
use crate::secrets::make_private_dir;
use crate::settings::Data;

const ARCHIVE: &str = "mongodb.archive.gz";
const PIECE: usize = 1 << 20;
const DOMAINS: [&str; 5] = ["users", "config", "decks", "learning", "generation"];

/// Dumps to `place`.
///
/// # Errors
/// [`BackupError::Tool`] when the tool is not installed, or fails.
pub(super) async fn dump(
    uri: &SecretString,
    prefix: &str,
    place: &Place,
    name: &str,
) -> Result<Kept, BackupError> {
    let config = config(uri)?;
    let mut tool = Command::new("mongodump");
    tool.arg("--config").arg(config.path()).args(["--oplog", "--gzip", "--archive", "--quiet"]);
    let mut running = tool
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| absent("mongodump", prefix, &error))?;
    let Some(mut output) = running.stdout.take() else {
        return Err(BackupError::Tool("mongodump has no output".into()));
    };
    let mut writing = place.write(name, ARCHIVE).await?;
    let (mut piece, mut bytes, mut digest) = (vec![0; PIECE], 0, Sha256::new());
    loop {
        let read = output.read(&mut piece).await.map_err(BackupError::file("mongodump"))?;
        if read == 0 {
            break;
        }
        bytes += read as u64;
        digest.update(&piece[..read]);
        writing.write(&piece[..read]).await?;
    }
    let status = running.wait().await.map_err(BackupError::file("mongodump"))?;
    if !status.success() {
        return Err(BackupError::Tool(format!("mongodump failed ({status}): see what it wrote")));
    }
    writing.finish().await?;
    Ok(Kept { object: ARCHIVE.into(), path: None, bytes, sha256: hex(&digest.finalize()) })
}

/// Brings back what was dumped, once all of it is here and whole, nobody uses Spacey's databases, and none of them is there, unless `replace`.
///
/// # Errors
/// [`BackupError`]; nothing was changed then, unless it is [`BackupError::Tool`] of a tool that ran, or [`BackupError::Database`].
pub(super) async fn restore(
    uri: &SecretString,
    data: &Data,
    place: &Place,
    manifest: &Manifest,
    replace: bool,
    now: Timestamp,
) -> Result<(), BackupError> {
    let kept = manifest.files.iter().find(|kept| kept.path.is_none()).ok_or_else(|| {
        let problem = "it is of embedded databases: bring it back without MONGO_DB_CONNECTION";
        BackupError::Unsuitable { name: manifest.name.clone(), problem: problem.into() }
    })?;
    let set = ReplicaSet::connect(uri.expose_secret()).await?;
    let own = databases(&data.db_name);
    let before = look(&set, &own, &data.db_name, replace).await?;

    make_private_dir(&data.dir)?;
    let work = work_folder(&data.dir)?;
    let archive = work.path().join(ARCHIVE);
    receive(kept, Form::Plain, &archive, place, manifest).await?;
    run_restore(uri, &data.db_name, &archive, replace).await?;

    for (database, collections) in before {
        let now_there = set.collections(&database).await?;
        // A collection that the tool did not make anew is not in the backup: it is of a later time.
        for left in collections.iter().filter(|collection| now_there.contains(collection)) {
            set.drop_collection(&database, &left.name).await?;
        }
    }
    let era = era(now);
    for database in &own {
        set.begin_era(database, era).await?;
    }
    Ok(())
}

/// Tells what is there of Spacey's databases.
///
/// # Errors
/// When it may not be replaced.
async fn look(
    set: &ReplicaSet,
    own: &[String],
    prefix: &str,
    replace: bool,
) -> Result<Vec<(String, Vec<CollectionId>)>, BackupError> {
    let from = set.used_from(own).await?;
    if !from.is_empty() {
        return Err(BackupError::DatabaseInUse { prefix: prefix.to_owned(), from });
    }
    let (there, others): (Vec<_>, Vec<_>) =
        set.databases().await?.into_iter().partition(|name| own.contains(name));
    if !others.is_empty() {
        return Err(BackupError::Shared { databases: others });
    }
    if let (Some(database), false) = (there.first(), replace) {
        return Err(BackupError::DatabaseTaken { database: database.clone() });
    }
    let mut found = Vec::new();
    for database in there {
        let collections = set.collections(&database).await?;
        found.push((database, collections));
    }
    Ok(found)
}

/// The tool takes no choice of databases together with the log of changes, so all that was dumped is brought back.
async fn run_restore(
    uri: &SecretString,
    prefix: &str,
    archive: &Path,
    replace: bool,
) -> Result<(), BackupError> {
    let config = config(uri)?;
    let mut tool = Command::new("mongorestore");
    tool.arg("--config").arg(config.path());
    tool.args(["--oplogReplay", "--gzip", "--archive", "--quiet"]);
    if replace {
        tool.arg("--drop");
    }
    let input = File::open(archive).map_err(BackupError::file(archive))?;
    let status = tool
        .stdin(input)
        .kill_on_drop(true)
        .status()
        .await
        .map_err(|error| absent("mongorestore", prefix, &error))?;
    if status.success() {
        return Ok(());
    }
    Err(BackupError::Tool(format!(
        "mongorestore failed ({status}): see what it wrote; what is in MongoDB now is not whole, until it is brought back with --replace"
    )))
}

/// Those of the domains.
fn databases(prefix: &str) -> [String; 5] {
    DOMAINS.map(|domain| format!("{prefix}_{domain}"))
}

/// What the tools read their connection from: for its owner alone.
fn config(uri: &SecretString) -> Result<NamedTempFile, BackupError> {
    let mut file = NamedTempFile::new().map_err(BackupError::file("a temporary file"))?;
    let quoted = serde_json::Value::from(uri.expose_secret());
    writeln!(file, "uri: {quoted}").map_err(BackupError::file(file.path().to_owned()))?;
    Ok(file)
}

fn absent(tool: &str, prefix: &str, error: &std::io::Error) -> BackupError {
    BackupError::Tool(format!(
        "{tool} cannot be run ({error}): install MongoDB's database tools where this command runs, or back up the databases {} by the means of whoever hosts them, at one moment",
        databases(prefix).join(", ")
    ))
}
