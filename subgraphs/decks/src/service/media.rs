//! Images and sounds of a person: storing, reading, deleting. Notes name them; whether a note does is no condition of anything.
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
use super::check::{batch_size, no_duplicates};
use super::pieces::pieces;
use crate::model::{
    ContentHash, Media, MediaFilter, MediaLimits, MediaName, MediaTotals, NewMedia, Owner,
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
    /// is deleted by [`Service::delete_media`].
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

    /// Deletes files for good, all or none. Notes that name them stay as they are.
    ///
    /// # Errors
    /// [`Error::Invalid`] for no files, too many, or one named twice; [`Error::NotFound`] for the first that is not there.
    pub async fn delete_media(&self, viewer: &Viewer, ids: &[MediaId]) -> Result<(), Error> {
        batch_size("input.ids", "files", ids.len())?;
        no_duplicates(ids.iter().copied().enumerate(), |index| format!("input.ids[{index}]"))?;
        self.change(viewer.user, || self.decide_delete_media(viewer, ids)).await
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

    /// Those of the bytes that a person has: in files, or in public decks whose files are deleted.
    pub(super) async fn stored_contents(
        &self,
        owner: UserId,
        hashes: Vec<ContentHash>,
    ) -> Result<HashSet<ContentHash>, Error> {
        let own = self.store.media_with(owner, hashes.clone());
        let published = self.store.published_media_with(owner, hashes);
        let (own, published) = futures::try_join!(own, published)?;
        let published = published.iter().map(|file| file.hash);
        Ok(own.iter().map(|media| media.hash).chain(published).collect())
    }

    async fn decide_delete_media(
        &self,
        viewer: &Viewer,
        ids: &[MediaId],
    ) -> Result<((), Changes), Error> {
        let mut owner = self.store.owner(viewer.user).await?;
        let media = self.media(viewer, ids.to_vec()).await?;
        let missing = |id: &&MediaId| media.iter().all(|media| media.id != **id);
        if let Some(id) = ids.iter().find(missing) {
            return Err(Error::not_found("media file", id));
        }
        let mut changes = self.without_media(&mut owner, &media).await?;
        changes.owner = Some(owner);
        Ok(((), changes))
    }

    /// What it takes to delete files of `owner`, whose row is brought up to date.
    pub(super) async fn without_media(
        &self,
        owner: &mut Owner,
        media: &[Media],
    ) -> Result<Changes, Error> {
        let going: HashSet<MediaId> = media.iter().map(|media| media.id).collect();
        let sizes: HashMap<ContentHash, i64> = media.iter().map(|m| (m.hash, m.size)).collect();
        if going.is_empty() {
            return Ok(Changes::default());
        }
        let hashes: Vec<ContentHash> = sizes.keys().copied().collect();
        let with = self.store.media_with(owner.id, hashes.clone());
        let published = self.store.published_media_with(owner.id, hashes);
        let (with, published) = futures::try_join!(with, published)?;
        let kept = with.iter().filter(|media| !going.contains(&media.id));
        let kept = kept.map(|media| media.hash).chain(published.iter().map(|file| file.hash));
        let kept: HashSet<ContentHash> = kept.collect();
        let orphans = sizes.into_iter().filter(|(hash, _)| !kept.contains(hash));
        let orphans: Vec<(ContentHash, i64)> = orphans.collect();
        owner.media_count -= i64::try_from(going.len()).unwrap_or(i64::MAX);
        owner.media_bytes -= orphans.iter().map(|(_, size)| size).sum::<i64>();
        Ok(Changes {
            deleted_media: going.into_iter().collect(),
            deleted_contents: orphans.into_iter().map(|(hash, _)| (owner.id, hash)).collect(),
            ..Changes::default()
        })
    }
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
            let message = format!("a person has at most {} media files", limits.files);
            return Err(Error::LimitExceeded { message });
        }
        if bytes > limits.bytes {
            let message = format!(
                "a person has at most {} bytes of media: with this there would be {bytes}",
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
