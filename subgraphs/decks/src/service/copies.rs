//! Copies: new notes and cards that say the same, and of which nothing is learned yet.

use std::collections::{HashMap, HashSet};

use common::{CardId, DeckId, Error, NoteId, Viewer};

use super::cards::told;
use super::check::{batch_size, no_duplicates};
use super::notes::at_once;
use super::{NoteWithCards, Service, tree};
use crate::model::{Card, Deck, Guid, MAX_CARDS_AT_ONCE, Name, NewNote, Note};
use crate::store::Changes;

impl Service {
    /// Copies the notes of cards, each once with all its cards, to the end of a deck: all or none.
    ///
    /// # Errors
    /// [`Error::Invalid`] for no cards, too many, or one named twice; [`Error::NotFound`]; [`Error::LimitExceeded`] as
    /// [`Service::create_notes`].
    pub async fn copy_cards(
        &self,
        viewer: &Viewer,
        cards: &[CardId],
        deck: DeckId,
    ) -> Result<(Deck, Vec<NoteWithCards>), Error> {
        batch_size("input.cardIds", "cards", cards.len())?;
        no_duplicates(cards.iter().copied().enumerate(), |index| {
            format!("input.cardIds[{index}]")
        })?;
        let copy = async || {
            let mut seen = HashSet::new();
            let cards = self.cards_in_order(viewer, cards).await?;
            let notes = cards.iter().map(|card| card.note).filter(|note| seen.insert(*note));
            let notes = self.notes_in_order(viewer, notes.collect()).await?;
            let notes: Vec<NewNote> = notes.into_iter().map(|note| copied(note.note)).collect();
            self.decide_create_notes(viewer, deck, &notes, "cardIds").await
        };
        self.change(viewer.user, copy).await
    }

    /// Copies a deck with those in it and all their cards, to the end of another or of the top.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::LimitExceeded`] at [`MAX_CARDS_AT_ONCE`], [`crate::model::MAX_DECKS`] or
    /// [`crate::model::MAX_DEPTH`].
    pub async fn copy_deck(
        &self,
        viewer: &Viewer,
        id: DeckId,
        parent: Option<DeckId>,
        name: Option<&Name>,
    ) -> Result<Deck, Error> {
        self.change(viewer.user, || self.decide_copy_deck(viewer, id, parent, name)).await
    }

    async fn decide_copy_deck(
        &self,
        viewer: &Viewer,
        id: DeckId,
        parent: Option<DeckId>,
        name: Option<&Name>,
    ) -> Result<(Deck, Changes), Error> {
        let mut deck = self.deck(viewer, id).await?;
        let parent_deck = self.parent(viewer, parent).await?;
        let mut decks = self.store.descendants(viewer.user, id).await?;
        let owner = self.owner_with_room(viewer, decks.len() + 1).await?;
        let (position, mut touched) = self.place_at_end(viewer, parent).await?;
        touched.extend(parent_deck.clone());
        let path = parent_deck.as_ref().map(Deck::ancestors_of_children).unwrap_or_default();
        let length = deck.ancestors.len();
        deck.position = position;
        if let Some(name) = name {
            deck.name.clone_from(&name.0);
        }
        decks.push(deck);
        let cards = self.cards_to_copy(viewer, &decks).await?;
        tree::rebase(&mut decks, length, &path)?;

        let now = self.clock.now();
        let copies: HashMap<DeckId, DeckId> =
            decks.iter().map(|deck| (deck.id, DeckId::new())).collect();
        let copy_of = |deck: &DeckId| copies.get(deck).copied().unwrap_or(*deck);
        let above = |deck: &Deck| deck.ancestors[..path.len()].to_vec();
        let below = |deck: &Deck| deck.ancestors[path.len()..].to_vec();
        for deck in &mut decks {
            *deck = Deck {
                id: copy_of(&deck.id),
                // Those above the copy are no copies, even where it lies in what is copied.
                ancestors: [above(deck), below(deck).iter().map(copy_of).collect()].concat(),
                card_count: 0,
                created_at: now,
                updated_at: now,
                version: 1,
                revision: 1,
                ..deck.clone()
            };
        }
        let (new_notes, new_cards) = self.copy_notes(viewer, cards, &copy_of).await?;
        for deck in &mut decks {
            let count = new_cards.iter().filter(|card| card.deck == deck.id).count();
            deck.card_count = i64::try_from(count).unwrap_or(i64::MAX);
        }
        let deck_events = decks.iter().map(|deck| deck.told(false));
        let events = deck_events.chain(new_cards.iter().map(|card| told(card, false))).collect();
        let copy = decks.last().cloned().ok_or_else(|| Error::not_found("deck", id))?;
        let changes = Changes {
            owner: Some(owner),
            new_decks: decks,
            decks: touched,
            new_notes,
            new_cards,
            events,
            ..Changes::default()
        };
        Ok((copy, changes))
    }

    async fn cards_to_copy(&self, viewer: &Viewer, decks: &[Deck]) -> Result<Vec<Card>, Error> {
        at_once(
            usize::try_from(decks.iter().map(|deck| deck.card_count).sum::<i64>()).unwrap_or(0),
        )?;
        let limit = u32::try_from(MAX_CARDS_AT_ONCE).unwrap_or(u32::MAX);
        let ids = decks.iter().map(|deck| deck.id).collect();
        let ids = self.store.card_ids(ids, limit).await?;
        self.cards_in_order(viewer, &ids).await
    }

    /// Copies of cards and their notes. A note whose cards lie in other decks too is copied with those that are meant.
    async fn copy_notes(
        &self,
        viewer: &Viewer,
        cards: Vec<Card>,
        copy_of: &impl Fn(&DeckId) -> DeckId,
    ) -> Result<(Vec<Note>, Vec<Card>), Error> {
        let now = self.clock.now();
        let mut copies: HashMap<NoteId, NoteId> = HashMap::new();
        let cards: Vec<Card> = cards
            .into_iter()
            .map(|card| Card {
                id: CardId::new(),
                note: *copies.entry(card.note).or_insert_with(NoteId::new),
                deck: copy_of(&card.deck),
                created_at: now,
                updated_at: now,
                version: 1,
                ..card
            })
            .collect();
        let mut notes = self.store.notes(copies.keys().copied().collect()).await?;
        notes.retain(|note| note.owner == viewer.user);
        for note in &mut notes {
            let id = copies.get(&note.id).copied().unwrap_or(note.id);
            (note.id, note.guid, note.version) = (id, Guid::of(id), 1);
            (note.created_at, note.updated_at) = (now, now);
        }
        Ok((notes, cards))
    }
}

fn copied(note: Note) -> NewNote {
    NewNote {
        id: None,
        card: None,
        guid: None,
        content: note.content,
        tags: note.tags,
        source: None,
    }
}
