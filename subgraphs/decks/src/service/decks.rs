//! Making, changing and deleting decks.

use common::event::DeckChanged;
use common::{DeckId, Error, Event, Viewer};

use super::{Service, expect_version, taken};
use crate::model::{Deck, DeckEdit, MAX_DECKS, NewDeck};
use crate::store::Changes;

impl Service {
    /// Makes a deck. With an id that the client made, doing it again answers the same deck.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the id is that of something else, [`Error::LimitExceeded`] at [`MAX_DECKS`].
    pub async fn create_deck(&self, viewer: &Viewer, new: &NewDeck) -> Result<Deck, Error> {
        self.change(viewer.user, || self.decide_create(viewer, new)).await
    }

    /// Changes a deck.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when it has another version than expected.
    pub async fn update_deck(&self, viewer: &Viewer, edit: &DeckEdit) -> Result<Deck, Error> {
        self.change(viewer.user, || self.decide_update(viewer, edit)).await
    }

    /// Deletes a deck with its cards, for good.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn delete_deck(&self, viewer: &Viewer, id: DeckId) -> Result<(), Error> {
        self.change(viewer.user, || self.decide_delete(viewer, id)).await
    }

    async fn decide_create(
        &self,
        viewer: &Viewer,
        new: &NewDeck,
    ) -> Result<(Deck, Changes), Error> {
        if let Some(id) = new.id {
            if let Some(deck) = self.store.decks(vec![id]).await?.pop() {
                let same = deck.owner == viewer.user && new.describes(&deck);
                return if same {
                    Ok((deck, Changes::default()))
                } else {
                    Err(taken("input.id", id))
                };
            }
            if !self.store.deleted(vec![id.uuid()]).await?.is_empty() {
                return Err(taken("input.id", id));
            }
        }
        let mut owner = self.store.owner(viewer.user).await?;
        if owner.gone {
            return Err(Error::Unauthenticated);
        }
        if owner.deck_count >= MAX_DECKS {
            let message = format!("you have {MAX_DECKS} decks, the most there can be");
            return Err(Error::LimitExceeded { message });
        }
        owner.deck_count += 1;
        let now = self.clock.now();
        let deck = Deck {
            id: new.id.unwrap_or_else(DeckId::new),
            owner: viewer.user,
            name: new.name.0.clone(),
            description: new.description.0.clone(),
            color: new.color.as_ref().map(|color| color.0.clone()),
            created_at: now,
            updated_at: now,
            version: 1,
            card_count: 0,
            last_place: 0,
            revision: 1,
        };
        let events = vec![told(&deck, deck.version, false)];
        let changes = Changes {
            owner: Some(owner),
            new_decks: vec![deck.clone()],
            events,
            ..Changes::default()
        };
        Ok((deck, changes))
    }

    async fn decide_update(
        &self,
        viewer: &Viewer,
        edit: &DeckEdit,
    ) -> Result<(Deck, Changes), Error> {
        let before = self.deck(viewer, edit.id).await?;
        expect_version("deck", before.id, edit.expected_version, before.version)?;
        let mut deck = before.clone();
        if let Some(name) = &edit.name {
            deck.name.clone_from(&name.0);
        }
        if let Some(description) = &edit.description {
            deck.description.clone_from(&description.0);
        }
        if let Some(color) = &edit.color {
            deck.color = color.as_ref().map(|color| color.0.clone());
        }
        if deck == before {
            return Ok((deck, Changes::default()));
        }
        deck.version += 1;
        deck.updated_at = self.clock.now();
        // Nothing that other domains are told has changed: no event.
        let changes = Changes { decks: vec![deck.clone()], ..Changes::default() };
        Ok((deck, changes))
    }

    async fn decide_delete(&self, viewer: &Viewer, id: DeckId) -> Result<((), Changes), Error> {
        let deck = self.deck(viewer, id).await?;
        let mut owner = self.store.owner(viewer.user).await?;
        owner.deck_count -= 1;
        let events = vec![deleted(&deck)];
        let changes =
            Changes { owner: Some(owner), deleted_decks: vec![deck], events, ..Changes::default() };
        Ok(((), changes))
    }
}

/// The last event of a deck.
pub(super) fn deleted(deck: &Deck) -> Event {
    told(deck, deck.version + 1, true)
}

fn told(deck: &Deck, version: i64, deleted: bool) -> Event {
    Event::Deck(DeckChanged { deck: deck.id, owner: deck.owner, version, deleted, parent: None })
}
