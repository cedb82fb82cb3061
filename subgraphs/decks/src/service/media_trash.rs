//! Media in the trash: deleting, restoring, and deleting for good. Files that are deleted lie in an entry of it as notes do. They have no name meanwhile,
//! so that another file may be called so, but count among what a person may keep.
//!
//! Files of notes in the trash stay where they are, so that a note that comes back shows them; they are deleted for good before it is, where no other
//! note names them.

use std::collections::HashSet;

use common::{Error, MediaId, TrashId, UserId, Viewer};

use super::Service;
use super::check::{batch_size, no_duplicates};
use super::media::{DELETED_AT_ONCE, portion};
use super::trash::title;
use crate::model::{Media, MediaName, Trash, TrashKind};
use crate::store::Changes;

/// How many files of an entry are read at once: as many as can be deleted at once.
const ALL: u32 = 1_000;

impl Service {
    /// Puts files into the trash, all or none. Notes that name them stay as they are. Answers the entry.
    ///
    /// # Errors
    /// [`Error::Invalid`] for no files, too many, or one named twice; [`Error::NotFound`] for the first that is not there.
    pub async fn trash_media(&self, viewer: &Viewer, ids: &[MediaId]) -> Result<TrashId, Error> {
        batch_size("input.ids", "files", ids.len())?;
        no_duplicates(ids.iter().copied().enumerate(), |index| format!("input.ids[{index}]"))?;
        self.change(viewer.user, || self.decide_trash_media(viewer, ids)).await
    }

    /// Deletes files for good: all or none are gone at once, and their room is free when this answers.
    ///
    /// # Errors
    /// As [`Service::trash_media`].
    pub async fn delete_media(&self, viewer: &Viewer, ids: &[MediaId]) -> Result<(), Error> {
        let entry = self.trash_media(viewer, ids).await?;
        self.purge_media(viewer.user, Some(entry)).await
    }

    async fn decide_trash_media(
        &self,
        viewer: &Viewer,
        ids: &[MediaId],
    ) -> Result<(TrashId, Changes), Error> {
        let media = self.media(viewer, ids.to_vec()).await?;
        let of = |id: &MediaId| media.iter().find(|media| media.id == *id);
        if let Some(id) = ids.iter().find(|id| of(id).is_none()) {
            return Err(Error::not_found("media file", id));
        }
        let first = ids.first().and_then(of).map(|media| media.name.text()).unwrap_or_default();
        let entry = Trash {
            id: TrashId::new(),
            owner: viewer.user,
            kind: TrashKind::Media,
            title: title(first),
            deck_count: 0,
            card_count: 0,
            media_count: i64::try_from(media.len()).unwrap_or(i64::MAX),
            deleted_at: self.clock.now(),
        };
        let trashed_media = media.into_iter().map(|media| (media, entry.id)).collect();
        Ok((entry.id, Changes { trashed_media, trash: vec![entry], ..Changes::default() }))
    }

    /// What it takes that the files of an entry are there again. One whose name is another file's by now comes back under the name beside it, as if it
    /// were stored now; one that was stored again meanwhile is there already.
    pub(super) async fn restore_media(
        &self,
        viewer: &Viewer,
        entry: TrashId,
    ) -> Result<Changes, Error> {
        let trashed = self.store.trashed_media(viewer.user, Some(entry), ALL).await?;
        let mut owner = self.store.owner(viewer.user).await?;
        let names = trashed.iter().flat_map(|(file, _)| [file.name.clone(), beside(file)]);
        let named = self.media_named(viewer, names.collect()).await?;
        let mut taken: HashSet<MediaName> = HashSet::new();
        let mut changes = Changes::default();
        for (mut file, _) in trashed {
            changes.untrashed_media.push((file.id, entry));
            let names = [file.name.clone(), beside(&file)];
            let is_there = |name| named.get(name).is_some_and(|other| other.hash == file.hash);
            if names.iter().any(is_there) {
                owner.media_count -= 1;
                continue;
            }
            let free = |name: &MediaName| !named.contains_key(name) && !taken.contains(name);
            let name = names.into_iter().find(free);
            file.name = name.ok_or_else(|| {
                let message = "both names it may have are other files' by now: delete one of them";
                Error::Conflict(format!("{}: {message}", file.name.text()))
            })?;
            taken.insert(file.name.clone());
            changes.new_media.push(file);
        }
        changes.owner = Some(owner);
        Ok(changes)
    }

    /// Deletes for good what lies in an entry of a person's trash, or in any, some at a time. An entry that is empty ends.
    pub(super) async fn purge_media(
        &self,
        person: UserId,
        entry: Option<TrashId>,
    ) -> Result<(), Error> {
        while self.change(person, || self.decide_purge_media(person, entry)).await? {}
        Ok(())
    }

    /// Answers whether there may be more.
    async fn decide_purge_media(
        &self,
        person: UserId,
        entry: Option<TrashId>,
    ) -> Result<(bool, Changes), Error> {
        let trashed = self.store.trashed_media(person, entry, ALL).await?;
        let of: Vec<(MediaId, TrashId)> = trashed.iter().map(|(file, of)| (file.id, *of)).collect();
        let going = portion(trashed.into_iter().map(|(file, _)| file).collect());
        if going.is_empty() {
            return Ok((false, Changes::default()));
        }
        let mut owner = self.store.owner(person).await?;
        let changes = self.without_media(&mut owner, &going).await?;
        let ids: HashSet<MediaId> = changes.deleted_media.iter().copied().collect();
        let changes = Changes {
            owner: Some(owner),
            deleted_media: Vec::new(),
            untrashed_media: of.into_iter().filter(|(id, _)| ids.contains(id)).collect(),
            ..changes
        };
        Ok((true, changes))
    }

    /// Deletes for good the files that nothing names any more once an entry of the trash is gone.
    pub(super) async fn purge_media_of_notes(&self, entry: &Trash) -> Result<(), Error> {
        while self.change(entry.owner, || self.decide_purge_media_of_notes(entry)).await? {}
        Ok(())
    }

    /// Answers whether there may be more.
    async fn decide_purge_media_of_notes(&self, entry: &Trash) -> Result<(bool, Changes), Error> {
        let limit = u32::try_from(DELETED_AT_ONCE).unwrap_or(u32::MAX);
        let media = portion(self.store.media_ending_with(entry.id, limit).await?);
        if media.is_empty() {
            return Ok((false, Changes::default()));
        }
        let mut owner = self.store.owner(entry.owner).await?;
        let changes = self.without_media(&mut owner, &media).await?;
        Ok((true, Changes { owner: Some(owner), ..changes }))
    }
}

fn beside(file: &Media) -> MediaName {
    file.name.beside(file.hash)
}
