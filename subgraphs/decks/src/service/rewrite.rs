//! What an edit of notes does to their cards. Cards that are still made keep their ids; new ones lie at the end of the deck of the note's first
//! card; those that are no longer made go into the trash, unlisted, and come back when the note is written so again.
//!
//! Cards that a person deleted stay in the trash, unless the note would be left without any.
//!
//! What is pulled of a published deck is an edit too: of notes and decks, with new ones of both, and with notes that go.

use std::collections::{HashMap, HashSet};

use common::{DeckId, Error, TrashId, Viewer};
use jiff::Timestamp;

use super::cards::told;
use super::moves::{moved, take_in};
use super::notes::at_once;
use super::{NoteWithCards, Service};
use crate::model::{Card, Deck, Note, Trash, TrashKind, Written};
use crate::store::Changes;

/// An edit of notes that is being worked out.
pub(super) struct Rewrite<'a> {
    service: &'a Service,
    viewer: &'a Viewer,
    now: Timestamp,
    /// The entry of the trash for cards that are no longer made.
    trash: TrashId,
    trashed: usize,
    title: Option<String>,
    /// Entries of the trash that cards come back from.
    edits: HashSet<TrashId>,
    /// Entries of the trash in which cards lie with their deck: see [`super::tags`].
    with_deck: HashSet<TrashId>,
    decks: HashMap<DeckId, Deck>,
    changed_decks: HashSet<DeckId>,
    new_decks: HashSet<DeckId>,
    /// Cards of notes that are deleted.
    deleted: Vec<Card>,
    /// Cards, new and old, that still need a place in a deck.
    homeless: HashMap<DeckId, Vec<(Card, bool)>>,
    changes: Changes,
}

impl<'a> Rewrite<'a> {
    /// Begins an edit of notes that come with all their cards.
    pub(super) async fn start(
        service: &'a Service,
        viewer: &'a Viewer,
        notes: &[NoteWithCards],
    ) -> Result<Self, Error> {
        let mut rewrite = Self {
            service,
            viewer,
            now: service.clock.now(),
            trash: TrashId::new(),
            trashed: 0,
            title: None,
            edits: HashSet::new(),
            with_deck: HashSet::new(),
            decks: HashMap::new(),
            changed_decks: HashSet::new(),
            new_decks: HashSet::new(),
            deleted: Vec::new(),
            homeless: HashMap::new(),
            changes: Changes::default(),
        };
        rewrite.meet(notes).await?;
        Ok(rewrite)
    }

    /// Takes in more notes, with all their cards, that may be written.
    pub(super) async fn meet(&mut self, notes: &[NoteWithCards]) -> Result<(), Error> {
        let cards = || notes.iter().flat_map(|note| &note.cards);
        let unknown = cards().filter(|card| !self.decks.contains_key(&card.deck));
        let decks = self.service.decks_of(self.viewer, unknown, None).await?;
        self.decks.extend(decks);
        let trash: HashSet<TrashId> = cards().filter_map(|card| card.trash).collect();
        if trash.is_empty() {
            return Ok(());
        }
        for entry in self.service.store.trash(trash.into_iter().collect()).await? {
            match entry.kind {
                TrashKind::Edit => drop(self.edits.insert(entry.id)),
                TrashKind::Deck => drop(self.with_deck.insert(entry.id)),
                TrashKind::Cards | TrashKind::Media | TrashKind::Import => {}
            }
        }
        Ok(())
    }

    /// Writes a note anew. Answers it with its cards, of which new ones have no place yet.
    pub(super) fn note(
        &mut self,
        before: NoteWithCards,
        note: Note,
    ) -> Result<NoteWithCards, Error> {
        self.note_to(before, note, None)
    }

    /// Writes a note anew, and moves its cards to the end of a deck.
    pub(super) fn note_to(
        &mut self,
        before: NoteWithCards,
        mut note: Note,
        to: Option<DeckId>,
    ) -> Result<NoteWithCards, Error> {
        let NoteWithCards { note: old, cards } = before;
        if note == old && to.is_none() {
            let cards = cards.into_iter().filter(|card| card.trash.is_none()).collect();
            return Ok(NoteWithCards { note, cards });
        }
        if note != old {
            note.version += 1;
            note.updated_at = self.now;
            self.changes.notes.push(note.clone());
        }

        let written = note.content.cards();
        let live = |card: &&Card| card.trash.is_none();
        let Some(home) = to.or_else(|| cards.iter().find(live).map(|card| card.deck)) else {
            return Err(Error::not_found("note", note.id));
        };
        let ordinals: HashSet<i64> = written.iter().map(|written| written.ordinal).collect();
        let known: HashSet<i64> = cards.iter().map(|card| card.ordinal).collect();
        let stays = |card: &Card| {
            card.trash.is_none_or(|trash| self.edits.contains(&trash))
                && ordinals.contains(&card.ordinal)
        };
        let left = cards.iter().any(stays) || !ordinals.is_subset(&known);
        let mut of_ordinal: HashMap<i64, Card> =
            cards.into_iter().map(|card| (card.ordinal, card)).collect();

        let retagged = note.tags != old.tags;
        let mut made = Vec::with_capacity(written.len());
        for written in written {
            let card = match of_ordinal.remove(&written.ordinal) {
                Some(card) => self.keep(card, &written, &note, (home, to), [!left, retagged])?,
                None => Some(self.make(written, &note, home)),
            };
            made.extend(card);
        }
        of_ordinal.into_values().for_each(|card| self.drop_card(card));
        Ok(NoteWithCards { note, cards: made })
    }

    /// Writes the texts of a card that is still made. Answers it unless it stays in the trash.
    fn keep(
        &mut self,
        before: Card,
        written: &Written,
        note: &Note,
        (home, to): (DeckId, Option<DeckId>),
        [revive, retagged]: [bool; 2],
    ) -> Result<Option<Card>, Error> {
        let mut card = before.clone();
        card.question.clone_from(&written.question);
        card.answer.clone_from(&written.answer);
        card.kind = note.content.kind();
        let comes_back = card.trash.is_some_and(|trash| revive || self.edits.contains(&trash));
        if comes_back {
            card.trash = None;
        }
        if let Some(to) = to.filter(|to| card.trash.is_none() && !comes_back && card.deck != *to) {
            card.version += 1;
            card.updated_at = self.now;
            self.take_out(card.deck);
            card.deck = to;
            self.homeless.entry(to).or_default().push((card.clone(), false));
            return Ok(Some(card));
        }
        // Others know the tags of cards, not of notes.
        let is_told = card.trash.is_none_or(|trash| self.with_deck.contains(&trash));
        let tell = retagged && is_told;
        if card != before || tell {
            card.version += 1;
            card.updated_at = self.now;
            if !comes_back {
                self.changes.events.extend(tell.then(|| told(&card, false)));
                self.changes.cards.push(card.clone());
            } else if let Some(deck) = self.decks.get_mut(&card.deck) {
                take_in(deck, 1)?;
                self.changed_decks.insert(deck.id);
                self.changes.events.push(told(&card, false));
                self.changes.cards.push(card.clone());
            } else {
                // Its deck is gone meanwhile.
                card.deck = home;
                self.homeless.entry(home).or_default().push((card.clone(), false));
            }
        }
        Ok(card.trash.is_none().then_some(card))
    }

    fn make(&mut self, written: Written, note: &Note, home: DeckId) -> Card {
        let (created_at, updated_at) = (self.now, self.now);
        let card = Card { created_at, updated_at, ..Card::of(note, written, home) };
        self.homeless.entry(home).or_default().push((card.clone(), true));
        card
    }

    fn drop_card(&mut self, mut card: Card) {
        if card.trash.is_some_and(|trash| self.edits.contains(&trash)) {
            return;
        }
        let was_live = card.trash.is_none();
        card.trash = Some(self.trash);
        card.version += 1;
        card.updated_at = self.now;
        self.trashed += 1;
        self.title.get_or_insert_with(|| super::trash::title(&card.question));
        if was_live {
            self.take_out(card.deck);
            self.changes.events.push(told(&card, true));
        }
        self.changes.cards.push(card);
    }

    /// Counts a card out of a deck.
    fn take_out(&mut self, deck: DeckId) {
        if let Some(deck) = self.decks.get_mut(&deck) {
            deck.card_count -= 1;
            self.changed_decks.insert(deck.id);
        }
    }

    /// Makes a deck. Decks come before those in them.
    pub(super) fn new_deck(&mut self, deck: Deck) {
        self.changes.events.push(deck.told(false));
        self.new_decks.insert(deck.id);
        self.decks.insert(deck.id, deck);
    }

    /// Takes in decks that others are made in, or notes.
    pub(super) fn know(&mut self, decks: impl IntoIterator<Item = Deck>) {
        for deck in decks {
            self.decks.entry(deck.id).or_insert(deck);
        }
    }

    /// A deck that is known.
    pub(super) fn deck(&self, id: DeckId) -> Option<&Deck> {
        self.decks.get(&id)
    }

    /// Writes a deck that is known anew. Without a change it is only made sure that it stays as it is meanwhile.
    pub(super) fn write_deck(&mut self, deck: Deck) {
        self.changed_decks.insert(deck.id);
        self.decks.insert(deck.id, deck);
    }

    /// The known decks in a deck, at any depth, as they will lie.
    pub(super) fn decks_in(&self, id: DeckId) -> impl Iterator<Item = &Deck> {
        self.decks.values().filter(move |deck| deck.ancestors.contains(&id))
    }

    /// Whether no cards will lie in a deck that is known.
    pub(super) fn will_be_empty(&self, deck: &Deck) -> bool {
        deck.card_count == 0 && !self.homeless.contains_key(&deck.id)
    }

    /// Writes a deck that lies elsewhere, and those in it.
    pub(super) fn move_deck(&mut self, deck: Deck, inside: Vec<Deck>) {
        self.changes.events.push(deck.told(false));
        inside.into_iter().chain([deck]).for_each(|deck| self.write_deck(deck));
    }

    /// Puts decks without cards into the trash, as one entry that is called as the first.
    pub(super) fn delete_decks(&mut self, decks: Vec<Deck>) {
        let title = decks.first().map(|deck| super::trash::title(&deck.name));
        let mut entry = self.entry(TrashId::new(), TrashKind::Deck, title, 0);
        entry.deck_count = i64::try_from(decks.len()).unwrap_or(i64::MAX);
        for mut deck in decks {
            deck.trash = Some(entry.id);
            deck.version += 1;
            self.changes.events.push(deck.told(true));
            self.write_deck(deck);
        }
        self.changes.trash.push(entry);
    }

    /// Makes a note whose cards lie in a deck. Answers their number.
    pub(super) fn new_note(&mut self, note: Note, deck: DeckId) -> usize {
        let written = note.content.cards();
        let count = written.len();
        for written in written {
            self.make(written, &note, deck);
        }
        self.changes.new_notes.push(note);
        count
    }

    /// Puts all cards of a note into the trash: for all such notes there is one entry, which is listed.
    pub(super) fn delete(&mut self, note: NoteWithCards) {
        for mut card in note.cards.into_iter().filter(|card| card.trash.is_none()) {
            card.version += 1;
            self.take_out(card.deck);
            self.deleted.push(card);
        }
    }

    fn trash_deleted(&mut self) {
        if self.deleted.is_empty() {
            return;
        }
        let title = self.deleted.first().map(|card| super::trash::title(&card.question));
        let entry = self.entry(TrashId::new(), TrashKind::Cards, title, self.deleted.len());
        for mut card in std::mem::take(&mut self.deleted) {
            card.trash = Some(entry.id);
            self.changes.events.push(told(&card, true));
            self.changes.cards.push(card);
        }
        self.changes.trash.push(entry);
    }

    fn entry(&self, id: TrashId, kind: TrashKind, title: Option<String>, cards: usize) -> Trash {
        Trash {
            id,
            owner: self.viewer.user,
            kind,
            title: title.unwrap_or_default(),
            deck_count: 0,
            card_count: i64::try_from(cards).unwrap_or(i64::MAX),
            media_count: 0,
            deleted_at: self.now,
        }
    }

    /// Finds the places of new cards, and puts everything that changes together.
    pub(super) async fn finish(mut self) -> Result<Changes, Error> {
        at_once(self.homeless.values().map(Vec::len).sum())?;
        for (deck, cards) in std::mem::take(&mut self.homeless) {
            let Some(deck) = self.decks.get_mut(&deck) else {
                return Err(Error::not_found("deck", deck));
            };
            let (places, moved_cards) =
                self.service.places_at_end(deck, cards.len(), self.now).await?;
            take_in(deck, cards.len())?;
            deck.last_place = places.last().copied().unwrap_or(deck.last_place);
            self.changed_decks.insert(deck.id);
            for ((mut card, new), position) in cards.into_iter().zip(places) {
                card.position = position;
                self.changes.events.push(told(&card, false));
                let list = if new { &mut self.changes.new_cards } else { &mut self.changes.cards };
                list.push(card);
            }
            let owner = self.viewer.user;
            self.changes.events.extend(moved_cards.iter().map(|card| moved(owner, card)));
            self.changes.moved_cards.extend(moved_cards);
        }
        if self.trashed > 0 {
            let title = self.title.take();
            let entry = self.entry(self.trash, TrashKind::Edit, title, self.trashed);
            self.changes.trash.push(entry);
        }
        self.trash_deleted();
        let (changed, new) = (self.changed_decks, self.new_decks);
        for deck in self.decks.into_values() {
            if new.contains(&deck.id) {
                self.changes.new_decks.push(deck);
            } else if changed.contains(&deck.id) {
                self.changes.decks.push(deck);
            }
        }
        Ok(self.changes)
    }
}
