//! Backups of the data folder: a copy of each database file in it.

use std::fs::{self, File};
use std::io::{Read, Write as _};
use std::path::{Component, Path, PathBuf};

use common::sqlite::{Snapshot, check, set_era};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::manifest::{Kept, Manifest, hex};
use super::place::Place;
use super::receive::{Form, receive};
use super::{BackupError, era};
use crate::data_lock::DataLock;
use crate::secrets::make_private_dir;

/// How much of a file is read at once.
const PIECE: usize = 1 << 20;
/// Zstandard's level: its default.
const LEVEL: i32 = 3;

/// Copies every database file below `folder` to `place`.
///
/// # Errors
/// [`BackupError`].
pub(super) async fn store(
    folder: &Path,
    place: &Place,
    name: &str,
) -> Result<Vec<Kept>, BackupError> {
    let paths = databases(folder)?;
    if paths.is_empty() {
        return Err(BackupError::Nothing { folder: folder.to_owned() });
    }
    let work = work_folder(folder)?;
    let into = work.path().to_owned();
    let copying = move || Snapshot::take(&paths)?.copy(&into);
    let copies = tokio::task::spawn_blocking(copying).await??;
    let mut kept = Vec::new();
    for (path, copy) in copies {
        let path = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
        let object = format!("{}.zst", path.replace('/', "-"));
        let (bytes, sha256) = compress(&copy, place, name, &object).await?;
        fs::remove_file(&copy).map_err(BackupError::file(&copy))?;
        kept.push(Kept { object, path: Some(path), bytes, sha256 });
    }
    Ok(kept)
}

/// Puts the files of a backup in their places below `folder`. Tells where those that were there are now.
///
/// # Errors
/// [`BackupError`]; nothing was changed then, unless it is one of the file system's while files were moved, which are all still there.
pub(super) async fn restore(
    folder: &Path,
    place: &Place,
    manifest: &Manifest,
    replace: bool,
    now: Timestamp,
) -> Result<Option<PathBuf>, BackupError> {
    make_private_dir(folder)?;
    let _lock = DataLock::alone(folder)
        .map_err(BackupError::file(folder))?
        .ok_or_else(|| BackupError::InUse { folder: folder.to_owned() })?;
    let there = databases(folder)?;
    if let (Some(path), false) = (there.first(), replace) {
        return Err(BackupError::Taken { path: path.clone() });
    }
    let work = work_folder(folder)?;
    let era = era(now);
    let mut ready = Vec::new();
    for (index, kept) in manifest.files.iter().enumerate() {
        let target = folder.join(inside(kept, manifest)?);
        let copy = work.path().join(format!("{index}.db"));
        receive(kept, Form::Zstandard, &copy, place, manifest).await?;
        let checked = copy.clone();
        let checking = move || {
            check(&checked)?;
            set_era(&checked, era)
        };
        tokio::task::spawn_blocking(checking).await??;
        // What the check made beside it.
        for beside in beside(&copy) {
            drop(fs::remove_file(beside));
        }
        ready.push((copy, target));
    }
    let aside = (!there.is_empty())
        .then(|| folder.join(format!("replaced-{}", now.strftime("%Y%m%dT%H%M%SZ"))));
    if let Some(aside) = &aside {
        for path in &there {
            let path_there = aside.join(path.strip_prefix(folder).unwrap_or(path));
            rename(path, &path_there)?;
            for (from, to) in beside(path).into_iter().zip(beside(&path_there)) {
                if from.exists() {
                    rename(&from, &to)?;
                }
            }
        }
    }
    for (copy, target) in ready {
        rename(&copy, &target)?;
    }
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(BackupError::file(folder))?;
    Ok(aside)
}

/// The database files below `folder`: those in it, and those in its folders, but not what was moved aside.
fn databases(folder: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let mut found = Vec::new();
    for path in entries(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() && !name.starts_with("replaced-") && !name.starts_with('.') {
            found.extend(entries(&path)?.into_iter().filter(|path| is_database(path)));
        } else if is_database(&path) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let read = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read.map_err(BackupError::file(folder))?,
    };
    read.map(|entry| entry.map(|entry| entry.path()).map_err(BackupError::file(folder))).collect()
}

fn is_database(path: &Path) -> bool {
    path.is_file() && path.extension().is_some_and(|ending| ending == "db" || ending == "sqlite3")
}

/// What SQLite keeps beside a file while it is in use.
fn beside(path: &Path) -> [PathBuf; 2] {
    ["-wal", "-shm"].map(|ending| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    })
}

/// A folder for copies, on the same disk, so that they can be moved into their places; it goes when it is dropped.
pub(super) fn work_folder(folder: &Path) -> Result<tempfile::TempDir, BackupError> {
    tempfile::Builder::new()
        .prefix(".backup-")
        .tempdir_in(folder)
        .map_err(BackupError::file(folder))
}

/// Where a file belongs, if that is within the data folder.
fn inside<'a>(kept: &'a Kept, manifest: &Manifest) -> Result<&'a Path, BackupError> {
    kept.path
        .as_deref()
        .map(Path::new)
        .filter(|path| path.components().all(|part| matches!(part, Component::Normal(_))))
        .filter(|path| path.components().count() > 0)
        .ok_or_else(|| BackupError::Unsuitable {
            name: manifest.name.clone(),
            problem: format!(
                "{} is no file of a data folder; MongoDB is brought back into MongoDB",
                kept.object
            ),
        })
}

fn rename(from: &Path, to: &Path) -> Result<(), BackupError> {
    if let Some(folder) = to.parent() {
        make_private_dir(folder)?;
    }
    fs::rename(from, to).map_err(BackupError::file(to))
}

/// Writes `copy` to `place` compressed, and tells its length and digest.
async fn compress(
    copy: &Path,
    place: &Place,
    name: &str,
    object: &str,
) -> Result<(u64, String), BackupError> {
    let mut file = File::open(copy).map_err(BackupError::file(copy))?;
    let mut writing = place.write(name, object).await?;
    let mut encoder =
        zstd::stream::write::Encoder::new(Vec::new(), LEVEL).map_err(BackupError::file(copy))?;
    let (mut piece, mut bytes, mut digest) = (vec![0; PIECE], 0, Sha256::new());
    loop {
        let read = file.read(&mut piece).map_err(BackupError::file(copy))?;
        if read == 0 {
            break;
        }
        bytes += read as u64;
        digest.update(&piece[..read]);
        encoder.write_all(&piece[..read]).map_err(BackupError::file(copy))?;
        writing.write(encoder.get_ref()).await?;
        encoder.get_mut().clear();
    }
    writing.write(&encoder.finish().map_err(BackupError::file(copy))?).await?;
    writing.finish().await?;
    Ok((bytes, hex(&digest.finalize())))
}
