//! Where backups are: a folder, or a bucket of an S3-compatible store. One mechanism for both.

use std::path::Path as FilePath;
use std::sync::Arc;

use futures::TryStreamExt;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{GetResult, ObjectStore, ObjectStoreExt, WriteMultipart};

use super::BackupError;
use super::manifest::{FORMAT, Manifest};
use crate::secrets::make_private_dir;

const LIST: &str = "manifest.json";
/// A list is never larger: so much of one is read.
const LIST_BYTES: u64 = 1 << 20;
/// How many pieces of an object are under way at once.
const UNDER_WAY: usize = 4;

/// Where backups are.
#[derive(Debug)]
pub(crate) struct Place {
    store: Arc<dyn ObjectStore>,
    below: Path,
}

impl Place {
    /// `to` is a folder, which is made if it is absent, or `s3://BUCKET/PREFIX`, whose credentials, region and address are those of AWS's tools:
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`, `AWS_ENDPOINT_URL`, `AWS_ALLOW_HTTP`.
    ///
    /// # Errors
    /// [`BackupError::Place`], [`BackupError::Folder`].
    pub(crate) fn open(to: &str) -> Result<Self, BackupError> {
        if let Some(rest) = to.strip_prefix("s3://") {
            let prefix = rest.split_once('/').map_or("", |(_, prefix)| prefix);
            let below = Path::parse(prefix).map_err(|error| BackupError::Place(error.into()))?;
            let store = AmazonS3Builder::from_env().with_url(to).build();
            return Ok(Self { store: Arc::new(store.map_err(BackupError::Place)?), below });
        }
        let folder = FilePath::new(to);
        make_private_dir(folder)?;
        let store = LocalFileSystem::new_with_prefix(folder).map_err(BackupError::Place)?;
        Ok(Self { store: Arc::new(store.with_fsync(true)), below: Path::default() })
    }

    /// The names of the backups that are whole, the oldest first.
    ///
    /// # Errors
    /// [`BackupError::Store`].
    pub(crate) async fn names(&self) -> Result<Vec<String>, BackupError> {
        let mut names = Vec::new();
        for folder in self.store.list_with_delimiter(self.prefix()).await?.common_prefixes {
            let Some(name) = folder.filename() else { continue };
            if name.starts_with("spacey-") && self.has(&self.of(name, LIST)).await? {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// The list of the backup of that name, or of the latest.
    ///
    /// # Errors
    /// [`BackupError::None`], [`BackupError::Absent`] with what is there; [`BackupError::Unsuitable`] when a newer program made it.
    pub(super) async fn manifest(&self, name: Option<&str>) -> Result<Manifest, BackupError> {
        let there = self.names().await?;
        let name = match name {
            Some(name) if there.iter().any(|known| known == name) => name.to_owned(),
            Some(name) => return Err(BackupError::Absent { name: name.to_owned(), there }),
            None => there.into_iter().next_back().ok_or(BackupError::None)?,
        };
        let unsuitable = |problem: String| BackupError::Unsuitable { name: name.clone(), problem };
        let found = self.store.get(&self.of(&name, LIST)).await?;
        if found.meta.size > LIST_BYTES {
            return Err(unsuitable("its list is too large to be one".into()));
        }
        let manifest: Manifest = serde_json::from_slice(&found.bytes().await?)
            .map_err(|error| unsuitable(format!("its list cannot be read: {error}")))?;
        if manifest.format > FORMAT {
            return Err(unsuitable(format!(
                "a newer program made it, {}: bring it back with that",
                manifest.version
            )));
        }
        if manifest.name != name {
            return Err(unsuitable(format!("its list is that of {}", manifest.name)));
        }
        Ok(manifest)
    }

    /// Begins to write an object.
    ///
    /// # Errors
    /// [`BackupError::Store`].
    pub(super) async fn write(&self, name: &str, object: &str) -> Result<Writing, BackupError> {
        let upload = self.store.put_multipart(&self.of(name, object)).await?;
        Ok(Writing(WriteMultipart::new(upload)))
    }

    /// Reads an object.
    ///
    /// # Errors
    /// [`BackupError::Store`].
    pub(super) async fn read(&self, name: &str, object: &str) -> Result<GetResult, BackupError> {
        Ok(self.store.get(&self.of(name, object)).await?)
    }

    /// Writes the list, by which the backup is one, if all that it names is there: another backup that ended meanwhile may have taken this one for one that
    /// broke off.
    ///
    /// # Errors
    /// [`BackupError::Store`], [`BackupError::Unsuitable`].
    pub(super) async fn finish(&self, manifest: &Manifest) -> Result<(), BackupError> {
        let text = serde_json::to_vec_pretty(manifest).map_err(|error| {
            BackupError::Unsuitable { name: manifest.name.clone(), problem: error.to_string() }
        })?;
        for kept in &manifest.files {
            if !self.has(&self.of(&manifest.name, &kept.object)).await? {
                return Err(BackupError::Unsuitable {
                    name: manifest.name.clone(),
                    problem: format!(
                        "{} was removed meanwhile: is another backup running?",
                        kept.object
                    ),
                });
            }
        }
        self.store.put(&self.of(&manifest.name, LIST), text.into()).await?;
        Ok(())
    }

    /// Removes the oldest whole backups but the latest `keep`, and what broke off before `latest`. Of each the list goes first, so that one that is gone in part counts
    /// as none.
    ///
    /// # Errors
    /// [`BackupError::Store`].
    pub(super) async fn remove_all_but(
        &self,
        keep: usize,
        latest: &str,
    ) -> Result<Vec<String>, BackupError> {
        let whole = self.names().await?;
        let removed = whole[..whole.len().saturating_sub(keep)].to_vec();
        for name in &removed {
            self.store.delete(&self.of(name, LIST)).await?;
        }
        for folder in self.store.list_with_delimiter(self.prefix()).await?.common_prefixes {
            let Some(name) = folder.filename() else { continue };
            let broke_off = name.starts_with("spacey-")
                && name < latest
                && !whole.iter().any(|known| known == name);
            if !broke_off && !removed.iter().any(|gone| gone == name) {
                continue;
            }
            let objects: Vec<_> = self.store.list(Some(&folder)).try_collect().await?;
            for object in objects {
                self.store.delete(&object.location).await?;
            }
        }
        Ok(removed)
    }

    async fn has(&self, path: &Path) -> Result<bool, BackupError> {
        match self.store.head(path).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn prefix(&self) -> Option<&Path> {
        (!self.below.as_ref().is_empty()).then_some(&self.below)
    }

    fn of(&self, name: &str, object: &str) -> Path {
        self.below.clone().join(name).join(object)
    }
}

/// An object that is being written; it is there when it is finished.
pub(super) struct Writing(WriteMultipart);

impl Writing {
    /// # Errors
    /// [`BackupError::Store`].
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), BackupError> {
        self.0.wait_for_capacity(UNDER_WAY).await?;
        self.0.write(bytes);
        Ok(())
    }

    /// # Errors
    /// [`BackupError::Store`].
    pub(super) async fn finish(self) -> Result<(), BackupError> {
        self.0.finish().await?;
        Ok(())
    }
}
