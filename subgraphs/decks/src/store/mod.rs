//! What the domain asks of a store: batch reads, and one way to write.
//!
//! A store holds no rule. The service reads, decides, and hands over everything that changes as one [`Changes`]; the store makes all of it
//! or nothing, and nothing when what the decision was made on has changed since. It asks nobody whose a row is: the service does.

pub mod mongo;
pub mod sqlite;

use std::collections::HashMap;

use common::event::Event;
use common::outbox::OutboxStore;
use common::page::{Direction, Page, PageRequest};
use common::{CardId, DeckId, StoreError, UserId};
use futures::future::BoxFuture;
use jiff::Timestamp;
use uuid::Uuid;

use crate::model::{Card, CardKey, Deck, DeckKey, DeckOrder, Owner};

/// What every answer of a store is.
pub type Reply<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// Where decks and cards are kept.
pub trait Store: OutboxStore {
    /// What is known of a person.
    fn owner(&self, id: UserId) -> Reply<'_, Owner>;

    /// Those of the decks that exist, in any order.
    fn decks(&self, ids: Vec<DeckId>) -> Reply<'_, Vec<Deck>>;

    /// Those of the cards that exist, in any order.
    fn cards(&self, ids: Vec<CardId>) -> Reply<'_, Vec<Card>>;

    /// Those of the ids that belonged to a deck or a card which was deleted.
    fn deleted(&self, ids: Vec<Uuid>) -> Reply<'_, Vec<Uuid>>;

    /// One page of a person's decks.
    fn deck_page(
        &self,
        owner: UserId,
        order: DeckOrder,
        page: PageRequest<DeckKey>,
    ) -> Reply<'_, Page<Deck>>;

    /// The same page of the cards of each of the decks, with one statement for all. A deck without such cards may be absent.
    fn card_pages(
        &self,
        decks: Vec<DeckId>,
        page: PageRequest<CardKey>,
    ) -> Reply<'_, HashMap<DeckId, Page<Card>>>;

    /// All cards of a deck in order, without their texts.
    fn outline(&self, deck: DeckId) -> Reply<'_, Vec<OutlineCard>>;

    /// Makes all changes at once and keeps their events for delivery, or changes nothing and answers [`Commit::Stale`].
    fn commit(&self, changes: Changes) -> Reply<'_, Commit>;

    /// Whether the store answers.
    fn ping(&self) -> Reply<'_, ()>;
}

/// A card without its texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutlineCard {
    /// Which card.
    pub id: CardId,
    /// Its place.
    pub position: i64,
    /// Its version.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
}

/// How a commit went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commit {
    /// Everything is stored.
    Done,
    /// Somebody was faster: read again and decide again. Nothing was changed.
    Stale,
}

/// Everything that one decision changes. A row that is replaced, moved or deleted is named with the revision or version that the decision
/// was made on.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// The person's row; its revision is the one it had, and it is stored with the next one.
    pub owner: Option<Owner>,
    /// Decks to store.
    pub new_decks: Vec<Deck>,
    /// Decks to replace; their revision is the one they had, and they are stored with the next one.
    pub decks: Vec<Deck>,
    /// Decks to delete with all their cards.
    pub deleted_decks: Vec<Deck>,
    /// Cards to store.
    pub new_cards: Vec<Card>,
    /// Cards whose texts change, with their new version.
    pub edited_cards: Vec<Card>,
    /// Cards that change their place.
    pub moved_cards: Vec<MovedCard>,
    /// Cards to delete.
    pub deleted_cards: Vec<(CardId, i64)>,
    /// What other domains are told.
    pub events: Vec<Event>,
}

impl Changes {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.owner.is_none()
            && self.new_decks.is_empty()
            && self.decks.is_empty()
            && self.deleted_decks.is_empty()
            && self.new_cards.is_empty()
            && self.edited_cards.is_empty()
            && self.moved_cards.is_empty()
            && self.deleted_cards.is_empty()
            && self.events.is_empty()
    }
}

/// A card's new place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedCard {
    /// Which card.
    pub id: CardId,
    /// The deck it will lie in.
    pub deck: DeckId,
    /// Its place there.
    pub position: i64,
    /// Its new version: one more than it had.
    pub version: i64,
    /// When it was made: it stays, and other domains are told.
    pub created_at: Timestamp,
    /// When it was moved.
    pub updated_at: Timestamp,
}

/// The decision was made on rows that have changed since. A store fails a transaction with it, to undo what it wrote.
#[derive(Debug, thiserror::Error)]
#[error("the rows have changed since they were read")]
struct Stale;

/// Turns the ways in which a transaction can find that somebody was faster into [`Commit::Stale`].
fn outcome(result: Result<(), StoreError>) -> Result<Commit, StoreError> {
    match result {
        Ok(()) => Ok(Commit::Done),
        // The id of a new row was free when the decision was made.
        Err(StoreError::Duplicate { .. }) => Ok(Commit::Stale),
        Err(StoreError::Other(cause)) if is_stale(&cause) => Ok(Commit::Stale),
        Err(error) => Err(error),
    }
}

fn is_stale(cause: &common::error::BoxError) -> bool {
    let in_driver = || {
        let error = cause.downcast_ref::<::mongodb::error::Error>()?;
        error.get_custom::<Stale>()
    };
    cause.is::<Stale>() || in_driver().is_some()
}

/// Cuts pages out of cards that a store answered for several decks at once, in any order.
fn pages(request: &PageRequest<CardKey>, cards: Vec<Card>) -> HashMap<DeckId, Page<Card>> {
    let mut decks: HashMap<DeckId, Vec<Card>> = HashMap::new();
    for card in cards {
        decks.entry(card.deck).or_default().push(card);
    }
    let page = |(deck, mut cards): (DeckId, Vec<Card>)| {
        match request.direction {
            Direction::Forward => cards.sort_unstable_by_key(CardKey::of),
            Direction::Backward => {
                cards.sort_unstable_by_key(|card| std::cmp::Reverse(CardKey::of(card)));
            }
        }
        (deck, Page::from_overfull(request, cards))
    };
    decks.into_iter().map(page).collect()
}
