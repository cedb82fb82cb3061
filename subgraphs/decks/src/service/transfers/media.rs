//! Media of imports and exports. They are stored before the notes that name them; a name that is another file's here becomes one beside it, in the
//! notes too. What an import stored that is called off is deleted again.

use std::collections::{BTreeSet, HashMap};

use common::Error;
use futures::TryStreamExt;

use super::super::Service;
use super::work::Stop;
use crate::exchange::{Incoming, Writer};
use crate::model::{Content, Field, FieldEdit, MediaName, NewMedia, Problem, Transfer};
use crate::references;

/// How many files are looked up at once.
const AT_ONCE: usize = 100;

/// The names of files in the notes of an import that have another one here.
pub(super) type Renamed = HashMap<MediaName, MediaName>;

/// A note that names files as they are called here.
pub(super) fn with_names(mut note: Incoming, renamed: &Renamed) -> Incoming {
    if renamed.is_empty() {
        return note;
    }
    let edit = |field: &Field| {
        let value = references::with_names(&field.value, renamed);
        let value = value.unwrap_or_else(|| field.value.clone());
        FieldEdit { name: field.name.clone(), value: Some(value) }
    };
    let edits = note.content.fields().iter().map(edit).collect();
    // One that becomes too long keeps the name.
    if let Ok(content) = Content::new("fields", note.content.kind(), edits) {
        note.content = content;
    }
    note
}

impl Service {
    /// Stores a file that an import brings. Answers its name, where it has another one here.
    pub(super) async fn stage_media(
        &self,
        transfer: &mut Transfer,
        name: String,
        bytes: Vec<u8>,
    ) -> Result<Option<(MediaName, MediaName)>, Stop> {
        let viewer = Self::owner_of(transfer);
        let left_out =
            |error: Error| Problem { place: name.clone(), message: format!("left out: {error}") };
        let new = match NewMedia::imported("media", &name, bytes.into(), &self.media_limits) {
            Ok(new) => new,
            Err(error) => {
                transfer.body.report.problems.add(left_out(error));
                return Ok(None);
            }
        };
        let there = new.name.clone();
        let names = vec![there.clone(), there.beside(new.hash)];
        let before = self.media_named(&viewer, names).await?;
        match self.store_media(&viewer, &[new]).await {
            Ok(stored) => {
                let Some(stored) = stored.into_iter().next() else { return Ok(None) };
                transfer.body.report.media += 1;
                // What was there before stays, whatever becomes of the import.
                if before.values().all(|media| media.id != stored.id) {
                    transfer.body.media.push(stored.id);
                    self.renew(transfer).await?;
                }
                Ok((stored.name != there).then_some((there, stored.name)))
            }
            Err(error @ (Error::Store(_) | Error::Unauthenticated)) => Err(error.into()),
            Err(error) => {
                transfer.body.report.problems.add(left_out(error));
                Ok(None)
            }
        }
    }

    /// Deletes what an import stored.
    pub(super) async fn delete_staged_media(&self, transfer: &mut Transfer) -> Result<(), Stop> {
        let viewer = Self::owner_of(transfer);
        for ids in std::mem::take(&mut transfer.body.media).chunks(AT_ONCE) {
            let there = self.media(&viewer, ids.to_vec()).await?;
            let ids: Vec<_> = there.iter().map(|media| media.id).collect();
            if !ids.is_empty() {
                self.delete_media(&viewer, &ids).await?;
            }
        }
        Ok(())
    }

    /// Writes the files with these names that are there.
    pub(super) async fn write_media(
        &self,
        transfer: &mut Transfer,
        names: BTreeSet<MediaName>,
        writer: &mut Writer,
    ) -> Result<(), Stop> {
        let viewer = Self::owner_of(transfer);
        let names: Vec<MediaName> = names.into_iter().collect();
        for names in names.chunks(AT_ONCE) {
            let mut found: Vec<_> =
                self.media_named(&viewer, names.to_vec()).await?.into_values().collect();
            found.sort_by(|one, other| one.name.cmp(&other.name));
            for media in found {
                let size = u64::try_from(media.size).unwrap_or(0);
                let bytes: Vec<bytes::Bytes> =
                    self.read_media(&media, 0..size).try_collect().await?;
                writer.media(media.name.text(), &bytes.concat())?;
                transfer.body.report.media += 1;
            }
            self.renew(transfer).await?;
        }
        Ok(())
    }
}
