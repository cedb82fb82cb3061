//! Making, changing and deleting cards.

use std::collections::{HashMap, HashSet};

use common::event::CardChanged;
use common::{CardId, DeckId, Error, Event, Viewer};

use super::moves::{moved, take_in};
use super::{Service, expect_version, taken};
use crate::model::{Card, CardEdit, Deck, MAX_BATCH, NewCard};
use crate::store::Changes;

impl Service {
    /// Makes cards at the end of a deck: all or none. Those with an id that the client made and that exist already, just so, are answered as
    /// they are.
    ///
    /// # Errors
    /// [`Error::Invalid`] for no cards, too many, or an id given twice; [`Error::NotFound`] for the deck; [`Error::Conflict`] when an id is that
    /// of something else; [`Error::LimitExceeded`] at [`crate::model::MAX_CARDS`].
    pub async fn create_cards(
        &self,
        viewer: &Viewer,
        deck: DeckId,
        new: &[NewCard],
    ) -> Result<(Deck, Vec<Card>), Error> {
        batch_size("input.cards", new.len())?;
        let ids = new.iter().enumerate().filter_map(|(index, card)| Some((index, card.id?)));
        no_duplicates(ids, |index| format!("input.cards[{index}].id"))?;
        self.change(viewer.user, || self.decide_create_cards(viewer, deck, new)).await
    }

    /// Changes a card's texts.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when it has another version than expected.
    pub async fn update_card(&self, viewer: &Viewer, edit: &CardEdit) -> Result<Card, Error> {
        self.change(viewer.user, || self.decide_update_card(viewer, edit)).await
    }

    /// Deletes cards, all or none, for good.
    ///
    /// # Errors
    /// [`Error::Invalid`] for no cards, too many, or one named twice; [`Error::NotFound`] for the first that is not there.
    pub async fn delete_cards(&self, viewer: &Viewer, ids: &[CardId]) -> Result<(), Error> {
        batch_size("input.ids", ids.len())?;
        no_duplicates(ids.iter().copied().enumerate(), |index| format!("input.ids[{index}]"))?;
        self.change(viewer.user, || self.decide_delete_cards(viewer, ids)).await
    }

    async fn decide_create_cards(
        &self,
        viewer: &Viewer,
        deck: DeckId,
        new: &[NewCard],
    ) -> Result<((Deck, Vec<Card>), Changes), Error> {
        let mut deck = self.deck(viewer, deck).await?;
        let mut existing = self.existing(viewer, deck.id, new).await?;
        let missing = new.len() - existing.len();
        if missing == 0 {
            let cards = new.iter().filter_map(|card| existing.remove(&card.id?)).collect();
            return Ok(((deck, cards), Changes::default()));
        }
        let now = self.clock.now();
        let (places, moved_cards) = self.places_at_end(&deck, missing, now).await?;
        take_in(&mut deck, missing)?;
        deck.last_place = places.last().copied().unwrap_or(deck.last_place);

        let mut new_cards = Vec::with_capacity(missing);
        let mut cards = Vec::with_capacity(new.len());
        let mut places = places.into_iter();
        for new in new {
            if let Some(card) = new.id.and_then(|id| existing.remove(&id)) {
                cards.push(card);
            } else if let Some(position) = places.next() {
                let card = Card {
                    id: new.id.unwrap_or_else(CardId::new),
                    deck: deck.id,
                    owner: viewer.user,
                    position,
                    question: new.question.0.clone(),
                    answer: new.answer.0.clone(),
                    source: new.source,
                    created_at: now,
                    updated_at: now,
                    version: 1,
                };
                new_cards.push(card.clone());
                cards.push(card);
            }
        }
        let told = new_cards.iter().map(|card| told(card, card.version, false));
        let events = told.chain(moved_cards.iter().map(|card| moved(viewer.user, card))).collect();
        let changes = Changes {
            decks: vec![deck.clone()],
            new_cards,
            moved_cards,
            events,
            ..Changes::default()
        };
        Ok(((deck, cards), changes))
    }

    /// Those of the new cards that were made by an earlier try.
    async fn existing(
        &self,
        viewer: &Viewer,
        deck: DeckId,
        new: &[NewCard],
    ) -> Result<HashMap<CardId, Card>, Error> {
        let by_id: HashMap<CardId, (usize, &NewCard)> = new
            .iter()
            .enumerate()
            .filter_map(|(index, card)| Some((card.id?, (index, card))))
            .collect();
        if by_id.is_empty() {
            return Ok(HashMap::new());
        }
        let argument = |index: usize| format!("input.cards[{index}].id");
        let cards = self.store.cards(by_id.keys().copied().collect()).await?;
        for card in &cards {
            let (index, new) = by_id[&card.id];
            if card.owner != viewer.user || !new.describes(card, deck) {
                return Err(taken(&argument(index), card.id));
            }
        }
        if cards.len() < by_id.len() {
            let ids = by_id.keys().map(|id| id.uuid()).collect();
            if let Some(id) = self.store.deleted(ids).await?.first() {
                let index = by_id.get(&CardId::from(*id)).map_or(0, |(index, _)| *index);
                return Err(taken(&argument(index), id));
            }
        }
        Ok(cards.into_iter().map(|card| (card.id, card)).collect())
    }

    async fn decide_update_card(
        &self,
        viewer: &Viewer,
        edit: &CardEdit,
    ) -> Result<(Card, Changes), Error> {
        let before = self.cards(viewer, vec![edit.id]).await?.pop();
        let before = before.ok_or_else(|| Error::not_found("card", edit.id))?;
        expect_version("card", before.id, edit.expected_version, before.version)?;
        let mut card = before.clone();
        if let Some(question) = &edit.question {
            card.question.clone_from(&question.0);
        }
        if let Some(answer) = &edit.answer {
            card.answer.clone_from(&answer.0);
        }
        if card == before {
            return Ok((card, Changes::default()));
        }
        card.version += 1;
        card.updated_at = self.clock.now();
        // Nothing that other domains are told has changed: no event.
        let changes = Changes { edited_cards: vec![card.clone()], ..Changes::default() };
        Ok((card, changes))
    }

    async fn decide_delete_cards(
        &self,
        viewer: &Viewer,
        ids: &[CardId],
    ) -> Result<((), Changes), Error> {
        let cards = self.cards_in_order(viewer, ids).await?;
        let mut decks = self.decks_of(viewer, &cards, None).await?;
        for card in &cards {
            if let Some(deck) = decks.get_mut(&card.deck) {
                deck.card_count -= 1;
            }
        }
        let changes = Changes {
            decks: decks.into_values().collect(),
            deleted_cards: cards.iter().map(|card| (card.id, card.version)).collect(),
            events: cards.iter().map(|card| told(card, card.version + 1, true)).collect(),
            ..Changes::default()
        };
        Ok(((), changes))
    }
}

fn told(card: &Card, version: i64, deleted: bool) -> Event {
    Event::Card(CardChanged {
        card: card.id,
        deck: card.deck,
        owner: card.owner,
        version,
        deleted,
        position: card.position,
        created_at: card.created_at,
        note: None,
        tags: Vec::new(),
    })
}

/// Refuses no cards, and too many.
pub(super) fn batch_size(argument: &str, count: usize) -> Result<(), Error> {
    if (1..=MAX_BATCH).contains(&count) {
        return Ok(());
    }
    Err(Error::invalid(
        argument,
        format!("names {count} cards: 1 to {MAX_BATCH} are accepted at once"),
    ))
}

/// Refuses an id that was given before.
pub(super) fn no_duplicates(
    ids: impl Iterator<Item = (usize, CardId)>,
    argument: impl Fn(usize) -> String,
) -> Result<(), Error> {
    let mut seen = HashSet::new();
    for (index, id) in ids {
        if !seen.insert(id) {
            return Err(Error::invalid(argument(index), format!("{id} is given twice")));
        }
    }
    Ok(())
}
