//! Images and sounds of a person: storing and reading them, and which bytes nothing has any more. Notes name them; whether a note does is no condition of anything.
//!
//! Names are unique for each person, as in Anki's media folder. A file whose name is that of other bytes is stored under a name beside it, which
//! is the same each time: storing a file again stores nothing, and answers the same.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use bytes::Bytes;
use common::page::{Page, PageRequest};
use common::{Error, MediaId, StoreError, TransferId, UserId, Viewer};
use futures::stream::BoxStream;

use super::Service;
use super::check::batch_size;
use super::pieces::pieces;
use crate::model::{
    ContentHash, Media, MediaFilter, MediaLimits, MediaName, MediaTotals, NewMedia, Owner,
    PublishedMedia,
};
use crate::store::Changes;
use crate::store::media::{CHUNK, NewContent};

impl Service {
    /// What a person may keep of media.
    #[must_use]
    pub const fn media_limits(&self) -> &MediaLimits {
        &self.media_limits
    }

    /// Stores files, all or none, and answers them in their order with the names they have. Those that are there already, with the same name and
    /// the same bytes, are answered as they are. Where a name is that of other bytes, or stands twice among `files`, the file gets
    /// [`MediaName::beside`] it: whoever stores a note that names it writes the name that is answered.
    ///
    /// The bytes of all are in memory at the time: whoever has many calls this with some at a time. What was stored so and is not wanted after all
    /// is deleted by [`Service::delete_media`], for good.
    ///
    /// # Errors
    /// [`Error::Invalid`] for no files or too many; [`Error::LimitExceeded`] where the person has no room, by [`Service::media_limits`];
    /// [`Error::Conflict`] when the name beside is taken too.
    pub async fn store_media(
        &self,
        viewer: &Viewer,
        files: &[NewMedia],
    ) -> Result<Vec<Media>, Error> {
        batch_size("input.files", "files", files.len())?;
        self.change(viewer.user, || self.decide_store_media(viewer, files)).await
    }

    /// The viewer's files among `ids`, in any order.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn media(&self, viewer: &Viewer, ids: Vec<MediaId>) -> Result<Vec<Media>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut media = self.store.media(ids).await?;
        media.retain(|media| media.owner == viewer.user);
        Ok(media)
    }

    /// The viewer's files with these names, by name.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn media_named(
        &self,
        viewer: &Viewer,
        names: Vec<MediaName>,
    ) -> Result<HashMap<MediaName, Media>, Error> {
        if names.is_empty() {
            return Ok(HashMap::new());
        }
        let media = self.store.media_named(viewer.user, names).await?;
        Ok(media.into_iter().map(|media| (media.name.clone(), media)).collect())
    }

    /// One page of the viewer's files, by name.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn media_page(
        &self,
        viewer: &Viewer,
        filter: MediaFilter,
        page: PageRequest<String>,
    ) -> Result<Page<Media>, Error> {
        Ok(self.store.media_page(viewer.user, filter, page).await?)
    }

    /// How many of the viewer's files are meant, and their sizes.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn media_totals(
        &self,
        viewer: &Viewer,
        filter: MediaFilter,
    ) -> Result<MediaTotals, Error> {
        Ok(self.store.media_totals(viewer.user, filter).await?)
    }

    /// The bytes of a file in `range`, which lies within it, chunk by chunk. Whoever calls this has seen to it that they may be read: a file of
    /// the viewer's. The stream fails when the file is deleted meanwhile.
    pub fn read_media(
        &self,
        media: &Media,
        range: Range<u64>,
    ) -> BoxStream<'static, Result<Bytes, StoreError>> {
        self.read_bytes(media.owner, media.hash, range)
    }

    /// The same of bytes that a person has.
    pub(super) fn read_bytes(
        &self,
        owner: UserId,
        hash: ContentHash,
        range: Range<u64>,
    ) -> BoxStream<'static, Result<Bytes, StoreError>> {
        let store = self.store.clone();
        pieces(range, CHUNK, format!("the bytes {hash} are gone"), move |number| {
            let store = store.clone();
            async move { store.media_chunk(owner, hash, number.into()).await }
        })
    }

    async fn decide_store_media(
        &self,
        viewer: &Viewer,
        files: &[NewMedia],
    ) -> Result<(Vec<Media>, Changes), Error> {
        let mut storing = self.storing(viewer, files).await?;
        let media = files.iter().map(|file| storing.file(file)).collect::<Result<Vec<_>, _>>()?;
        Ok((media, storing.finish(None).await?))
    }

    /// Begins to take files in.
    pub(super) async fn storing(
        &self,
        viewer: &Viewer,
        files: &[NewMedia],
    ) -> Result<Storing<'_>, Error> {
        let owner = self.store.owner(viewer.user).await?;
        if owner.gone {
            return Err(Error::Unauthenticated);
        }
        let names = files.iter().flat_map(|file| [file.name.clone(), file.name.beside(file.hash)]);
        let named = self.media_named(viewer, names.collect()).await?;
        let hashes: HashSet<ContentHash> = files.iter().map(|file| file.hash).collect();
        let stored = self.stored_contents(viewer.user, hashes.into_iter().collect()).await?;
        let (met, changes) = (HashSet::new(), Changes::default());
        Ok(Storing { service: self, owner, named, stored, met, changes })
    }

    /// Those of the bytes that a person has.
    pub(super) async fn stored_contents(
        &self,
        owner: UserId,
        hashes: Vec<ContentHash>,
    ) -> Result<HashSet<ContentHash>, Error> {
        let holders = self.store.holders(owner, hashes).await?;
        Ok(holders.into_iter().map(|(_, hash)| hash).collect())
    }

    /// What it takes to delete files of `owner`, whose row is brought up to date.
    pub(super) async fn without_media(
        &self,
        owner: &mut Owner,
        media: &[Media],
    ) -> Result<Changes, Error> {
        owner.media_count -= i64::try_from(media.len()).unwrap_or(i64::MAX);
        Ok(Changes {
            deleted_media: media.iter().map(|media| media.id).collect(),
            deleted_contents: self.orphans(owner, media).await?,
            ..Changes::default()
        })
    }

    /// The bytes of `owner` that nothing has any more once `going` go, whatever these are. The owner's row is brought up to date.
    pub(super) async fn orphans(
        &self,
        owner: &mut Owner,
        going: &[impl HasBytes],
    ) -> Result<Vec<(UserId, ContentHash)>, Error> {
        if going.is_empty() {
            return Ok(Vec::new());
        }
        let ids: HashSet<MediaId> = going.iter().map(|file| file.id()).collect();
        let mut sizes: HashMap<ContentHash, i64> =
            going.iter().map(|file| (file.hash(), file.size())).collect();
        for (id, hash) in self.store.holders(owner.id, sizes.keys().copied().collect()).await? {
            if !ids.contains(&id) {
                sizes.remove(&hash);
            }
        }
        owner.media_bytes -= sizes.values().sum::<i64>();
        Ok(sizes.into_keys().map(|hash| (owner.id, hash)).collect())
    }
}

/// A file of some kind, with bytes that are stored.
pub(super) trait HasBytes {
    fn id(&self) -> MediaId;
    fn hash(&self) -> ContentHash;
    fn size(&self) -> i64;
}

impl HasBytes for Media {
    fn id(&self) -> MediaId {
        self.id
    }

    fn hash(&self) -> ContentHash {
        self.hash
    }

    fn size(&self) -> i64 {
        self.size
    }
}

impl HasBytes for PublishedMedia {
    fn id(&self) -> MediaId {
        self.id
    }

    fn hash(&self) -> ContentHash {
        self.hash
    }

    fn size(&self) -> i64 {
        self.size
    }
}

/// How many files one transaction deletes at most.
pub(super) const DELETED_AT_ONCE: usize = 500;
/// How many bytes, unless one file has more: a transaction has a minute, and MongoDB holds in memory what it changes.
const DELETED_BYTES: i64 = 64 << 20;

/// The first of the files, as many as one transaction deletes. There is one at least where there are any.
pub(super) fn portion<T: HasBytes>(mut files: Vec<T>) -> Vec<T> {
    let mut bytes = 0;
    let fits = |file: &&T| {
        bytes += file.size();
        bytes <= DELETED_BYTES
    };
    let count = files.iter().take(DELETED_AT_ONCE).take_while(fits).count().max(1);
    files.truncate(count);
    files
}

/// Files that are being taken in.
pub(super) struct Storing<'a> {
    service: &'a Service,
    owner: Owner,
    named: HashMap<MediaName, Media>,
    stored: HashSet<ContentHash>,
    /// Those that were there.
    met: HashSet<MediaId>,
    changes: Changes,
}

impl Storing<'_> {
    /// The file as it is there, or will be. Where it is refused nothing was done.
    pub(super) fn file(&mut self, file: &NewMedia) -> Result<Media, Error> {
        let beside = file.name.beside(file.hash);
        for name in [&file.name, &beside] {
            match self.named.get(name) {
                Some(media) if media.hash == file.hash => {
                    self.met.insert(media.id);
                    return Ok(media.clone());
                }
                Some(_) => {}
                None => return self.make(name.clone(), file),
            }
        }
        Err(Error::Conflict(format!(
            "both {} and {} are names of other files: choose another name",
            file.name.text(),
            beside.text()
        )))
    }

    fn make(&mut self, name: MediaName, file: &NewMedia) -> Result<Media, Error> {
        let limits = &self.service.media_limits;
        let media = Media {
            id: MediaId::new(),
            owner: self.owner.id,
            name,
            hash: file.hash,
            kind: file.kind,
            size: file.size(),
            created_at: self.service.clock.now(),
        };
        let is_known = self.stored.contains(&file.hash);
        let bytes = self.owner.media_bytes + if is_known { 0 } else { media.size };
        if self.owner.media_count >= limits.files {
            let message = format!(
                "a person has at most {} media files, those in the trash among them",
                limits.files
            );
            return Err(Error::LimitExceeded { message });
        }
        if bytes > limits.bytes {
            let message = format!(
                "a person has at most {} bytes of media, those in the trash among them: with this there would be {bytes}",
                limits.bytes
            );
            return Err(Error::LimitExceeded { message });
        }
        self.owner.media_count += 1;
        self.owner.media_bytes = bytes;
        if !is_known {
            self.stored.insert(file.hash);
            let content =
                NewContent { owner: media.owner, hash: file.hash, bytes: file.bytes.clone() };
            self.changes.new_contents.push(content);
        }
        self.named.insert(media.name.clone(), media.clone());
        self.changes.new_media.push(media.clone());
        Ok(media)
    }

    /// What it takes. What is met of another import than this becomes its owner's own, lest it is deleted with that one.
    pub(super) async fn finish(mut self, import: Option<TransferId>) -> Result<Changes, Error> {
        for media in &self.changes.new_media {
            self.met.remove(&media.id);
        }
        if !self.met.is_empty() {
            let staging = self.service.store.staging_of(self.met.into_iter().collect()).await?;
            let others = staging.into_iter().filter(|(_, by)| Some(*by) != import);
            self.changes.adopted_media = others.map(|(media, _)| media).collect();
        }
        if !self.changes.new_media.is_empty() || !self.changes.adopted_media.is_empty() {
            // Whoever deletes some of them at this moment decides again.
            self.changes.owner = Some(self.owner);
        }
        self.changes.staged_by = import;
        Ok(self.changes)
    }
}
