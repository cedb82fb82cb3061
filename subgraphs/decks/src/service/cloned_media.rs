//! The files of clones. Whoever has a clone of a public deck gets those that the clone's notes name, as files of one's own under one's own limits; the
//! bytes are copied, some at a time. What does not fit is left out and told, and comes with a later pull when there is room.

use std::collections::{BTreeSet, HashSet};

use bytes::Bytes;
use common::{Error, StoreError, Viewer};
use futures::TryStreamExt;

use super::Service;
use super::public_media::NAMES_AT_ONCE;
use crate::model::{ContentHash, MediaName, NewMedia, Publication, PublishedMedia};

/// How many bytes of files are in memory at once, unless one has more.
const BYTES_AT_ONCE: i64 = 8 << 20;
/// How many files are stored in one transaction, at most.
const FILES_AT_ONCE: usize = 100;
/// How many of the files that are left out are told.
pub const MAX_LEFT_OUT: usize = 100;

/// A file that a pull leaves out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// What the notes call it.
    pub name: MediaName,
    /// How many bytes it has.
    pub size: i64,
    /// Why it is left out.
    pub reason: String,
}

/// What became of the files that a clone's notes name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CopiedMedia {
    /// How many files are new.
    pub added: i64,
    /// How many are left out.
    pub left_out_count: i64,
    /// The first [`MAX_LEFT_OUT`] of these, by name.
    pub left_out: Vec<LeftOut>,
}

impl CopiedMedia {
    fn leave_out(&mut self, file: &PublishedMedia, reason: String) {
        self.left_out_count += 1;
        if self.left_out.len() < MAX_LEFT_OUT {
            let (name, size) = (file.name.clone(), file.size);
            self.left_out.push(LeftOut { name, size, reason });
        }
    }
}

/// Which files of a public deck are meant.
pub(super) enum Wanted<'a> {
    /// All.
    All,
    /// Those that notes of the person name, or that are among these.
    Named(&'a HashSet<MediaName>),
}

impl Service {
    /// Refuses a clone whose files do not all fit.
    pub(super) async fn expect_room(
        &self,
        viewer: &Viewer,
        publication: &Publication,
    ) -> Result<(), Error> {
        let (_, report) = self.plan_media(viewer, publication, Wanted::All).await?;
        let Some(first) = report.left_out.first() else { return Ok(()) };
        let message = format!(
            "there is no room for {} of the {} media files of the deck: {}",
            report.left_out_count, publication.media_count, first.reason
        );
        Err(Error::LimitExceeded { message })
    }

    /// Stores the files of a public deck that the viewer's notes name and that the viewer has not. Doing it again does the rest.
    pub(super) async fn copy_media(
        &self,
        viewer: &Viewer,
        publication: &Publication,
    ) -> Result<CopiedMedia, Error> {
        let wanted = Wanted::Named(&HashSet::new());
        let (mut files, mut report) = self.plan_media(viewer, publication, wanted).await?;
        while !files.is_empty() {
            let mut bytes = 0;
            let fits = |file: &&PublishedMedia| {
                bytes += file.size;
                bytes <= BYTES_AT_ONCE
            };
            let count = files.iter().take(FILES_AT_ONCE).take_while(fits).count().max(1);
            let rest = files.split_off(count);
            self.copy_some(viewer, &files, &mut report).await?;
            files = rest;
        }
        Ok(report)
    }

    async fn copy_some(
        &self,
        viewer: &Viewer,
        files: &[PublishedMedia],
        report: &mut CopiedMedia,
    ) -> Result<(), Error> {
        let mut new = Vec::with_capacity(files.len());
        for file in files {
            let PublishedMedia { name, kind, hash, .. } = file;
            match self.bytes_of(file).await? {
                Some(bytes) => {
                    let (name, kind, hash) = (name.clone(), *kind, *hash);
                    new.push(NewMedia { name, kind, hash, bytes });
                }
                None => report.leave_out(file, "it is public no more".to_owned()),
            }
        }
        if new.is_empty() {
            return Ok(());
        }
        match self.store_media(viewer, &new).await {
            Ok(stored) => report.added += i64::try_from(stored.len()).unwrap_or(i64::MAX),
            // Others took room or a name meanwhile: each by itself finds out whether it has one.
            Err(Error::LimitExceeded { .. } | Error::Conflict(_)) => {
                for new in new {
                    self.copy_one(viewer, files, new, report).await?;
                }
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Stores one of the files, or tells why it is left out.
    async fn copy_one(
        &self,
        viewer: &Viewer,
        files: &[PublishedMedia],
        new: NewMedia,
        report: &mut CopiedMedia,
    ) -> Result<(), Error> {
        match self.store_media(viewer, std::slice::from_ref(&new)).await {
            Ok(_) => report.added += 1,
            Err(Error::LimitExceeded { message } | Error::Conflict(message)) => {
                let left = files.iter().filter(|file| file.name == new.name);
                left.for_each(|file| report.leave_out(file, message.clone()));
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// The bytes of a file, unless the author let go of it meanwhile.
    async fn bytes_of(&self, file: &PublishedMedia) -> Result<Option<Bytes>, Error> {
        let size = u64::try_from(file.size).unwrap_or(0);
        let pieces: Result<Vec<Bytes>, StoreError> =
            self.read_bytes(file.owner, file.hash, 0..size).try_collect().await;
        match pieces {
            Ok(pieces) => {
                let bytes = Bytes::from(pieces.concat());
                Ok((ContentHash::of(&bytes) == file.hash).then_some(bytes))
            }
            Err(StoreError::Corrupt(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Which of the files that are wanted are to be stored, by name, and which have no room.
    pub(super) async fn plan_media(
        &self,
        viewer: &Viewer,
        publication: &Publication,
        wanted: Wanted<'_>,
    ) -> Result<(Vec<PublishedMedia>, CopiedMedia), Error> {
        let mut report = CopiedMedia::default();
        if publication.media_count == 0 {
            return Ok((Vec::new(), report));
        }
        let mut files = self.store.published_media_of(publication.id, u32::MAX).await?;
        files.sort_by(|one, other| one.name.cmp(&other.name));
        let owner = self.store.owner(viewer.user).await?;
        let limits = &self.media_limits;
        let (mut count, mut bytes) = (owner.media_count, owner.media_bytes);
        let (mut fits, mut stored) = (Vec::new(), HashSet::new());
        for files in files.chunks(NAMES_AT_ONCE) {
            let missing = self.missing(viewer, files, &wanted).await?;
            let hashes = missing.iter().map(|file| file.hash).collect();
            stored.extend(self.stored_contents(viewer.user, hashes).await?);
            for file in missing {
                let more = if stored.contains(&file.hash) { 0 } else { file.size };
                if file.size > limits.file_bytes {
                    let most = limits.file_bytes;
                    report.leave_out(&file, format!("a file has at most {most} bytes"));
                } else if count >= limits.files {
                    let most = limits.files;
                    report.leave_out(&file, format!("a person has at most {most} media files"));
                } else if bytes + more > limits.bytes {
                    let most = limits.bytes;
                    report.leave_out(&file, format!("a person has at most {most} bytes of media"));
                } else {
                    count += 1;
                    bytes += more;
                    stored.insert(file.hash);
                    fits.push(file);
                }
            }
        }
        Ok((fits, report))
    }

    /// Those of the files that the viewer wants and has not.
    async fn missing(
        &self,
        viewer: &Viewer,
        files: &[PublishedMedia],
        wanted: &Wanted<'_>,
    ) -> Result<Vec<PublishedMedia>, Error> {
        let names = files.iter().map(|file| file.name.clone()).collect();
        let mut there = self.media_named(viewer, names).await?;
        // What an import has brought is the person's own only when the import is over, or when it is stored here too.
        let ids = there.values().map(|media| media.id).collect();
        for (staged, _) in self.store.staging_of(ids).await? {
            there.retain(|_, media| media.id != staged);
        }
        let mut missing: Vec<PublishedMedia> =
            files.iter().filter(|file| !there.contains_key(&file.name)).cloned().collect();
        if let Wanted::Named(also) = wanted {
            let names = missing.iter().map(|file| file.name.clone()).collect::<Vec<_>>();
            let named: BTreeSet<MediaName> = match names.is_empty() {
                true => BTreeSet::new(),
                false => self.store.names_in_notes(viewer.user, names).await?.into_iter().collect(),
            };
            missing.retain(|file| named.contains(&file.name) || also.contains(&file.name));
        }
        Ok(missing)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use common::outbox::Outbox;
    use common::viewer::Roles;
    use common::{Clock, PublicationId, SessionId, UserId, testing};

    use super::*;
    use crate::model::{MediaKind, MediaLimits};
    use crate::store::Store;
    use crate::store::mongo::MongoStore;
    use crate::store::sqlite::{MIGRATIONS, SqliteStore};

    /// The room was there when it was planned, and others took some of it before the bytes came.
    async fn what_fits_is_taken(store: Arc<impl Store + 'static>) {
        let limits = MediaLimits { file_bytes: 1 << 20, files: 9, bytes: 1_000 };
        let outbox = Outbox::start("decks", store.clone(), Vec::new());
        let service = Service::new(store, outbox, Clock::System).with_media_limits(limits);
        let viewer = || Viewer::new(UserId::new(), SessionId::new(), Roles::default());
        let (author, other) = (viewer(), viewer());
        let new: Vec<NewMedia> = [(b'1', 300), (b'2', 500), (b'3', 200)]
            .map(|(filling, size): (u8, usize)| {
                let bytes = Bytes::from(vec![filling; size]);
                let name = MediaName::new("name", &format!("{size}.png")).unwrap();
                NewMedia { name, kind: MediaKind::Png, hash: ContentHash::of(&bytes), bytes }
            })
            .into();
        let published = |media: crate::model::Media| PublishedMedia {
            id: media.id,
            publication: PublicationId::new(),
            owner: media.owner,
            name: media.name,
            hash: media.hash,
            kind: media.kind,
            size: media.size,
        };
        let stored = service.store_media(&author, &new).await.unwrap();
        let files: Vec<PublishedMedia> = stored.into_iter().map(published).collect();
        let bytes = Bytes::from(vec![0; 450]);
        let (name, hash) = (MediaName::new("name", "0.png").unwrap(), ContentHash::of(&bytes));
        let taken = NewMedia { name, kind: MediaKind::Png, hash, bytes };
        service.store_media(&other, &[taken]).await.unwrap();

        let mut report = CopiedMedia::default();
        service.copy_some(&other, &files, &mut report).await.unwrap();
        assert_eq!((report.added, report.left_out_count), (2, 1));
        assert_eq!((report.left_out[0].name.text(), report.left_out[0].size), ("500.png", 500));
        assert!(report.left_out[0].reason.contains("at most 1000 bytes"), "{report:?}");
        let owner = service.store.owner(other.user).await.unwrap();
        assert_eq!((owner.media_count, owner.media_bytes), (3, 950));
    }

    #[tokio::test]
    async fn what_fits_is_taken_where_others_took_the_room_for_the_rest() {
        let (_folder, sqlite) = testing::sqlite(MIGRATIONS);
        what_fits_is_taken(Arc::new(SqliteStore::new(sqlite))).await;
        let mongo = MongoStore::open(testing::mongo().await).await.unwrap();
        what_fits_is_taken(Arc::new(mongo)).await;
    }
}
