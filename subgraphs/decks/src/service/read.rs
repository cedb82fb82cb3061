//! What can be read: one's own, nothing else.

use std::collections::{HashMap, HashSet};

use common::page::{Page, PageRequest};
use common::{CardId, DeckId, Error, MediaId, NoteId, UserId, Viewer};
use uuid::Uuid;

use super::{NoteWithCards, Service};
use crate::model::{
    Card, CardKey, CardList, Deck, DeckFilter, DeckKey, DeckOrder, Media, Tag, Tagged, Trash,
    TrashKey,
};

/// Anything with an id of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// The viewer.
    User(UserId),
    /// A deck.
    Deck(Deck),
    /// A note.
    Note(NoteWithCards),
    /// A card.
    Card(Card),
    /// A media file.
    Media(Media),
}

impl Service {
    /// The viewer's decks among `ids`, in any order; an id may occur twice.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn decks(&self, viewer: &Viewer, ids: Vec<DeckId>) -> Result<Vec<Deck>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut decks = self.store.decks(ids).await?;
        decks.retain(|deck| deck.owner == viewer.user);
        Ok(decks)
    }

    /// The viewer's cards among `ids`, in any order; an id may occur twice.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn cards(&self, viewer: &Viewer, ids: Vec<CardId>) -> Result<Vec<Card>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut cards = self.store.cards(ids).await?;
        cards.retain(|card| card.owner == viewer.user);
        Ok(cards)
    }

    /// The viewer's notes among `ids`, in any order; an id may occur twice. A note exists as long as it has a card that is not in the trash.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn notes(
        &self,
        viewer: &Viewer,
        ids: Vec<NoteId>,
    ) -> Result<Vec<NoteWithCards>, Error> {
        let mut notes = self.notes_with_all_cards(viewer, ids).await?;
        for note in &mut notes {
            note.cards.retain(|card| card.trash.is_none());
        }
        notes.retain(|note| !note.cards.is_empty());
        Ok(notes)
    }

    /// The viewer's notes among `ids` with all their cards, also those in the trash.
    pub(super) async fn notes_with_all_cards(
        &self,
        viewer: &Viewer,
        ids: Vec<NoteId>,
    ) -> Result<Vec<NoteWithCards>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let (notes, cards) =
            futures::try_join!(self.store.notes(ids.clone()), self.store.cards_of_notes(ids))?;
        let mut cards_of: HashMap<NoteId, Vec<Card>> = HashMap::new();
        for card in cards {
            cards_of.entry(card.note).or_default().push(card);
        }
        let mine = notes.into_iter().filter(|note| note.owner == viewer.user);
        let with_cards = |note: crate::model::Note| {
            let cards = cards_of.remove(&note.id).unwrap_or_default();
            NoteWithCards { note, cards }
        };
        Ok(mine.map(with_cards).collect())
    }

    /// The viewer's things with these ids, in their order, whatever they are.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn nodes(&self, viewer: &Viewer, ids: &[Uuid]) -> Result<Vec<Option<Node>>, Error> {
        let (decks, notes, cards, media) = futures::try_join!(
            self.decks(viewer, ids.iter().copied().map(DeckId::from).collect()),
            self.notes(viewer, ids.iter().copied().map(NoteId::from).collect()),
            self.cards(viewer, ids.iter().copied().map(CardId::from).collect()),
            self.media(viewer, ids.iter().copied().map(MediaId::from).collect()),
        )?;
        let mut nodes: HashMap<Uuid, Node> = HashMap::new();
        nodes.insert(viewer.user.uuid(), Node::User(viewer.user));
        nodes.extend(media.into_iter().map(|media| (media.id.uuid(), Node::Media(media))));
        nodes.extend(cards.into_iter().map(|card| (card.id.uuid(), Node::Card(card))));
        nodes.extend(notes.into_iter().map(|note| (note.note.id.uuid(), Node::Note(note))));
        nodes.extend(decks.into_iter().map(|deck| (deck.id.uuid(), Node::Deck(deck))));
        Ok(ids.iter().map(|id| nodes.get(id).cloned()).collect())
    }

    /// One page of the viewer's decks.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the cursor is one of another order; [`Error::Store`].
    pub async fn deck_page(
        &self,
        viewer: &Viewer,
        filter: DeckFilter,
        order: DeckOrder,
        page: PageRequest<DeckKey>,
    ) -> Result<Page<Deck>, Error> {
        refuse_other_order(page.cursor.as_ref().is_some_and(|key| key.sort() != order.by))?;
        Ok(self.store.deck_page(viewer.user, filter, order, page).await?)
    }

    /// How many of the viewer's decks are meant.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn deck_count(&self, viewer: &Viewer, filter: DeckFilter) -> Result<i64, Error> {
        if filter == DeckFilter::default() {
            return Ok(self.store.owner(viewer.user).await?.deck_count);
        }
        Ok(self.store.deck_count(viewer.user, filter).await?)
    }

    /// The same page of the decks in each of the decks, which the viewer was answered before.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the cursor is one of another list; [`Error::Store`].
    pub async fn child_pages(
        &self,
        viewer: &Viewer,
        parents: Vec<DeckId>,
        page: PageRequest<DeckKey>,
    ) -> Result<HashMap<DeckId, Page<Deck>>, Error> {
        let other = |key: &DeckKey| !matches!(key, DeckKey::Position(..));
        refuse_other_order(page.cursor.as_ref().is_some_and(other))?;
        let mut pages = self.store.child_pages(parents, page).await?;
        pages.retain(|_, page| page.rows.iter().all(|deck| deck.owner == viewer.user));
        Ok(pages)
    }

    /// How many decks lie right in each of the decks, which the viewer was answered before.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn child_counts(&self, parents: Vec<DeckId>) -> Result<HashMap<DeckId, i64>, Error> {
        Ok(self.store.child_counts(parents).await?)
    }

    /// The same page of the cards of each of the decks, which the viewer was answered before. Cards of anybody else are left out all the
    /// same.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the cursor is one of another order; [`Error::Store`].
    pub async fn card_pages(
        &self,
        viewer: &Viewer,
        decks: Vec<DeckId>,
        list: CardList,
        page: PageRequest<CardKey>,
    ) -> Result<HashMap<DeckId, Page<Card>>, Error> {
        refuse_other_order(page.cursor.is_some_and(|CardKey(by, ..)| by != list.by))?;
        let mut pages = self.store.card_pages(decks, list, page).await?;
        pages.retain(|_, page| page.rows.iter().all(|card| card.owner == viewer.user));
        Ok(pages)
    }

    /// How many cards of each of the decks, which the viewer was answered before, are meant.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn card_counts(
        &self,
        decks: Vec<DeckId>,
        list: CardList,
    ) -> Result<HashMap<DeckId, i64>, Error> {
        Ok(self.store.card_counts(decks, list).await?)
    }

    /// One page of the viewer's tags, by name; with `below` only that tag and those below it.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn tags(
        &self,
        viewer: &Viewer,
        below: Option<Tag>,
        page: PageRequest<String>,
    ) -> Result<Page<Tagged>, Error> {
        Ok(self.store.tags(viewer.user, below, page).await?)
    }

    /// How many tags the viewer's notes have; with `below` only that tag and those below it.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn tag_count(&self, viewer: &Viewer, below: Option<Tag>) -> Result<i64, Error> {
        Ok(self.store.tag_count(viewer.user, below).await?)
    }

    /// How many entries the viewer's trash has.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn trash_count(&self, viewer: &Viewer) -> Result<i64, Error> {
        Ok(self.store.trash_count(viewer.user).await?)
    }

    /// One page of the viewer's trash, newest first.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn trash(
        &self,
        viewer: &Viewer,
        page: PageRequest<TrashKey>,
    ) -> Result<Page<Trash>, Error> {
        Ok(self.store.trash_page(viewer.user, page).await?)
    }

    /// The viewer's deck.
    pub(super) async fn deck(&self, viewer: &Viewer, id: DeckId) -> Result<Deck, Error> {
        let deck = self.decks(viewer, vec![id]).await?.pop();
        deck.ok_or_else(|| Error::not_found("deck", id))
    }

    /// The viewer's cards in the order of `ids`.
    pub(super) async fn cards_in_order(
        &self,
        viewer: &Viewer,
        ids: &[CardId],
    ) -> Result<Vec<Card>, Error> {
        let cards = self.cards(viewer, ids.to_vec()).await?;
        let mut by_id: HashMap<CardId, Card> =
            cards.into_iter().map(|card| (card.id, card)).collect();
        let card = |id: &CardId| by_id.remove(id).ok_or_else(|| Error::not_found("card", id));
        ids.iter().map(card).collect()
    }

    /// The viewer's notes in the order of `ids`, with all their cards.
    pub(super) async fn notes_in_order(
        &self,
        viewer: &Viewer,
        ids: Vec<NoteId>,
    ) -> Result<Vec<NoteWithCards>, Error> {
        let notes = self.notes_with_all_cards(viewer, ids.clone()).await?;
        let live = notes.into_iter().filter(|note| note.cards.iter().any(|c| c.trash.is_none()));
        let mut by_id: HashMap<NoteId, NoteWithCards> =
            live.map(|note| (note.note.id, note)).collect();
        let note = |id: &NoteId| by_id.remove(id).ok_or_else(|| Error::not_found("note", id));
        ids.iter().map(note).collect()
    }

    /// The decks that the cards lie in, without those in the trash, and `target`.
    pub(super) async fn decks_of(
        &self,
        viewer: &Viewer,
        cards: impl IntoIterator<Item = &Card>,
        target: Option<DeckId>,
    ) -> Result<HashMap<DeckId, Deck>, Error> {
        let ids: HashSet<DeckId> = cards.into_iter().map(|card| card.deck).chain(target).collect();
        let decks = self.decks(viewer, ids.into_iter().collect()).await?;
        let decks: HashMap<DeckId, Deck> = decks.into_iter().map(|deck| (deck.id, deck)).collect();
        match target {
            Some(target) if !decks.contains_key(&target) => Err(Error::not_found("deck", target)),
            _ => Ok(decks),
        }
    }
}

pub(super) fn refuse_other_order(other: bool) -> Result<(), Error> {
    if other {
        let message =
            "the cursor is one of a list in another order: pass one that this list answered";
        return Err(Error::invalid("orderBy", message));
    }
    Ok(())
}
