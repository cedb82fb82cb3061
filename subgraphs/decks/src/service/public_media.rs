//! The files of public decks: which the notes name that are published, and letting go of them. Nothing is copied when a deck is published: its bytes
//! are the author's, counted once, and kept for as long as a file of the author's or a public deck has them.
//!
//! Only these reach anybody else, and only while the deck is public.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use common::{Error, MediaId, PublicationId, UserId, Viewer};

use super::Service;
use super::media::{DELETED_AT_ONCE, portion};
use crate::model::{MediaName, Note, PublishedMedia, published_name};
use crate::references::{self, media_of};
use crate::store::Changes;
use crate::store::sharing::ShareChanges;

/// How many names of files are looked up at once.
pub(super) const NAMES_AT_ONCE: usize = 500;

/// How many decks that are public no more are looked after at once.
const UNLISTED_AT_ONCE: u32 = 100;

/// What of the files of a public deck changes with a release.
pub(super) struct MediaChanges {
    pub(super) new: Vec<PublishedMedia>,
    /// A part of those that the notes no longer name.
    pub(super) dropped: Vec<PublishedMedia>,
    /// Whether there are more of these.
    pub(super) more: bool,
}

impl Service {
    /// Those files of the viewer's that the notes name, as they are published. The notes get their names.
    pub(super) async fn media_to_publish(
        &self,
        viewer: &Viewer,
        publication: PublicationId,
        notes: &mut [Note],
    ) -> Result<Vec<PublishedMedia>, Error> {
        let names: BTreeSet<MediaName> =
            notes.iter().flat_map(|note| media_of(&note.content)).collect();
        let names: Vec<MediaName> = names.into_iter().collect();
        let mut files: BTreeMap<MediaName, PublishedMedia> = BTreeMap::new();
        let mut renamed: HashMap<MediaName, MediaName> = HashMap::new();
        for names in names.chunks(NAMES_AT_ONCE) {
            let mut found: Vec<_> =
                self.media_named(viewer, names.to_vec()).await?.into_values().collect();
            found.sort_by(|one, other| one.name.cmp(&other.name));
            for media in found {
                let name = published_name(&media.name, media.hash);
                let file = files.entry(name.clone()).or_insert_with(|| PublishedMedia {
                    id: PublishedMedia::id_of(publication, &name),
                    publication,
                    owner: media.owner,
                    name: name.clone(),
                    hash: media.hash,
                    kind: media.kind,
                    size: media.size,
                });
                // Others whose names begin alike are not the same.
                if file.hash == media.hash {
                    renamed.insert(media.name, name);
                }
            }
        }
        let mut named: HashSet<MediaName> = HashSet::new();
        for note in notes {
            if let Some(content) = references::renamed(&note.content, &renamed) {
                note.content = content;
            }
            named.extend(media_of(&note.content));
        }
        Ok(files.into_values().filter(|file| named.contains(&file.name)).collect())
    }

    /// What it takes that a public deck has these files, of which those it has are the same or go.
    pub(super) async fn media_changes(
        &self,
        publication: PublicationId,
        files: &[PublishedMedia],
    ) -> Result<MediaChanges, Error> {
        let before = self.store.published_media_of(publication, u32::MAX).await?;
        let known: HashMap<MediaId, &PublishedMedia> =
            before.iter().map(|file| (file.id, file)).collect();
        // A name says which bytes it is of, but for whoever goes out of their way: then it is replaced by the next release.
        let new = files.iter().filter(|file| !known.contains_key(&file.id));
        let new = new.cloned().collect();
        let stays: HashSet<MediaId> = files
            .iter()
            .filter(|file| known.get(&file.id).is_none_or(|known| known.hash == file.hash))
            .map(|file| file.id)
            .collect();
        let leaving: Vec<PublishedMedia> =
            before.into_iter().filter(|file| !stays.contains(&file.id)).collect();
        let count = leaving.len();
        let dropped = portion(leaving);
        let more = dropped.len() < count;
        Ok(MediaChanges { new, dropped, more })
    }

    /// Lets go of the files of decks that are public no more, some at a time. It may be broken off and begun anew.
    pub(super) async fn drop_public_media(
        &self,
        owner: UserId,
        publications: Vec<PublicationId>,
    ) -> Result<(), Error> {
        for id in publications {
            while self.change(owner, || self.decide_drop_media(owner, id)).await? {}
        }
        Ok(())
    }

    /// Lets go of the files of decks that are public no more, where whoever began it broke off. It does not hurt one that somebody is at.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn drop_forgotten_media(&self) -> Result<(), Error> {
        for (publication, owner) in self.store.unlisted_with_media(UNLISTED_AT_ONCE).await? {
            self.drop_public_media(owner, vec![publication]).await?;
        }
        Ok(())
    }

    /// Answers whether there may be more.
    async fn decide_drop_media(
        &self,
        owner: UserId,
        id: PublicationId,
    ) -> Result<(bool, Changes), Error> {
        let found = self.store.publications(vec![id]).await?.pop();
        // Meanwhile it was published again.
        if found.is_some_and(|publication| publication.listed) {
            return Ok((false, Changes::default()));
        }
        let limit = u32::try_from(DELETED_AT_ONCE).unwrap_or(u32::MAX);
        let files = portion(self.store.published_media_of(id, limit).await?);
        if files.is_empty() {
            return Ok((false, Changes::default()));
        }
        let mut owner = self.store.owner(owner).await?;
        let deleted_contents = self.orphans(&mut owner, &files).await?;
        let dropped_media = files.iter().map(|file| file.id).collect();
        let sharing = ShareChanges { dropped_media, ..ShareChanges::default() };
        let owner = Some(owner);
        Ok((true, Changes { owner, sharing, deleted_contents, ..Changes::default() }))
    }

    /// The file with an id, if it is of a deck that is public: anybody may read it.
    pub(super) async fn public_file(&self, id: MediaId) -> Result<Option<PublishedMedia>, Error> {
        let Some(file) = self.store.published_media(vec![id]).await?.pop() else { return Ok(None) };
        let found = self.store.publications(vec![file.publication]).await?.pop();
        Ok(found.filter(|publication| publication.listed).map(|_| file))
    }

    /// Those of the files of public decks that there are, in any order. Whoever calls this was answered the decks before.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn public_media(&self, ids: Vec<MediaId>) -> Result<Vec<PublishedMedia>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.store.published_media(ids).await?)
    }
}
