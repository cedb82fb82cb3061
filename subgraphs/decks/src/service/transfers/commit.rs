//! The second half of an import: what was made is shown, in transactions of bounded size. Each step is decided on what there is, so a step
//! that was made before is not made again: whoever goes on after a crash just begins here. Nothing here makes an import fail.

use std::collections::{HashMap, HashSet};

use common::{DeckId, Error, NoteId, TrashId};
use jiff::SignedDuration;

use super::super::Service;
use super::super::cards::told;
use super::super::rewrite::Rewrite;
use super::work::Stop;
use crate::model::{
    Card, Content, Deck, FieldEdit, Item, MAX_DEPTH, NoteKind, Problem, TRANSFER_KEPT, TRASH_KEPT,
    Tag, Tags, Transfer, TransferState, Trash, TrashKind,
};
use crate::store::{Changes, Uncovered};

/// How many cards are shown in one transaction.
const CARDS: u32 = 500;
/// How many notes are updated in one transaction.
const UPDATES: u32 = 50;
/// How many events of learned things go into one transaction.
const HISTORIES: u32 = 4;

impl Service {
    pub(super) async fn commit_import(&self, transfer: &mut Transfer) -> Result<(), Stop> {
        let Some(staging) = transfer.body.staging else {
            return Ok(self.end(transfer.clone(), TransferState::Done).await?);
        };
        if !self.store.trashed_decks(staging).await?.is_empty() {
            self.step(transfer, |transfer| self.decide_show_decks(transfer, staging)).await?;
            self.outbox.flush().await;
        }
        while !self.store.trashed_cards(staging, 1).await?.is_empty() {
            self.step(transfer, |transfer| self.decide_show_cards(transfer, staging)).await?;
            self.outbox.flush().await;
        }
        loop {
            let items = self.store.items(transfer.id, UPDATES).await?;
            let Some((_, first)) = items.first() else { break };
            match first {
                Item::History(_) => {
                    self.step(transfer, |transfer| self.decide_tell(transfer)).await?;
                }
                Item::Update { .. } => self.update_some(transfer).await?,
            }
            self.outbox.flush().await;
        }
        let id = transfer.id;
        self.step(transfer, |transfer| async move {
            let now = self.clock.now();
            let transfer = Transfer {
                state: TransferState::Done,
                claimed_until: None,
                expires_at: now + TRANSFER_KEPT,
                body: crate::model::TransferBody { staging: None, ..transfer.body },
                ..transfer
            };
            let (restored, transfer) = (vec![staging], Some(transfer));
            Ok(((), Changes { restored, transfer, ..Changes::default() }))
        })
        .await?;
        self.store.delete_parts(id).await?;
        Ok(())
    }

    /// New decks are there, below their parents as these lie now; what would lie too deep, or whose parent is gone, lies at the top.
    async fn decide_show_decks(
        &self,
        transfer: Transfer,
        staging: TrashId,
    ) -> Result<((), Changes), Stop> {
        let viewer = Self::owner_of(&transfer);
        let mut new = self.store.trashed_decks(staging).await?;
        new.sort_by_key(|deck| deck.ancestors.len());
        let ids: HashSet<DeckId> = new.iter().map(|deck| deck.id).collect();
        let above: HashSet<DeckId> =
            new.iter().filter_map(Deck::parent).filter(|id| !ids.contains(id)).collect();
        let parents = self.decks(&viewer, above.into_iter().collect()).await?;
        let mut paths: HashMap<DeckId, Vec<DeckId>> =
            parents.iter().map(|deck| (deck.id, deck.ancestors_of_children())).collect();
        let mut owner = self.store.owner(transfer.owner).await?;
        if owner.gone {
            return Err(Stop::Fenced);
        }
        owner.deck_count += i64::try_from(new.len()).unwrap_or(0);
        for deck in &mut new {
            let path = deck.parent().and_then(|parent| paths.get(&parent).cloned());
            let path = path.filter(|path| path.len() < MAX_DEPTH);
            deck.ancestors = path.unwrap_or_default();
            deck.trash = None;
            deck.version += 1;
            paths.insert(deck.id, deck.ancestors_of_children());
        }
        let events = new.iter().map(|deck| deck.told(false)).collect();
        // What is decided rests on where the parents lie.
        new.extend(parents);
        let (owner, transfer) = (Some(owner), Some(transfer));
        Ok(((), Changes { owner, decks: new, events, transfer, ..Changes::default() }))
    }

    /// Cards are there. Those whose deck was deleted meanwhile are deleted with it.
    async fn decide_show_cards(
        &self,
        mut transfer: Transfer,
        staging: TrashId,
    ) -> Result<((), Changes), Stop> {
        let viewer = Self::owner_of(&transfer);
        let cards = self.store.trashed_cards(staging, CARDS).await?;
        let mut decks = self.decks_of(&viewer, &cards, None).await?;
        let mut changes = Changes::default();
        let left = TrashId::new();
        let mut notes = HashSet::new();
        for card in cards {
            notes.insert(card.note);
            let version = card.version + 1;
            let Some(deck) = decks.get_mut(&card.deck) else {
                changes.uncovered.push(Uncovered { id: card.id, version, trash: Some(left) });
                continue;
            };
            deck.card_count += 1;
            deck.last_place = deck.last_place.max(card.position);
            changes.uncovered.push(Uncovered { id: card.id, version, trash: None });
            changes.events.push(told(&Card { version, trash: None, ..card }, false));
        }
        if changes.uncovered.iter().any(|card| card.trash.is_some()) {
            changes.trash = vec![Trash {
                id: left,
                owner: transfer.owner,
                kind: TrashKind::Import,
                title: String::new(),
                deck_count: 0,
                card_count: 0,
                media_count: 0,
                // It is deleted for good at once.
                deleted_at: self.clock.now() - TRASH_KEPT - SignedDuration::from_hours(1),
            }];
        }
        transfer.body.done = (transfer.body.done + notes.len() as u64).min(transfer.body.total);
        changes.decks = decks.into_values().collect();
        changes.transfer = Some(transfer);
        Ok(((), changes))
    }

    /// Learning is told.
    async fn decide_tell(&self, transfer: Transfer) -> Result<((), Changes), Stop> {
        let mut changes = Changes::default();
        for (number, item) in self.store.items(transfer.id, HISTORIES).await? {
            let Item::History(told) = item else { break };
            changes.done_items = Some(number);
            changes.events.push(common::Event::History(told));
        }
        changes.transfer = Some(transfer);
        Ok(((), changes))
    }

    /// Notes that were there get the file's texts; where that fails for one of several, each by itself.
    async fn update_some(&self, transfer: &mut Transfer) -> Result<(), Stop> {
        let together =
            self.step(transfer, |transfer| self.decide_update_some(transfer, UPDATES)).await;
        match together {
            Err(Stop::Domain(error)) if is_about_the_note(&error) => {
                let alone =
                    self.step(transfer, |transfer| self.decide_update_some(transfer, 1)).await;
                match alone {
                    Err(Stop::Domain(error)) if is_about_the_note(&error) => {
                        let message = error.to_string();
                        self.step(transfer, |transfer| self.decide_pass(transfer, message.clone()))
                            .await
                    }
                    done => done,
                }
            }
            done => done,
        }
    }

    async fn decide_update_some(
        &self,
        mut transfer: Transfer,
        most: u32,
    ) -> Result<((), Changes), Stop> {
        let viewer = Self::owner_of(&transfer);
        let mut updates: HashMap<NoteId, (Content, Tags)> = HashMap::new();
        let mut done = None;
        for (number, item) in self.store.items(transfer.id, most).await? {
            let Item::Update { note, kind, fields, tags } = item else { break };
            done = Some(number);
            let kind = NoteKind::of_number(kind).unwrap_or(NoteKind::Basic);
            let edit = |(name, value)| FieldEdit { name, value: Some(value) };
            let content = Content::new("fields", kind, fields.into_iter().map(edit).collect())?;
            let tags = tags.iter().map(|tag| Tag::new("tags", tag)).collect::<Result<_, _>>()?;
            updates.insert(note, (content, Tags::new("tags", tags)?));
        }
        let ids: Vec<NoteId> = updates.keys().copied().collect();
        let mut notes = self.notes_with_all_cards(&viewer, ids).await?;
        notes.retain(|note| note.cards.iter().any(|card| card.trash.is_none()));
        // Some were deleted meanwhile.
        let gone = (updates.len() - notes.len()) as u64;
        transfer.body.report.updated = transfer.body.report.updated.saturating_sub(gone);
        transfer.body.report.skipped += gone;
        let mut rewrite = Rewrite::start(self, &viewer, &notes).await?;
        for before in notes {
            let Some((content, tags)) = updates.remove(&before.note.id) else { continue };
            let mut note = before.note.clone();
            (note.content, note.tags) = (content, tags);
            rewrite.note(before, note)?;
        }
        let mut changes = rewrite.finish().await?;
        changes.done_items = done;
        changes.transfer = Some(transfer);
        Ok(((), changes))
    }

    /// An update that cannot be made is passed over, and told.
    async fn decide_pass(
        &self,
        mut transfer: Transfer,
        message: String,
    ) -> Result<((), Changes), Stop> {
        let mut changes = Changes::default();
        let first = self.store.items(transfer.id, 1).await?.pop();
        if let Some((number, Item::Update { note, .. })) = first {
            changes.done_items = Some(number);
            let report = &mut transfer.body.report;
            report.updated = report.updated.saturating_sub(1);
            report.skipped += 1;
            report.problems.add(Problem { place: format!("note {note}"), message });
        }
        changes.transfer = Some(transfer);
        Ok(((), changes))
    }
}

/// Whether a change cannot be made as it is, so that trying again is no use. Of others who change the same at the moment this is not so.
const fn is_about_the_note(error: &Error) -> bool {
    matches!(error, Error::Invalid { .. } | Error::LimitExceeded { .. } | Error::NotFound { .. })
}
