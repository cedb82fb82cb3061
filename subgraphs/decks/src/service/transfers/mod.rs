//! Imports and exports: asking for them, sending and fetching their files, and calling them off. The work itself is done by [`work`], in the
//! background, a bounded number at a time; it goes on where it was after a restart.

mod commit;
mod export;
mod media;
mod preview;
mod shelf;
mod stage;
pub(crate) mod work;

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use common::{DeckId, Error, StoreError, TransferId, Viewer};
use futures::stream::BoxStream;

use super::Service;
use super::pieces::pieces;
use crate::model::{
    Direction, ExportOptions, FILE_KEPT, FileFormat, FileName, ImportOptions, MAX_EXPORT_DECKS,
    MAX_FILE, MAX_PART, MAX_TRANSFERS, MAX_UNDER_WAY, TRANSFER_KEPT, Transfer, TransferBody,
    TransferState,
};
use crate::store::Commit;

/// How often a change of a transfer is decided again.
const ATTEMPTS: usize = 10;

/// What a transfer is called in messages.
const fn what(direction: Direction) -> &'static str {
    match direction {
        Direction::Import => "import",
        Direction::Export => "export",
    }
}

impl Service {
    /// Begins an import with the first part of a file. Once the file is complete it is looked through, and the import waits with what is in it
    /// for [`Service::run_import`].
    ///
    /// # Errors
    /// [`Error::Invalid`] for a part that is too large; [`Error::LimitExceeded`] at [`MAX_TRANSFERS`] or
    /// [`MAX_UNDER_WAY`].
    pub async fn import_file(
        &self,
        viewer: &Viewer,
        name: FileName,
        format: Option<FileFormat>,
        part: Vec<u8>,
        is_complete: bool,
    ) -> Result<Transfer, Error> {
        check_part(&part)?;
        // Nothing is begun that would only be in the way.
        if is_complete && part.is_empty() {
            return Err(empty_file());
        }
        let body = TransferBody { name: name.0, format, ..TransferBody::default() };
        let transfer =
            self.begin(viewer, Direction::Import, TransferState::Uploading, body).await?;
        self.append(transfer, 0, part, is_complete).await
    }

    /// Begins an import with a whole file.
    ///
    /// # Errors
    /// As [`Service::import_file`]; [`Error::LimitExceeded`] at [`MAX_FILE`].
    pub async fn import_whole(
        &self,
        viewer: &Viewer,
        name: FileName,
        format: Option<FileFormat>,
        file: &[u8],
    ) -> Result<Transfer, Error> {
        if file.len() as u64 > MAX_FILE {
            let message = format!("a file that is imported has at most {MAX_FILE} bytes");
            return Err(Error::LimitExceeded { message });
        }
        let mut parts = file.chunks(MAX_PART);
        let mut sent = parts.next().unwrap_or_default();
        let is_all = sent.len() == file.len();
        let mut transfer = self.import_file(viewer, name, format, sent.to_vec(), is_all).await?;
        let id = transfer.id;
        let mut offset = sent.len() as u64;
        for part in parts {
            sent = part;
            let is_all = offset + sent.len() as u64 == file.len() as u64;
            transfer = match self.append(transfer, offset, sent.to_vec(), is_all).await {
                Ok(transfer) => transfer,
                Err(error) => {
                    // Whoever sent it knows of no job that could be gone on with.
                    self.store.delete_transfer(id).await?;
                    return Err(error);
                }
            };
            offset += sent.len() as u64;
        }
        Ok(transfer)
    }

    /// Sends the next part of a file, which begins at `offset`. A part that is there already is not taken twice.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] for a part that is too large; [`Error::Conflict`] for another offset than the file's present
    /// size, or when the file is complete; [`Error::LimitExceeded`] at [`MAX_FILE`].
    pub async fn append_to_import(
        &self,
        viewer: &Viewer,
        id: TransferId,
        offset: u64,
        part: Vec<u8>,
        is_complete: bool,
    ) -> Result<Transfer, Error> {
        check_part(&part)?;
        let transfer = self.own_transfer(viewer, Direction::Import, id).await?;
        self.append(transfer, offset, part, is_complete).await
    }

    /// Imports what is in a file, after it was looked through.
    ///
    /// # Errors
    /// [`Error::NotFound`] for it or the deck; [`Error::Conflict`] when it is in another state than that of a preview.
    pub async fn run_import(
        &self,
        viewer: &Viewer,
        id: TransferId,
        options: ImportOptions,
    ) -> Result<Transfer, Error> {
        if let Some(deck) = options.deck {
            self.deck(viewer, deck).await?;
        }
        let transfer = self.own_transfer(viewer, Direction::Import, id).await?;
        let answer = self
            .update_transfer(transfer, |mut transfer| match transfer.state {
                TransferState::Preview => {
                    transfer.state = TransferState::Queued;
                    transfer.body.import = Some(options);
                    transfer.body.asked_at = Some(self.clock.now());
                    Ok(Some(transfer))
                }
                // Sent twice.
                _ if transfer.body.import == Some(options) => Ok(None),
                state => Err(wrong_state(&transfer, state, "run")),
            })
            .await?;
        self.wake.notify_one();
        Ok(answer)
    }

    /// Begins an export.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a deck; [`Error::Invalid`] for none or too many; [`Error::LimitExceeded`] as [`Service::import_file`].
    pub async fn export_decks(
        &self,
        viewer: &Viewer,
        options: ExportOptions,
    ) -> Result<Transfer, Error> {
        if let Some(decks) = &options.decks {
            if decks.is_empty() || decks.len() > MAX_EXPORT_DECKS {
                let message =
                    format!("names {} decks: 1 to {MAX_EXPORT_DECKS} are accepted", decks.len());
                return Err(Error::invalid("input.deckIds", message));
            }
            let found = self.decks(viewer, decks.clone()).await?;
            let missing = |id: &&DeckId| found.iter().all(|deck| deck.id != **id);
            if let Some(id) = decks.iter().find(missing) {
                return Err(Error::not_found("deck", id));
            }
        }
        let body = TransferBody {
            name: format!("spacey.{}", options.format.extension()),
            format: Some(options.format),
            export: Some(options),
            ..TransferBody::default()
        };
        let transfer = self.begin(viewer, Direction::Export, TransferState::Queued, body).await?;
        self.wake.notify_one();
        Ok(transfer)
    }

    /// Calls a transfer off; nothing of it is left. One that is over stays as it is.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] once an import shows what it made.
    pub async fn cancel_transfer(
        &self,
        viewer: &Viewer,
        direction: Direction,
        id: TransferId,
    ) -> Result<Transfer, Error> {
        let transfer = self.own_transfer(viewer, direction, id).await?;
        let answer = self
            .update_transfer(transfer, |mut transfer| match transfer.state {
                state if state.is_over() || state == TransferState::Cancelling => Ok(None),
                TransferState::Committing => {
                    Err(wrong_state(&transfer, TransferState::Committing, "called off"))
                }
                _ => {
                    // Whoever is at work on it is fenced off, and it is free for whoever undoes it.
                    transfer.state = TransferState::Cancelling;
                    transfer.claimed_until = None;
                    Ok(Some(transfer))
                }
            })
            .await?;
        self.wake.notify_one();
        Ok(answer)
    }

    /// One of the viewer's transfers.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn transfer(
        &self,
        viewer: &Viewer,
        direction: Direction,
        id: TransferId,
    ) -> Result<Option<Transfer>, Error> {
        let found = self.store.transfer(id).await?;
        Ok(found.filter(|found| found.owner == viewer.user && found.direction == direction))
    }

    /// The viewer's transfers, newest first: at most [`MAX_TRANSFERS`] and a few.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn transfers(
        &self,
        viewer: &Viewer,
        direction: Direction,
    ) -> Result<Vec<Transfer>, Error> {
        Ok(self.store.transfers(viewer.user, Some(direction)).await?)
    }

    /// A part of an exported file; `None` beyond its end, and while it is not complete.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Store`].
    pub async fn export_part(
        &self,
        viewer: &Viewer,
        id: TransferId,
        number: u32,
    ) -> Result<Option<Vec<u8>>, Error> {
        let transfer = self.own_transfer(viewer, Direction::Export, id).await?;
        if transfer.state != TransferState::Done || transfer.expires_at <= self.clock.now() {
            return Ok(None);
        }
        Ok(self.store.part(id, number).await?)
    }

    /// A complete exported file.
    pub(super) async fn exported(
        &self,
        viewer: &Viewer,
        id: TransferId,
    ) -> Result<Option<Transfer>, Error> {
        let found = self.transfer(viewer, Direction::Export, id).await?;
        let now = self.clock.now();
        let is_there =
            |found: &Transfer| found.state == TransferState::Done && found.expires_at > now;
        Ok(found.filter(is_there))
    }

    /// The bytes of an exported file in `range`, which lies within it, part by part.
    pub(super) fn read_export(
        &self,
        transfer: &Transfer,
        range: Range<u64>,
    ) -> BoxStream<'static, Result<Bytes, StoreError>> {
        let (store, id) = (Arc::clone(&self.store), transfer.id);
        pieces(range, MAX_PART, format!("the file of the export {id} is gone"), move |number| {
            let store = Arc::clone(&store);
            async move { Ok(store.part(id, number).await?.map(Bytes::from)) }
        })
    }

    async fn own_transfer(
        &self,
        viewer: &Viewer,
        direction: Direction,
        id: TransferId,
    ) -> Result<Transfer, Error> {
        let found = self.transfer(viewer, direction, id).await?;
        found.ok_or_else(|| Error::not_found(what(direction), id))
    }

    async fn begin(
        &self,
        viewer: &Viewer,
        direction: Direction,
        state: TransferState,
        body: TransferBody,
    ) -> Result<Transfer, Error> {
        let _one_at_a_time = self.lock(viewer.user).await;
        if self.store.owner(viewer.user).await?.gone {
            return Err(Error::Unauthenticated);
        }
        let mine = self.store.transfers(viewer.user, None).await?;
        let under_way = mine.iter().filter(|transfer| !transfer.state.is_over()).count();
        if under_way >= MAX_UNDER_WAY {
            let message = format!(
                "{under_way} imports and exports are under way: at most {MAX_UNDER_WAY} at once; wait, or call one off"
            );
            return Err(Error::LimitExceeded { message });
        }
        // The oldest are forgotten for new ones.
        let over = mine.iter().rev().filter(|transfer| transfer.state.is_over());
        for old in over.take((mine.len() + 1).saturating_sub(MAX_TRANSFERS)) {
            self.store.delete_transfer(old.id).await?;
        }
        let now = self.clock.now();
        let mut transfer = Transfer {
            id: TransferId::new(),
            owner: viewer.user,
            direction,
            state,
            created_at: now,
            updated_at: now,
            expires_at: now + FILE_KEPT,
            claimed_until: None,
            revision: 0,
            body,
        };
        if self.store.put_transfer(transfer.clone()).await? == Commit::Stale {
            return Err(Error::Conflict("others change the same things at this moment".into()));
        }
        transfer.revision = 1;
        Ok(transfer)
    }

    async fn append(
        &self,
        mut transfer: Transfer,
        offset: u64,
        part: Vec<u8>,
        is_complete: bool,
    ) -> Result<Transfer, Error> {
        let length = part.len() as u64;
        let size = transfer.body.size;
        let is_there = length > 0 && offset + length <= size;
        if transfer.state != TransferState::Uploading {
            return match is_there {
                true => Ok(transfer),
                false => Err(wrong_state(&transfer, transfer.state, "added to")),
            };
        }
        if !is_there && offset != size {
            let message = format!(
                "input.offset: the file has {size} bytes so far: go on there, not at {offset}"
            );
            return Err(Error::Conflict(message));
        }
        let size = if is_there { size } else { size + length };
        if size > MAX_FILE {
            let message = format!("a file that is imported has at most {MAX_FILE} bytes");
            return Err(Error::LimitExceeded { message });
        }
        if is_complete {
            if size == 0 {
                return Err(empty_file());
            }
            transfer.state = TransferState::Reading;
        }
        let number = transfer.body.parts;
        transfer.updated_at = self.clock.now();
        let written = if is_there || length == 0 {
            self.store.put_transfer(transfer.clone()).await?
        } else {
            transfer.body.size = size;
            transfer.body.parts += 1;
            self.store.put_part(transfer.clone(), number, part).await?
        };
        if written == Commit::Stale {
            let message = "another part is being sent at this moment: ask how many bytes there are";
            return Err(Error::Conflict(message.into()));
        }
        transfer.revision += 1;
        if is_complete {
            self.wake.notify_one();
        }
        Ok(transfer)
    }

    /// Changes a transfer, on its present state.
    async fn update_transfer(
        &self,
        mut transfer: Transfer,
        change: impl Fn(Transfer) -> Result<Option<Transfer>, Error> + Send,
    ) -> Result<Transfer, Error> {
        for _ in 0..ATTEMPTS {
            let Some(mut next) = change(transfer.clone())? else { return Ok(transfer) };
            next.updated_at = self.clock.now();
            if self.store.put_transfer(next.clone()).await? == Commit::Done {
                next.revision += 1;
                return Ok(next);
            }
            let id = transfer.id;
            let found = self.store.transfer(id).await?;
            transfer = found.ok_or_else(|| Error::not_found(what(transfer.direction), id))?;
        }
        Err(Error::Conflict("others change the same things at this moment: try again".into()))
    }

    /// Forgets transfers whose time is over, a bounded number of them.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn forget_transfers(&self) -> Result<(), Error> {
        for transfer in self.store.expired_transfers(self.clock.now(), 100).await? {
            match transfer.state {
                // It is undone first, or goes through.
                state if state.is_work() => {}
                _ => self.store.delete_transfer(transfer.id).await?,
            }
        }
        Ok(())
    }

    /// Says that a transfer is over, and removes its file unless that is what was asked for.
    async fn end(&self, mut transfer: Transfer, state: TransferState) -> Result<(), Error> {
        let now = self.clock.now();
        let is_file = transfer.direction == Direction::Export && state == TransferState::Done;
        transfer.state = state;
        transfer.updated_at = now;
        transfer.expires_at = now + if is_file { FILE_KEPT } else { TRANSFER_KEPT };
        transfer.claimed_until = None;
        transfer.body.staging = None;
        let id = transfer.id;
        if self.store.put_transfer(transfer).await? == Commit::Done && !is_file {
            self.store.delete_parts(id).await?;
        }
        Ok(())
    }
}

fn empty_file() -> Error {
    Error::invalid("input.data", "is empty: send the file")
}

fn check_part(part: &[u8]) -> Result<(), Error> {
    if part.len() <= MAX_PART {
        return Ok(());
    }
    let message = format!("has {} bytes: at most {MAX_PART} are accepted at once", part.len());
    Err(Error::invalid("input.data", message))
}

fn wrong_state(transfer: &Transfer, state: TransferState, done: &str) -> Error {
    let what = what(transfer.direction);
    Error::Conflict(format!("the {what} {} cannot be {done}: it is {state:?}", transfer.id))
}
