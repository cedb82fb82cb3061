//! Making notes with their cards, and editing them.

use std::collections::HashMap;

use common::{CardId, DeckId, Error, NoteId, Viewer};

use super::cards::told;
use super::check::{batch_size, expect_version, no_duplicates, taken};
use super::moves::{moved, take_in};
use super::rewrite::Rewrite;
use super::{NoteWithCards, Service};
use crate::model::{Card, Deck, Guid, MAX_CARDS_AT_ONCE, NewNote, Note, NoteEdit};
use crate::store::Changes;

impl Service {
    /// Makes notes whose cards lie at the end of a deck: all or none. Those with an id that the client made and that exist already, just so,
    /// are answered as they are.
    ///
    /// # Errors
    /// [`Error::Invalid`] for no notes, too many, or an id given twice; [`Error::NotFound`] for the deck; [`Error::Conflict`] when an id is that
    /// of something else; [`Error::LimitExceeded`] at [`crate::model::MAX_CARDS`] or [`MAX_CARDS_AT_ONCE`].
    pub async fn create_notes(
        &self,
        viewer: &Viewer,
        deck: DeckId,
        new: &[NewNote],
    ) -> Result<(Deck, Vec<NoteWithCards>), Error> {
        batch_size("input.notes", "notes", new.len())?;
        let ids = new.iter().enumerate().filter_map(|(index, note)| Some((index, note.id?)));
        no_duplicates(ids, |index| format!("input.notes[{index}].id"))?;
        self.change(viewer.user, || self.decide_create_notes(viewer, deck, new, "notes")).await
    }

    /// Edits notes: all or none. Cards that a note makes before and after keep their ids, and so what was learned.
    ///
    /// # Errors
    /// [`Error::Invalid`] for no notes, too many, one named twice, or fields that make no card; [`Error::NotFound`];
    /// [`Error::Outdated`] when one has another version than expected; [`Error::LimitExceeded`] as [`Service::create_notes`].
    pub async fn update_notes(
        &self,
        viewer: &Viewer,
        edits: &[NoteEdit],
    ) -> Result<Vec<NoteWithCards>, Error> {
        batch_size("input.notes", "notes", edits.len())?;
        let ids = edits.iter().map(|edit| edit.id).enumerate();
        no_duplicates(ids, |index| format!("input.notes[{index}].id"))?;
        self.change(viewer.user, || self.decide_update_notes(viewer, edits)).await
    }

    pub(super) async fn decide_create_notes(
        &self,
        viewer: &Viewer,
        deck: DeckId,
        new: &[NewNote],
        list: &str,
    ) -> Result<((Deck, Vec<NoteWithCards>), Changes), Error> {
        let mut deck = self.deck(viewer, deck).await?;
        let mut existing = self.existing(viewer, deck.id, new, list).await?;
        let missing = new.iter().enumerate().filter(|(index, _)| !existing.contains_key(index));
        let count = missing.map(|(_, note)| note.content.cards().len()).sum::<usize>();
        if existing.len() == new.len() {
            let notes = (0..new.len()).filter_map(|index| existing.remove(&index)).collect();
            return Ok(((deck, notes), Changes::default()));
        }
        at_once(count)?;
        let now = self.clock.now();
        let (places, moved_cards) = self.places_at_end(&deck, count, now).await?;
        take_in(&mut deck, count)?;
        deck.last_place = places.last().copied().unwrap_or(deck.last_place);

        let mut places = places.into_iter();
        let mut changes = Changes { decks: vec![deck.clone()], ..Changes::default() };
        let mut notes = Vec::with_capacity(new.len());
        for (index, new) in new.iter().enumerate() {
            if let Some(note) = existing.remove(&index) {
                notes.push(note);
                continue;
            }
            let id = new.id.unwrap_or_else(NoteId::new);
            let note = Note {
                id,
                owner: viewer.user,
                guid: new.guid.clone().unwrap_or_else(|| Guid::of(id)),
                content: new.content.clone(),
                tags: new.tags.clone(),
                created_at: now,
                updated_at: now,
                version: 1,
            };
            let written = note.content.cards().into_iter().zip(places.by_ref());
            let mut first = new.card;
            let cards: Vec<Card> = written
                .map(|(written, position)| Card {
                    id: first.take().unwrap_or_else(CardId::new),
                    position,
                    source: new.source,
                    ..Card::of(&note, written, deck.id)
                })
                .collect();
            changes.events.extend(cards.iter().map(|card| told(card, false)));
            changes.new_cards.extend(cards.iter().cloned());
            changes.new_notes.push(note.clone());
            notes.push(NoteWithCards { note, cards });
        }
        changes.events.extend(moved_cards.iter().map(|card| moved(viewer.user, card)));
        changes.moved_cards = moved_cards;
        Ok(((deck, notes), changes))
    }

    /// Those of the new notes that were made by an earlier try, by their index.
    async fn existing(
        &self,
        viewer: &Viewer,
        deck: DeckId,
        new: &[NewNote],
        list: &str,
    ) -> Result<HashMap<usize, NoteWithCards>, Error> {
        let uuid = |note: &NewNote| note.id.map(NoteId::uuid).or(note.card.map(CardId::uuid));
        let ids: Vec<_> = new.iter().filter_map(uuid).collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let taken_ids = self.store.taken(ids).await?;
        if taken_ids.is_empty() {
            return Ok(HashMap::new());
        }
        let cards = self.cards(viewer, new.iter().filter_map(|note| note.card).collect()).await?;
        let note_of: HashMap<CardId, NoteId> =
            cards.iter().map(|card| (card.id, card.note)).collect();
        let id_of = |new: &NewNote| new.id.or_else(|| note_of.get(&new.card?).copied());
        let notes = self.notes(viewer, new.iter().filter_map(id_of).collect()).await?;
        let mut notes: HashMap<NoteId, NoteWithCards> =
            notes.into_iter().map(|note| (note.note.id, note)).collect();
        let mut existing = HashMap::new();
        for (index, new) in new.iter().enumerate() {
            let Some(uuid) = uuid(new).filter(|id| taken_ids.contains(id)) else { continue };
            let same = |note: &NoteWithCards| {
                let made = |card: &Card| card.deck == deck && card.source == new.source;
                new.describes(&note.note) && note.cards.iter().all(made)
            };
            let note = id_of(new).and_then(|id| notes.remove(&id)).filter(same);
            let note = note.ok_or_else(|| taken(&format!("input.{list}[{index}].id"), uuid))?;
            existing.insert(index, note);
        }
        Ok(existing)
    }

    async fn decide_update_notes(
        &self,
        viewer: &Viewer,
        edits: &[NoteEdit],
    ) -> Result<(Vec<NoteWithCards>, Changes), Error> {
        let ids = edits.iter().map(|edit| edit.id).collect();
        let notes = self.notes_in_order(viewer, ids).await?;
        let mut rewrite = Rewrite::start(self, viewer, &notes).await?;
        let mut answers = Vec::with_capacity(edits.len());
        for (index, (edit, before)) in edits.iter().zip(notes).enumerate() {
            expect_version(&before.note, edit.expected_version)?;
            let mut note = before.note.clone();
            let kind = edit.kind.unwrap_or(note.content.kind());
            let path = format!("input.notes[{index}].fields");
            note.content = note.content.edited(&path, kind, &edit.fields)?;
            if let Some(tags) = &edit.tags {
                note.tags = tags.clone();
            }
            answers.push(rewrite.note(before, note)?);
        }
        let changes = rewrite.finish().await?;
        Ok((with_places(answers, &changes), changes))
    }
}

/// The notes with the places that their new cards got.
pub(super) fn with_places(mut notes: Vec<NoteWithCards>, changes: &Changes) -> Vec<NoteWithCards> {
    let made: HashMap<CardId, &Card> =
        changes.new_cards.iter().chain(&changes.cards).map(|card| (card.id, card)).collect();
    for card in notes.iter_mut().flat_map(|note| &mut note.cards) {
        if let Some(made) = made.get(&card.id) {
            card.clone_from(made);
        }
    }
    notes
}

/// Refuses more cards than one mutation makes or deletes.
pub(super) fn at_once(count: usize) -> Result<(), Error> {
    if count <= MAX_CARDS_AT_ONCE {
        return Ok(());
    }
    let message =
        format!("{count} cards are too many at once: at most {MAX_CARDS_AT_ONCE} are accepted");
    Err(Error::LimitExceeded { message })
}
