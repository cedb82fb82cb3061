//! Backups of MongoDB, by its own tools, `mongodump` and `mongorestore`.
//!
//! A dump is of the whole replica set with its log of changes (`--oplog`), which makes it one of a single moment; only Spacey's databases are brought back. The connection string
//! goes to the tools in a file, since everybody on the machine sees what stands on a command line.

use std::io::Write;
use std::process::Stdio;

use futures::TryStreamExt;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use super::BackupError;
use super::manifest::{Kept, Manifest, hex};
use super::place::Place;

const ARCHIVE: &str = "mongodb.archive.gz";
const PIECE: usize = 1 << 20;

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

/// Brings back Spacey's databases, which are dropped first if `replace`.
///
/// # Errors
/// [`BackupError::Tool`], [`BackupError::Unsuitable`].
pub(super) async fn restore(
    uri: &SecretString,
    prefix: &str,
    place: &Place,
    manifest: &Manifest,
    replace: bool,
) -> Result<(), BackupError> {
    let kept = manifest.files.iter().find(|kept| kept.path.is_none()).ok_or_else(|| {
        let problem = "it is of embedded databases: bring it back without MONGO_DB_CONNECTION";
        BackupError::Unsuitable { name: manifest.name.clone(), problem: problem.into() }
    })?;
    let config = config(uri)?;
    let mut tool = Command::new("mongorestore");
    tool.arg("--config").arg(config.path()).args([
        "--oplogReplay",
        "--gzip",
        "--archive",
        "--quiet",
    ]);
    tool.arg(format!("--nsInclude={prefix}_*.*"));
    if replace {
        tool.arg("--drop");
    }
    let mut running = tool
        .stdin(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| absent("mongorestore", prefix, &error))?;
    let Some(mut input) = running.stdin.take() else {
        return Err(BackupError::Tool("mongorestore has no input".into()));
    };
    let mut pieces = place.read(&manifest.name, &kept.object).await?.into_stream();
    while let Some(piece) = pieces.try_next().await? {
        input.write_all(&piece).await.map_err(BackupError::file("mongorestore"))?;
    }
    drop(input);
    let status = running.wait().await.map_err(BackupError::file("mongorestore"))?;
    if !status.success() {
        return Err(BackupError::Tool(format!(
            "mongorestore failed ({status}): see what it wrote"
        )));
    }
    Ok(())
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
        "{tool} cannot be run ({error}): install MongoDB's database tools where this command runs, or back up the databases {prefix}_users, {prefix}_config, \
         {prefix}_decks, {prefix}_learning and {prefix}_generation by the means of whoever hosts them, at one moment"
    ))
}
