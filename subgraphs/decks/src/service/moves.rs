//! Where cards lie: moving them, within their deck or to another, and making room for new ones.

use std::collections::HashSet;

use common::event::CardChanged;
use common::{CardId, DeckId, Error, Event, UserId, Viewer};
use jiff::Timestamp;

use super::Service;
use super::check::{batch_size, no_duplicates};
use crate::model::{Card, Deck, MAX_CARDS, Move};
use crate::place;
use crate::store::{Changes, MovedCard, OutlineCard};

impl Service {
    /// Moves cards within their deck or to another, next to each other in the order they are named. Answers them in that order.
    ///
    /// # Errors
    /// [`Error::Invalid`] for no cards, too many, one named twice, or an unclear place; [`Error::NotFound`]; [`Error::LimitExceeded`]
    /// at [`MAX_CARDS`].
    pub async fn move_cards(&self, viewer: &Viewer, to: &Move) -> Result<Vec<Card>, Error> {
        batch_size("input.cardIds", "cards", to.cards.len())?;
        let ids = to.cards.iter().copied().enumerate();
        no_duplicates(ids, |index| format!("input.cardIds[{index}]"))?;
        if to.before.is_some_and(|before| to.cards.contains(&before)) {
            return Err(Error::invalid("input.beforeCardId", "is one of the cards to be moved"));
        }
        self.change(viewer.user, || self.decide_move(viewer, to)).await
    }

    async fn decide_move(&self, viewer: &Viewer, to: &Move) -> Result<(Vec<Card>, Changes), Error> {
        let mut cards = self.cards_in_order(viewer, &to.cards).await?;
        let target = self.target(viewer, to, &cards).await?;
        let mut decks = self.decks_of(viewer, &cards, Some(target)).await?;
        let moving: HashSet<CardId> = to.cards.iter().copied().collect();
        let mut outline = self.store.outline(target).await?;
        outline.retain(|card| !moving.contains(&card.id));
        let place = |before| outline.iter().position(|card| card.id == before);
        let at = match to.before {
            None => outline.len(),
            Some(before) => place(before).ok_or_else(|| {
                let message = "is no card of the deck that the cards are moved to";
                Error::invalid("input.beforeCardId", message)
            })?,
        };

        let now = self.clock.now();
        let (places, mut moved_cards) = arrange(target, &outline, at, cards.len(), now);
        for (card, position) in cards.iter_mut().zip(places) {
            if let Some(deck) = decks.get_mut(&card.deck) {
                deck.card_count -= 1;
            }
            card.deck = target;
            card.position = position;
            card.version += 1;
            card.updated_at = now;
            moved_cards.push(MovedCard {
                id: card.id,
                note: card.note,
                deck: target,
                position,
                version: card.version,
                created_at: card.created_at,
                updated_at: now,
            });
        }
        if let Some(deck) = decks.get_mut(&target) {
            let last = moved_cards.iter().map(|card| card.position).max();
            take_in(deck, cards.len())?;
            deck.last_place = deck.last_place.max(last.unwrap_or(deck.last_place));
        }
        let events = moved_cards.iter().map(|card| moved(viewer.user, card)).collect();
        let decks = decks.into_values().collect();
        Ok((cards, Changes { decks, moved_cards, events, ..Changes::default() }))
    }

    /// The deck that cards are to be moved to.
    async fn target(&self, viewer: &Viewer, to: &Move, cards: &[Card]) -> Result<DeckId, Error> {
        if let Some(deck) = to.deck {
            return Ok(deck);
        }
        if let Some(before) = to.before {
            let card = self.cards(viewer, vec![before]).await?.pop();
            return Ok(card.ok_or_else(|| Error::not_found("card", before))?.deck);
        }
        let mut decks = cards.iter().map(|card| card.deck);
        match decks.next() {
            Some(deck) if decks.all(|other| other == deck) => Ok(deck),
            _ => {
                let message = "is missing: the cards lie in several decks, so say where they go";
                Err(Error::invalid("input.deckId", message))
            }
        }
    }

    /// Places at the end of a deck, and the cards of the deck that move in the rare case that the numbers are used up.
    pub(super) async fn places_at_end(
        &self,
        deck: &Deck,
        count: usize,
        now: Timestamp,
    ) -> Result<(Vec<i64>, Vec<MovedCard>), Error> {
        let places: Vec<i64> =
            (1..).take(count).map(|nth: i64| deck.last_place + place::STEP * nth).collect();
        if places.last().is_none_or(|last| *last <= place::LAST) {
            return Ok((places, Vec::new()));
        }
        let outline = self.store.outline(deck.id).await?;
        Ok(arrange(deck.id, &outline, outline.len(), count, now))
    }
}

/// Finds places for `count` cards that are put into a deck at index `at`, and moves those that must make room.
fn arrange(
    deck: DeckId,
    outline: &[OutlineCard],
    at: usize,
    count: usize,
    now: Timestamp,
) -> (Vec<i64>, Vec<MovedCard>) {
    let mut order: Vec<Option<i64>> = outline.iter().map(|card| Some(card.position)).collect();
    order.splice(at..at, std::iter::repeat_n(None, count));
    let (mut places, mut moved_cards) = (Vec::with_capacity(count), Vec::new());
    for (index, position) in place::find(&order, at..at + count) {
        let neighbour = if index < at { index } else { index.wrapping_sub(count) };
        if (at..at + count).contains(&index) {
            places.push(position);
        } else if let Some(card) = outline.get(neighbour) {
            moved_cards.push(MovedCard {
                id: card.id,
                note: card.note,
                deck,
                position,
                version: card.version + 1,
                created_at: card.created_at,
                updated_at: now,
            });
        }
    }
    (places, moved_cards)
}

/// Counts cards into a deck.
pub(super) fn take_in(deck: &mut Deck, count: usize) -> Result<(), Error> {
    deck.card_count += i64::try_from(count).unwrap_or(i64::MAX);
    if deck.card_count > MAX_CARDS {
        let message = format!("a deck holds at most {MAX_CARDS} cards");
        return Err(Error::LimitExceeded { message });
    }
    Ok(())
}

/// What other domains are told of a card with a new place.
pub(super) fn moved(owner: UserId, card: &MovedCard) -> Event {
    Event::Card(CardChanged {
        card: card.id,
        deck: card.deck,
        owner,
        version: card.version,
        deleted: false,
        position: card.position,
        created_at: card.created_at,
        note: Some(card.note),
        tags: Vec::new(),
    })
}
