//! Media of imports and exports. They are stored before the notes that name them, as the import's own until it is sure to be made, so that what
//! an import stored that is called off is deleted again, and nothing else. A name that is another file's here becomes one beside it, in the notes
//! too.

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;
use common::Error;
use futures::TryStreamExt;
use tokio::sync::mpsc::Sender;

use super::super::Service;
use super::super::media::portion;
use super::export::Piece;
use super::work::Stop;
use crate::exchange::Incoming;
use crate::model::{MediaName, NewMedia, Problem, Transfer};
use crate::references;
use crate::store::Changes;

/// How many files are looked up or deleted at once.
const AT_ONCE: u32 = 100;

/// The names of files in the notes of an import that have another one here.
pub(super) type Renamed = HashMap<MediaName, MediaName>;

/// A note that names files as they are called here.
pub(super) fn with_names(mut note: Incoming, renamed: &Renamed) -> Incoming {
    if let Some(content) = references::renamed(&note.content, renamed) {
        note.content = content;
    }
    note
}

/// A file that an import brings: its name, and what it is, or why it cannot be taken.
type Brought = (String, Result<NewMedia, Error>);

impl Service {
    /// Stores files that an import brings. Answers the names of those that have another one here.
    pub(super) async fn stage_media(
        &self,
        transfer: &mut Transfer,
        files: Vec<(String, Vec<u8>)>,
    ) -> Result<Renamed, Stop> {
        let limits = &self.media_limits;
        let brought: Vec<Brought> = files
            .into_iter()
            .map(|(name, bytes)| {
                let new = NewMedia::imported("media", &name, Bytes::from(bytes), limits);
                (name, new)
            })
            .collect();
        self.step(transfer, |transfer| self.decide_stage_media(transfer, &brought)).await
    }

    async fn decide_stage_media(
        &self,
        mut transfer: Transfer,
        brought: &[Brought],
    ) -> Result<(Renamed, Changes), Stop> {
        let viewer = Self::owner_of(&transfer);
        let files: Vec<NewMedia> =
            brought.iter().filter_map(|(_, new)| new.as_ref().ok().cloned()).collect();
        let mut storing = self.storing(&viewer, &files).await?;
        let mut renamed = Renamed::new();
        let report = &mut transfer.body.report;
        for (name, new) in brought {
            let stored = new.as_ref().map_err(Error::to_string).and_then(|new| {
                let stored = storing.file(new).map_err(|error| error.to_string())?;
                Ok((new.name.clone(), stored.name))
            });
            match stored {
                Ok((name, stored)) => {
                    report.media += 1;
                    if stored != name {
                        renamed.insert(name, stored);
                    }
                }
                Err(error) => {
                    let message = format!("left out: {error}");
                    report.problems.add(Problem { place: name.clone(), message });
                }
            }
        }
        let changes = storing.finish(Some(transfer.id)).await?;
        Ok((renamed, Changes { transfer: Some(transfer), ..changes }))
    }

    /// Deletes what an import stored and what is not its owner's own meanwhile.
    pub(super) async fn delete_staged_media(&self, transfer: &mut Transfer) -> Result<(), Stop> {
        while !self.store.staged_media(transfer.id, 1).await?.is_empty() {
            self.step(transfer, |transfer| self.decide_delete_staged_media(transfer)).await?;
        }
        Ok(())
    }

    async fn decide_delete_staged_media(&self, transfer: Transfer) -> Result<((), Changes), Stop> {
        let mut owner = self.store.owner(transfer.owner).await?;
        let media = portion(self.store.staged_media(transfer.id, AT_ONCE).await?);
        let changes = self.without_media(&mut owner, &media).await?;
        let (owner, transfer) = (Some(owner), Some(transfer));
        Ok(((), Changes { owner, transfer, ..changes }))
    }

    /// Sends the files with these names that are there.
    pub(super) async fn send_media(
        &self,
        transfer: &mut Transfer,
        names: BTreeSet<MediaName>,
        to: &Sender<Piece>,
    ) -> Result<(), Stop> {
        let viewer = Self::owner_of(transfer);
        let names: Vec<MediaName> = names.into_iter().collect();
        for names in names.chunks(AT_ONCE as usize) {
            let mut found: Vec<_> =
                self.media_named(&viewer, names.to_vec()).await?.into_values().collect();
            found.sort_by(|one, other| one.name.cmp(&other.name));
            for media in found {
                let size = u64::try_from(media.size).unwrap_or(0);
                let bytes: Vec<Bytes> = self.read_media(&media, 0..size).try_collect().await?;
                let piece = Piece::Media(media.name.text().to_owned(), bytes);
                self.send(transfer, to, piece).await?;
                transfer.body.report.media += 1;
            }
            self.renew(transfer).await?;
        }
        Ok(())
    }
}
