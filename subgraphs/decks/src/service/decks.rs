//! Making and changing decks.

use common::{DeckId, Error, Viewer};

use super::Service;
use super::check::{expect_version, taken};
use super::tree::fits;
use crate::model::{Deck, DeckEdit, MAX_DECKS, NewDeck, Owner};
use crate::store::Changes;

impl Service {
    /// Makes a deck. With an id that the client made, doing it again answers the same deck.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the parent, [`Error::Conflict`] when the id is that of something else, [`Error::LimitExceeded`] at
    /// [`MAX_DECKS`] or [`crate::model::MAX_DEPTH`].
    pub async fn create_deck(&self, viewer: &Viewer, new: &NewDeck) -> Result<Deck, Error> {
        self.change(viewer.user, || self.decide_create(viewer, new)).await
    }

    /// Changes a deck.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Outdated`] when it has another version than expected.
    pub async fn update_deck(&self, viewer: &Viewer, edit: &DeckEdit) -> Result<Deck, Error> {
        self.change(viewer.user, || self.decide_update(viewer, edit)).await
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
            if !self.store.taken(vec![id.uuid()]).await?.is_empty() {
                return Err(taken("input.id", id));
            }
        }
        let owner = self.owner_with_room(viewer, 1).await?;
        let parent = self.parent(viewer, new.parent).await?;
        let ancestors = parent.as_ref().map(Deck::ancestors_of_children).unwrap_or_default();
        fits(&ancestors)?;
        let (position, mut decks) = self.place_at_end(viewer, new.parent).await?;
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
            ancestors,
            position,
            archived: false,
            trash: None,
        };
        // What is decided rests on where the parent lies.
        decks.extend(parent);
        let changes = Changes {
            owner: Some(owner),
            new_decks: vec![deck.clone()],
            decks,
            events: vec![deck.told(false)],
            ..Changes::default()
        };
        Ok((deck, changes))
    }

    /// The viewer's row with so many decks more.
    pub(super) async fn owner_with_room(
        &self,
        viewer: &Viewer,
        decks: usize,
    ) -> Result<Owner, Error> {
        let mut owner = self.store.owner(viewer.user).await?;
        if owner.gone {
            return Err(Error::Unauthenticated);
        }
        owner.deck_count += i64::try_from(decks).unwrap_or(MAX_DECKS);
        if owner.deck_count > MAX_DECKS {
            let message = format!("a person has at most {MAX_DECKS} decks");
            return Err(Error::LimitExceeded { message });
        }
        Ok(owner)
    }

    async fn decide_update(
        &self,
        viewer: &Viewer,
        edit: &DeckEdit,
    ) -> Result<(Deck, Changes), Error> {
        let before = self.deck(viewer, edit.id).await?;
        expect_version(&before, edit.expected_version)?;
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
        deck.archived = edit.archived.unwrap_or(deck.archived);
        if deck == before {
            return Ok((deck, Changes::default()));
        }
        deck.version += 1;
        deck.updated_at = self.clock.now();
        // Nothing else of what changed is told to other domains.
        let is_told = deck.archived != before.archived;
        let events = is_told.then(|| deck.told(false)).into_iter().collect();
        let changes = Changes { decks: vec![deck.clone()], events, ..Changes::default() };
        Ok((deck, changes))
    }
}
