//! Reads an object of a backup into a file, and makes sure that it is what was written.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use futures::TryStreamExt;
use sha2::{Digest, Sha256};

use super::BackupError;
use super::manifest::{Kept, Manifest, hex};
use super::place::Place;

/// How an object is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As it is: length and digest are of what is kept.
    Plain,
    /// Compressed: length and digest are of what it was before.
    Zstandard,
}

/// Reads `kept` into the new file `copy`, which is whole and on disk when this answers.
///
/// # Errors
/// [`BackupError::Unsuitable`] when it is not what was written.
pub(super) async fn receive(
    kept: &Kept,
    form: Form,
    copy: &Path,
    place: &Place,
    manifest: &Manifest,
) -> Result<(), BackupError> {
    let damaged = || BackupError::Unsuitable {
        name: manifest.name.clone(),
        problem: format!("{} is damaged: it is not what was written", kept.object),
    };
    let mut pieces = place.read(&manifest.name, &kept.object).await?.into_stream();
    let file = File::create_new(copy).map_err(BackupError::file(copy))?;
    let mut digesting = Digesting { file, digest: Sha256::new(), bytes: 0, most: kept.bytes };
    let Digesting { file, digest, bytes, .. } = match form {
        Form::Plain => {
            while let Some(piece) = pieces.try_next().await? {
                digesting.take(&piece).map_err(|fault| fault.told(copy, damaged))?;
            }
            digesting
        }
        Form::Zstandard => {
            let mut decoder =
                zstd::stream::write::Decoder::new(digesting).map_err(BackupError::file(copy))?;
            while let Some(piece) = pieces.try_next().await? {
                decoder.write_all(&piece).map_err(|_| damaged())?;
            }
            decoder.flush().map_err(|_| damaged())?;
            decoder.into_inner()
        }
    };
    if bytes != kept.bytes || hex(&digest.finalize()) != kept.sha256 {
        return Err(damaged());
    }
    file.sync_all().map_err(BackupError::file(copy))
}

/// A file that is written, and looked at on the way; no longer than it may be.
struct Digesting {
    file: File,
    digest: Sha256,
    bytes: u64,
    most: u64,
}

/// Why no more is taken.
enum Fault {
    TooLong,
    File(std::io::Error),
}

impl Fault {
    fn told(self, copy: &Path, damaged: impl FnOnce() -> BackupError) -> BackupError {
        match self {
            Self::TooLong => damaged(),
            Self::File(error) => BackupError::file(copy)(error),
        }
    }
}

impl Digesting {
    fn take(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.bytes += bytes.len() as u64;
        if self.bytes > self.most {
            return Err(Fault::TooLong);
        }
        self.digest.update(bytes);
        self.file.write_all(bytes).map_err(Fault::File)
    }
}

impl Write for Digesting {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self.take(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(Fault::TooLong) => Err(std::io::Error::other("it is longer than it was")),
            Err(Fault::File(error)) => Err(error),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}
