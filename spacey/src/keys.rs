//! The keys that sign access tokens, as files: `*.pem` an Ed25519 key, `*.hs256` a secret. The newest signs, all verify.
//!
//! A key made here has a name that begins with the moment it was made, such as `20261130T091522Z-…pem`; keys under other names count as
//! older than those. Who puts a public key there can verify what its private key signs elsewhere. Files of other kinds are not looked at.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use common::Clock;
use common::token::{AccessTokens, KEY_GRACE, KeyAlgorithm, KeyError, KeyRing, TokenKey};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use secrecy::SecretString;

use crate::secrets::{SecretError, random, write_new};
use crate::settings::Keys;

/// How a file's name says when its key was made, in UTC.
const STAMP: &str = "%Y%m%dT%H%M%SZ";
/// How often running processes look whether the keys are others.
const LOOK: Duration = Duration::from_secs(2);

/// Keys that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeysError {
    #[error(transparent)]
    File(#[from] SecretError),
    #[error("{path}: {source}", path = path.display())]
    Key { path: PathBuf, source: KeyError },
    #[error("there is no key in {folder}: spacey keys rotate makes one", folder = folder.display())]
    None { folder: PathBuf },
    #[error("there is no key {kid:?} in {folder}", folder = folder.display())]
    Unknown { kid: String, folder: PathBuf },
    #[error("the key {0} signs at present: spacey keys rotate first, so that another one does")]
    Signs(String),
}

/// A key and where it is.
#[derive(Debug)]
pub(crate) struct KeyFile {
    pub(crate) path: PathBuf,
    pub(crate) key: TokenKey,
    /// Whether its name says when it was made.
    is_stamped: bool,
}

/// The keys that are set: those of the folder, or the one of a file. In a folder without any, one is made.
pub(crate) fn open(keys: &Keys, now: Timestamp) -> Result<KeyRing, KeysError> {
    if keys.jwt_key_file.is_none() && read_folder(&keys.jwt_key_dir)?.is_empty() {
        make(&keys.jwt_key_dir, keys.jwt_algorithm, now)?;
    }
    read(keys)
}

/// The keys that are set, none of which is made.
pub(crate) fn read(keys: &Keys) -> Result<KeyRing, KeysError> {
    let (files, place) = match &keys.jwt_key_file {
        Some(file) => (vec![read_file(file)?], file),
        None => (read_folder(&keys.jwt_key_dir)?, &keys.jwt_key_dir),
    };
    let ring = KeyRing::new(files.into_iter().map(|file| file.key).collect());
    ring.map_err(|_| KeysError::None { folder: place.clone() })
}

/// The keys in the folder, the oldest first.
pub(crate) fn read_folder(folder: &Path) -> Result<Vec<KeyFile>, KeysError> {
    let error = |source| SecretError::new(folder, source);
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(absent) if absent.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(unreadable) => return Err(error(unreadable).into()),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(error)?.path();
        if path.extension().is_some_and(|kind| kind == "pem" || kind == "hs256") {
            files.push(read_file(&path)?);
        }
    }
    files.sort_by(|a, b| (a.key.made(), &a.path).cmp(&(b.key.made(), &b.path)));
    Ok(files)
}

fn read_file(path: &Path) -> Result<KeyFile, KeysError> {
    let text = fs::read_to_string(path).map_err(|source| SecretError::new(path, source))?;
    let text = SecretString::from(text);
    let stamp = path.file_name().and_then(|name| name.to_str()?.split(['-', '.']).next());
    let stamp = stamp.and_then(|text| jiff::civil::DateTime::strptime(STAMP, text).ok());
    let made = stamp.and_then(|at| TimeZone::UTC.to_timestamp(at).ok());
    let is_secret = path.extension().is_some_and(|kind| kind == "hs256");
    let read = if is_secret { TokenKey::from_secret } else { TokenKey::from_pem };
    let key = read(&text, made.unwrap_or(Timestamp::UNIX_EPOCH))
        .map_err(|source| KeysError::Key { path: path.to_owned(), source })?;
    Ok(KeyFile { path: path.to_owned(), key, is_stamped: made.is_some() })
}

/// Makes a key, which signs once every process knows it.
pub(crate) fn make(
    folder: &Path,
    algorithm: KeyAlgorithm,
    now: Timestamp,
) -> Result<KeyFile, KeysError> {
    let failed = |source| KeysError::Key { path: folder.to_owned(), source };
    let (text, kind) = match algorithm {
        KeyAlgorithm::EdDsa => (TokenKey::generate_pem().map_err(failed)?, "pem"),
        KeyAlgorithm::Hs256 => (random(), "hs256"),
    };
    let read = match algorithm {
        KeyAlgorithm::EdDsa => TokenKey::from_pem,
        KeyAlgorithm::Hs256 => TokenKey::from_secret,
    };
    let key = read(&text, now).map_err(failed)?;
    let kid: String = key.kid().chars().take(8).collect();
    let path = folder.join(format!("{}-{kid}.{kind}", now.strftime(STAMP)));
    write_new(&path, &text).map_err(|source| SecretError::new(&path, source))?;
    Ok(KeyFile { path, key, is_stamped: true })
}

/// Removes the keys no token of which can be good any more, since a newer one has signed for longer than tokens live. Keys that were
/// not made here stay.
pub(crate) fn retire_outlived(
    folder: &Path,
    lifetime: SignedDuration,
    now: Timestamp,
) -> Result<Vec<KeyFile>, KeysError> {
    let mut files = read_folder(folder)?;
    let signs_alone = |file: &KeyFile| {
        let since = file.key.made().saturating_add(KEY_GRACE.saturating_add(lifetime));
        file.key.can_sign() && since.is_ok_and(|since| since <= now)
    };
    let Some(newest) = files.iter().rposition(signs_alone) else { return Ok(Vec::new()) };
    files.truncate(newest);
    files.retain(|file| file.is_stamped);
    for file in &files {
        remove(&file.path)?;
    }
    Ok(files)
}

/// Removes the key of this name: its tokens are good no more within seconds.
pub(crate) fn retire(folder: &Path, kid: &str, now: Timestamp) -> Result<KeyFile, KeysError> {
    let mut files = read_folder(folder)?;
    let ring = KeyRing::new(files.iter().map(|file| file.key.clone()).collect());
    let Some(found) = files.iter().position(|file| file.key.kid() == kid) else {
        return Err(KeysError::Unknown { kid: kid.to_owned(), folder: folder.to_owned() });
    };
    let signs = ring.is_ok_and(|ring| ring.signing(now).is_some_and(|key| key.kid() == kid));
    if signs {
        return Err(KeysError::Signs(kid.to_owned()));
    }
    let file = files.swap_remove(found);
    remove(&file.path)?;
    Ok(file)
}

fn remove(path: &Path) -> Result<(), SecretError> {
    fs::remove_file(path).map_err(|source| SecretError::new(path, source))
}

/// Takes over keys that are made or removed while the program runs. What cannot be read changes nothing.
pub(crate) async fn watch(keys: Keys, tokens: Arc<AccessTokens>, clock: Clock) {
    let mut complained = false;
    loop {
        tokio::time::sleep(LOOK).await;
        let looked = keys.clone();
        match tokio::task::spawn_blocking(move || read(&looked)).await {
            Ok(Ok(ring)) => {
                complained = false;
                let names = |ring: &KeyRing| -> Vec<String> {
                    ring.keys().iter().map(|key| key.kid().to_owned()).collect()
                };
                if names(&ring) != names(&tokens.keys()) {
                    let signs = ring.signing(clock.now()).map(TokenKey::kid).unwrap_or_default();
                    tracing::info!(
                        keys = ring.keys().len(),
                        signs,
                        "the keys of access tokens changed"
                    );
                    tokens.replace_keys(ring);
                }
            }
            Ok(Err(error)) if !complained => {
                complained = true;
                tracing::warn!("the keys of access tokens stay as they were: {error}");
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const QUARTER: SignedDuration = SignedDuration::from_mins(15);

    fn keys(folder: &Path) -> Keys {
        Keys {
            jwt_key_file: None,
            jwt_key_dir: folder.to_owned(),
            jwt_algorithm: KeyAlgorithm::EdDsa,
            authentication: false,
            service_secret: None,
            issuer: None,
        }
    }

    fn kids(folder: &Path) -> Vec<String> {
        read_folder(folder).unwrap().iter().map(|file| file.key.kid().to_owned()).collect()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn the_first_key_is_made_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let keys = keys(&folder.path().join("keys/access-tokens"));
        assert!(matches!(read(&keys), Err(KeysError::None { .. })));
        let first = open(&keys, at(0)).unwrap();
        assert_eq!(first.keys().len(), 1);
        assert_eq!(open(&keys, at(9)).unwrap().keys()[0].kid(), first.keys()[0].kid());
        let file = &read_folder(&keys.jwt_key_dir).unwrap()[0];
        assert_eq!(file.key.made(), at(0), "its name says when: {}", file.path.display());
        assert_eq!(fs::metadata(&file.path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn keys_are_kept_while_tokens_of_theirs_may_be_good() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let made: Vec<_> = [0, 5000, 5100]
            .into_iter()
            .map(|second| make(folder, KeyAlgorithm::Hs256, at(second)).unwrap())
            .collect();
        assert!(retire_outlived(folder, QUARTER, at(5100)).unwrap().is_empty());
        assert!(retire_outlived(folder, QUARTER, at(5909)).unwrap().is_empty());
        let retired = retire_outlived(folder, QUARTER, at(5910)).unwrap();
        assert_eq!(retired[0].key.kid(), made[0].key.kid());
        assert_eq!(kids(folder), [made[1].key.kid(), made[2].key.kid()]);
    }

    #[test]
    fn a_key_is_retired_by_name_unless_it_signs() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let own = folder.join("ours.pem");
        fs::write(&own, secrecy::ExposeSecret::expose_secret(&TokenKey::generate_pem().unwrap()))
            .unwrap();
        let new = make(folder, KeyAlgorithm::EdDsa, at(0)).unwrap();
        let [old, signs] = &kids(folder)[..] else { panic!() };
        assert_eq!(signs, new.key.kid());
        assert!(matches!(retire(folder, signs, at(60)), Err(KeysError::Signs(_))));
        assert!(matches!(retire(folder, "../ours.pem", at(60)), Err(KeysError::Unknown { .. })));
        assert!(retire_outlived(folder, QUARTER, at(9999)).unwrap().is_empty(), "not made here");
        retire(folder, old, at(60)).unwrap();
        assert!(!own.exists());
    }

    #[test]
    fn a_file_that_is_no_key_is_named() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("a.pem", "nonsense"), ("b.hs256", "too short")] {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            let error = read(&keys(folder.path())).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
            fs::remove_file(path).unwrap();
        }
        fs::write(folder.path().join("README"), "not looked at").unwrap();
        assert!(read_folder(folder.path()).unwrap().is_empty());
    }
}
