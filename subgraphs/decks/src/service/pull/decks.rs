//! The decks of a pull: those that are new are made, those that the author wrote anew or moved follow, and those that the author deleted go to the
//! trash when nothing of one's own is in the way.

use std::collections::HashSet;

use common::{DeckId, Error};
use uuid::Uuid;

use super::super::tree::{fits, rebase};
use super::{ConflictKind, DeckConflict, Merge};
use crate::merge::{Difference, part};
use crate::model::{Deck, PublishedDeck};
use crate::place::{LAST, STEP};

impl Merge<'_> {
    /// Makes the decks that are new, and lets the others follow the author's. What lies in a deck that its owner deleted is left out.
    pub(super) async fn decks(&mut self, theirs: &[PublishedDeck]) -> Result<(), Error> {
        self.know_all_inside(theirs).await?;
        for deck in theirs {
            match self.made.decks.get(&deck.origin).copied() {
                Some(id) => self.follow(deck, id).await?,
                // Its owner deleted it, unless the author did so as well and took it back.
                None if self.is_linked(deck.origin) && self.base.contains_key(&deck.origin) => {}
                None => self.add_deck(deck).await?,
            }
        }
        Ok(())
    }

    fn is_linked(&self, origin: Uuid) -> bool {
        self.links.iter().any(|(linked, _)| *linked == origin)
    }

    /// Reads what lies in the clone's decks, where that matters: when some move or go.
    async fn know_all_inside(&mut self, theirs: &[PublishedDeck]) -> Result<(), Error> {
        let stays = |base: &PublishedDeck| {
            theirs.iter().any(|deck| (deck.origin, deck.parent) == (base.origin, base.parent))
        };
        if self.base.values().all(stays) {
            return Ok(());
        }
        let ids: HashSet<DeckId> = self.made.decks.values().copied().collect();
        let linked = || ids.iter().filter_map(|id| self.rewrite.deck(*id));
        let is_outer = |deck: &&Deck| !deck.ancestors.iter().any(|above| ids.contains(above));
        let outer: Vec<DeckId> = linked().filter(is_outer).map(|deck| deck.id).collect();
        for deck in outer {
            let inside = self.service.store.descendants(self.made.viewer.user, deck).await?;
            self.rewrite.know(inside);
        }
        Ok(())
    }

    async fn add_deck(&mut self, theirs: &PublishedDeck) -> Result<(), Error> {
        let parent = theirs.parent.and_then(|origin| self.made.decks.get(&origin).copied());
        let Some(parent) = parent.and_then(|id| self.rewrite.deck(id).cloned()) else {
            return Ok(());
        };
        let ancestors = parent.ancestors_of_children();
        fits(&ancestors)?;
        let position = self.end_of(parent.id).await?;
        let id = DeckId::new();
        self.rewrite.new_deck(self.made.deck(theirs, id, ancestors, position));
        // What is decided rests on where the parent lies.
        self.rewrite.write_deck(parent);
        self.links.retain(|(origin, _)| *origin != theirs.origin);
        self.links.push((theirs.origin, id));
        self.pulled.added_decks += 1;
        Ok(())
    }

    /// The place after all decks in a deck.
    async fn end_of(&mut self, parent: DeckId) -> Result<i64, Error> {
        let last = match self.ends.get(&parent) {
            Some(last) => *last,
            None => {
                let owner = self.made.viewer.user;
                let siblings = self.service.store.siblings(owner, Some(parent)).await?;
                siblings.last().map_or(0, |(_, place)| *place)
            }
        };
        let end = LAST.min(last + STEP);
        self.ends.insert(parent, end);
        Ok(end)
    }

    /// Writes and moves a deck as the author did, where its owner left it alone.
    async fn follow(&mut self, theirs: &PublishedDeck, id: DeckId) -> Result<(), Error> {
        let known = self.rewrite.deck(id).cloned();
        let base = self.base.get(&theirs.origin).cloned();
        let Some((mine, base)) = known.zip(base) else { return Ok(()) };
        let mut deck = mine.clone();
        let differences = merge(&base, theirs, &mut deck, self.pull.take_theirs);
        if !differences.is_empty() {
            self.deck_conflict(&mine, ConflictKind::Edited, differences);
        }
        let to = self.new_parent(&base, theirs, &mine);
        if deck == mine && to.is_none() {
            return Ok(());
        }
        deck.version += 1;
        deck.updated_at = self.made.now;
        self.pulled.updated_decks += 1;
        match to {
            Some(parent) => self.move_deck(deck, parent).await?,
            None => self.rewrite.write_deck(deck),
        }
        Ok(())
    }

    /// The deck that a deck follows the author's into; `None` when it stays. What stands against it is told.
    fn new_parent(
        &mut self,
        base: &PublishedDeck,
        theirs: &PublishedDeck,
        mine: &Deck,
    ) -> Option<Deck> {
        if base.parent == theirs.parent {
            return None;
        }
        let [from, to] = [base.parent, theirs.parent]
            .map(|origin| origin.and_then(|origin| self.made.decks.get(&origin).copied()));
        let parent = mine.parent();
        if parent.is_some() && parent == to {
            return None;
        }
        let left_alone = from.is_some() && parent == from;
        let to = to.filter(|_| left_alone || self.pull.take_theirs);
        let to = to.and_then(|to| self.rewrite.deck(to));
        let to = to.filter(|to| to.id != mine.id && !to.ancestors.contains(&mine.id)).cloned();
        if to.is_none() || !left_alone {
            self.deck_conflict(mine, ConflictKind::Moved, Vec::new());
        }
        to
    }

    async fn move_deck(&mut self, mut deck: Deck, parent: Deck) -> Result<(), Error> {
        let mut decks: Vec<Deck> = self.rewrite.decks_in(deck.id).cloned().collect();
        let above = deck.ancestors.len();
        deck.position = self.end_of(parent.id).await?;
        decks.push(deck);
        rebase(&mut decks, above, &parent.ancestors_of_children())?;
        if let Some(deck) = decks.pop() {
            self.rewrite.move_deck(deck, decks);
        }
        // What is decided rests on where the parent lies.
        self.rewrite.write_deck(parent);
        Ok(())
    }

    /// Puts the decks that the author deleted into the trash, those in one another together. One that its owner changed, or in which something is
    /// left, stays and is told. Answers those that go.
    pub(super) fn drop_decks(&mut self, theirs: &[PublishedDeck]) -> Vec<Deck> {
        let there: HashSet<Uuid> = theirs.iter().map(|deck| deck.origin).collect();
        let dropped = self.base.values().filter(|base| !there.contains(&base.origin));
        let known = |base: &PublishedDeck| {
            let id = self.made.decks.get(&base.origin)?;
            Some((self.rewrite.deck(*id)?.clone(), base.clone()))
        };
        let mut dropped: Vec<(Deck, PublishedDeck)> = dropped.filter_map(known).collect();
        // The innermost first: a deck goes when those in it do.
        dropped.sort_by_key(|(deck, _)| (std::cmp::Reverse(deck.ancestors.len()), deck.id));
        let mut going: Vec<Deck> = Vec::new();
        for (deck, base) in dropped {
            let goes = |inside: &Deck| going.iter().any(|going| going.id == inside.id);
            let is_empty =
                self.rewrite.will_be_empty(&deck) && self.rewrite.decks_in(deck.id).all(goes);
            if is_empty && (self.pull.take_theirs || self.is_untouched(&deck, &base)) {
                going.push(deck);
            } else {
                self.deck_conflict(&deck, ConflictKind::DeletedThere, Vec::new());
            }
        }
        going.reverse();
        self.pulled.deleted_decks += i64::try_from(going.len()).unwrap_or(i64::MAX);
        let ids: HashSet<DeckId> = going.iter().map(|deck| deck.id).collect();
        let is_outer = |deck: &&Deck| !deck.ancestors.iter().any(|above| ids.contains(above));
        for outer in going.iter().filter(is_outer) {
            let inside = going.iter().filter(|deck| deck.ancestors.contains(&outer.id));
            self.rewrite.delete_decks([outer].into_iter().chain(inside).cloned().collect());
        }
        going
    }

    /// Whether a deck is what the author's was, and where it was.
    fn is_untouched(&self, mine: &Deck, base: &PublishedDeck) -> bool {
        let parent = base.parent.and_then(|origin| self.made.decks.get(&origin).copied());
        mine.parent() == parent
            && (&mine.name, &mine.description, &mine.color)
                == (&base.name, &base.description, &base.color)
    }

    fn deck_conflict(&mut self, deck: &Deck, kind: ConflictKind, differences: Vec<Difference>) {
        let deck = deck.clone();
        self.pulled.deck_conflicts.push(DeckConflict { deck, kind, differences });
    }
}

/// Writes into a deck of one's own what the author wrote. Answers what both changed.
fn merge(
    base: &PublishedDeck,
    theirs: &PublishedDeck,
    mine: &mut Deck,
    take_theirs: bool,
) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut text = |field: &str, base: Option<&str>, theirs: Option<&str>, mine: Option<String>| {
        let [base, theirs] = [base, theirs].map(|text| text.map(str::to_owned));
        let (value, both) = part(&base, theirs.clone(), mine.clone(), take_theirs);
        if both {
            differences.push(Difference { field: Some(field.to_owned()), base, theirs, mine });
        }
        value
    };
    let name = text("name", Some(&base.name), Some(&theirs.name), Some(mine.name.clone()));
    let [was, is] = [base, theirs].map(|deck| Some(&*deck.description));
    let description = text("description", was, is, Some(mine.description.clone()));
    mine.color = text("color", base.color.as_deref(), theirs.color.as_deref(), mine.color.clone());
    mine.name = name.unwrap_or_default();
    mine.description = description.unwrap_or_default();
    differences
}
