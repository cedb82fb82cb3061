//! Where decks lie: in one another and in an order, moving them with all that is in them, and making room.

use common::{DeckId, Error, Viewer};

use super::Service;
use crate::model::{Deck, DeckMove, MAX_DEPTH};
use crate::place;
use crate::store::Changes;

impl Service {
    /// Moves a deck with those in it: into another deck or to the top, and among its siblings.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] for a parent that lies in the deck, or a sibling that does not lie in the parent;
    /// [`Error::LimitExceeded`] at [`MAX_DEPTH`].
    pub async fn move_deck(&self, viewer: &Viewer, to: DeckMove) -> Result<Deck, Error> {
        if to.before == Some(to.id) {
            return Err(Error::invalid("input.beforeDeckId", "is the deck to be moved"));
        }
        self.change(viewer.user, || self.decide_move_deck(viewer, to)).await
    }

    async fn decide_move_deck(
        &self,
        viewer: &Viewer,
        to: DeckMove,
    ) -> Result<(Deck, Changes), Error> {
        let mut deck = self.deck(viewer, to.id).await?;
        let parent = self.parent(viewer, to.parent).await?;
        if to.parent == Some(deck.id)
            || parent.as_ref().is_some_and(|parent| parent.ancestors.contains(&deck.id))
        {
            let message = "is the deck to be moved, or lies in it";
            return Err(Error::invalid("input.parentId", message));
        }
        let siblings = self.store.siblings(viewer.user, to.parent).await?;
        let index_of = |id| siblings.iter().position(|(sibling, _)| *sibling == id);
        let before = index_of(deck.id);
        let others: Vec<(DeckId, i64)> =
            siblings.iter().copied().filter(|(sibling, _)| *sibling != deck.id).collect();
        let at = match to.before {
            None => others.len(),
            Some(id) => others.iter().position(|(sibling, _)| *sibling == id).ok_or_else(|| {
                Error::invalid(
                    "input.beforeDeckId",
                    "is no deck of the parent: name one of it, or none",
                )
            })?,
        };
        if before == Some(at) {
            return Ok((deck, Changes::default()));
        }

        let now = self.clock.now();
        let mut moved = self.rebase(&mut deck, parent.as_ref(), viewer).await?;
        let (position, neighbours) = find_place(&others, at);
        deck.position = position;
        deck.version += 1;
        deck.updated_at = now;
        moved.push(deck.clone());
        moved.extend(self.with_places(viewer, neighbours).await?);
        // What is decided rests on where the parent lies.
        moved.extend(parent);
        let events = vec![deck.told(false)];
        Ok((deck, Changes { decks: moved, events, ..Changes::default() }))
    }

    /// Puts a deck, and those in it, below another parent. Answers those in it.
    async fn rebase(
        &self,
        deck: &mut Deck,
        parent: Option<&Deck>,
        viewer: &Viewer,
    ) -> Result<Vec<Deck>, Error> {
        let ancestors = parent.map(Deck::ancestors_of_children).unwrap_or_default();
        if ancestors == deck.ancestors {
            return Ok(Vec::new());
        }
        let descendants = self.store.descendants(viewer.user, deck.id).await?;
        let mut decks = descendants;
        decks.push(deck.clone());
        rebase(&mut decks, deck.ancestors.len(), &ancestors)?;
        if let Some(moved) = decks.pop() {
            *deck = moved;
        }
        Ok(decks)
    }

    /// The deck that a deck is to lie in.
    pub(super) async fn parent(
        &self,
        viewer: &Viewer,
        parent: Option<DeckId>,
    ) -> Result<Option<Deck>, Error> {
        match parent {
            Some(parent) => Ok(Some(self.deck(viewer, parent).await?)),
            None => Ok(None),
        }
    }

    /// The place at the end of a parent's decks, and the decks that must make room for it.
    pub(super) async fn place_at_end(
        &self,
        viewer: &Viewer,
        parent: Option<DeckId>,
    ) -> Result<(i64, Vec<Deck>), Error> {
        let siblings = self.store.siblings(viewer.user, parent).await?;
        let (position, neighbours) = find_place(&siblings, siblings.len());
        Ok((position, self.with_places(viewer, neighbours).await?))
    }

    /// Decks with new places.
    async fn with_places(
        &self,
        viewer: &Viewer,
        places: Vec<(DeckId, i64)>,
    ) -> Result<Vec<Deck>, Error> {
        let mut decks = self.decks(viewer, places.iter().map(|(id, _)| *id).collect()).await?;
        for deck in &mut decks {
            let place = places.iter().find(|(id, _)| *id == deck.id);
            deck.position = place.map_or(deck.position, |(_, place)| *place);
        }
        Ok(decks)
    }
}

/// Puts decks, whose common ancestors were `length`, below others.
pub(super) fn rebase(decks: &mut [Deck], length: usize, ancestors: &[DeckId]) -> Result<(), Error> {
    for deck in decks {
        let below = deck.ancestors.get(length..).unwrap_or_default();
        let path: Vec<DeckId> = ancestors.iter().chain(below).copied().collect();
        fits(&path)?;
        deck.ancestors = path;
    }
    Ok(())
}

/// Refuses a deck that would lie too deep.
pub(super) fn fits(ancestors: &[DeckId]) -> Result<(), Error> {
    if ancestors.len() < MAX_DEPTH {
        return Ok(());
    }
    let message = format!("decks lie in one another at most {MAX_DEPTH} deep");
    Err(Error::LimitExceeded { message })
}

/// A place for a deck among its siblings, and the new places of those that make room.
fn find_place(siblings: &[(DeckId, i64)], at: usize) -> (i64, Vec<(DeckId, i64)>) {
    let mut order: Vec<Option<i64>> = siblings.iter().map(|(_, place)| Some(*place)).collect();
    order.insert(at, None);
    let (mut position, mut moved) = (0, Vec::new());
    for (index, place) in place::find(&order, at..at + 1) {
        let neighbour = if index < at { index } else { index.wrapping_sub(1) };
        if index == at {
            position = place;
        } else if let Some((id, _)) = siblings.get(neighbour) {
            moved.push((*id, place));
        }
    }
    (position, moved)
}
