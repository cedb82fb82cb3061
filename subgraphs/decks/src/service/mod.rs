//! All rules of the domain, and who may do what: only the owner of a deck sees or changes it and its cards. What belongs to somebody else is
//! answered as if it did not exist.
//!
//! A change is decided on rows that were read before, and committed only if they are still the same; otherwise it is decided again.

mod cards;
mod decks;
mod moves;
mod people;

use std::collections::HashMap;
use std::sync::Arc;

use common::outbox::Outbox;
use common::page::{Page, PageRequest};
use common::{CardId, Clock, DeckId, Error, UserId, Viewer};
use tokio::sync::Mutex;

use crate::model::{Card, CardKey, Deck, DeckKey, DeckOrder};
use crate::store::{Changes, Commit, Store};

/// How often a change is decided again. Within a process the changes of one person wait for one another, so this bounds how many processes may
/// be at the same deck at once.
const ATTEMPTS: usize = 10;
/// How many people's changes run at the same time, at most.
const LOCKS: usize = 64;

/// The rules of decks and cards.
pub struct Service {
    store: Arc<dyn Store>,
    outbox: Outbox,
    clock: Clock,
    locks: [Mutex<()>; LOCKS],
}

impl Service {
    /// Starts the domain on its store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, outbox: Outbox, clock: Clock) -> Self {
        Self { store, outbox, clock, locks: std::array::from_fn(|_| Mutex::default()) }
    }

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

    /// One page of the viewer's decks.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the cursor is one of another order; [`Error::Store`].
    pub async fn deck_page(
        &self,
        viewer: &Viewer,
        order: DeckOrder,
        page: PageRequest<DeckKey>,
    ) -> Result<Page<Deck>, Error> {
        if page.cursor.as_ref().is_some_and(|cursor| cursor.sort() != order.by) {
            let message =
                "the cursor is one of a list in another order: pass one that this list answered";
            return Err(Error::invalid("orderBy", message));
        }
        Ok(self.store.deck_page(viewer.user, order, page).await?)
    }

    /// How many decks the viewer has.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn deck_count(&self, viewer: &Viewer) -> Result<i64, Error> {
        Ok(self.store.owner(viewer.user).await?.deck_count)
    }

    /// The same page of the cards of each of the decks, which the viewer was answered before. Cards of anybody else are left out all the
    /// same.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn card_pages(
        &self,
        viewer: &Viewer,
        decks: Vec<DeckId>,
        page: PageRequest<CardKey>,
    ) -> Result<HashMap<DeckId, Page<Card>>, Error> {
        let mut pages = self.store.card_pages(decks, page).await?;
        pages.retain(|_, page| page.rows.iter().all(|card| card.owner == viewer.user));
        Ok(pages)
    }

    /// Decides and commits until nobody is faster, then tells other domains.
    async fn change<T, F>(&self, person: UserId, decide: impl Fn() -> F + Send) -> Result<T, Error>
    where
        F: Future<Output = Result<(T, Changes), Error>> + Send,
        T: Send,
    {
        let answer = self.commit(person, decide).await?;
        self.outbox.flush().await;
        Ok(answer)
    }

    async fn commit<T, F>(&self, person: UserId, decide: impl Fn() -> F + Send) -> Result<T, Error>
    where
        F: Future<Output = Result<(T, Changes), Error>> + Send,
        T: Send,
    {
        let _one_at_a_time = self.locks[person.uuid().as_u128() as usize % LOCKS].lock().await;
        for _ in 0..ATTEMPTS {
            let (answer, changes) = decide().await?;
            if changes.is_empty() || self.store.commit(changes).await? == Commit::Done {
                return Ok(answer);
            }
        }
        Err(Error::Conflict("others change the same things at this moment: try again".into()))
    }

    /// The viewer's deck.
    async fn deck(&self, viewer: &Viewer, id: DeckId) -> Result<Deck, Error> {
        let deck = self.decks(viewer, vec![id]).await?.pop();
        deck.ok_or_else(|| Error::not_found("deck", id))
    }
}

/// Refuses a change to another version than the one the client has seen.
fn expect_version(
    what: &str,
    id: impl std::fmt::Display,
    expected: Option<i64>,
    version: i64,
) -> Result<(), Error> {
    match expected {
        Some(expected) if expected != version => Err(Error::Conflict(format!(
            "the {what} {id} has changed: it has version {version} by now, not {expected}; read it again"
        ))),
        _ => Ok(()),
    }
}

/// An id that a client made is that of something else.
fn taken(argument: &str, id: impl std::fmt::Display) -> Error {
    Error::Conflict(format!(
        "{argument}: the id {id} belongs to something else, or to something deleted: make a new one"
    ))
}
