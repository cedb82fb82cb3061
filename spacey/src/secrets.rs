//! Secrets that live in files of the data folder, readable by the owner alone. One that is absent is made; none has a default.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rand::distr::{Alphanumeric, SampleString};
use secrecy::{ExposeSecret, SecretString};

/// How many random letters and digits a made secret has: 285 bits.
const LENGTH: usize = 48;

/// A secret file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}", path = path.display())]
pub(crate) struct SecretError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl SecretError {
    pub(crate) fn new(path: &Path, source: io::Error) -> Self {
        Self { path: path.to_owned(), source }
    }
}

/// The content of the file at `path`, which is made with what `make` gives when it is not there.
pub(crate) fn read_or_make(
    path: &Path,
    make: impl FnOnce() -> SecretString,
) -> Result<SecretString, SecretError> {
    let error = |source| SecretError::new(path, source);
    match fs::read_to_string(path) {
        Ok(text) => Ok(SecretString::from(text)),
        Err(absent) if absent.kind() == io::ErrorKind::NotFound => {
            let secret = make();
            match write_new(path, &secret) {
                Ok(()) => Ok(secret),
                // Another process made it in the meantime: both must use the same.
                Err(taken) if taken.kind() == io::ErrorKind::AlreadyExists => {
                    fs::read_to_string(path).map(SecretString::from).map_err(error)
                }
                Err(failed) => Err(error(failed)),
            }
        }
        Err(unreadable) => Err(error(unreadable)),
    }
}

/// A secret of random letters and digits.
pub(crate) fn random() -> SecretString {
    SecretString::from(Alphanumeric.sample_string(&mut rand::rng(), LENGTH))
}

/// Makes the data folder; what is in it is for its owner alone.
pub(crate) fn make_private_dir(path: &Path) -> Result<(), SecretError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| SecretError::new(path, source))
}

/// Keeps a secret in a file that is not there yet. It is written under another name first, so that nobody reads half of it.
pub(crate) fn write_new(path: &Path, secret: &SecretString) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let unfinished = path.with_extension(format!("new-{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    file.write_all(secret.expose_secret().as_bytes())?;
    file.sync_all()?;
    // A hard link fails when the name is taken; a rename would replace what another process made.
    let linked = fs::hard_link(&unfinished, path);
    fs::remove_file(&unfinished)?;
    linked
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_is_made_once_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/service-secret");
        let first = read_or_make(&path, random).unwrap();
        let second = read_or_make(&path, || panic!("made twice")).unwrap();
        assert_eq!(first.expose_secret(), second.expose_secret());
        assert_eq!(first.expose_secret().len(), LENGTH);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
}
