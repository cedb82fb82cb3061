//! Decks: what they are, what makes and changes them, and the orders of their lists.

use std::collections::HashMap;
use std::sync::Arc;

use common::event::DeckChanged;
use common::{DeckId, Event, TrashId, UserId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Color, Description, Name};

/// A deck.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deck {
    /// Which one.
    pub id: DeckId,
    /// Whose it is.
    pub owner: UserId,
    /// What it is called.
    pub name: String,
    /// What it is about; may be empty.
    pub description: String,
    /// `#RRGGBB` in capitals.
    pub color: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its name, description or color last changed.
    pub updated_at: Timestamp,
    /// Grows when its name, description or color changes.
    pub version: i64,
    /// How many cards lie in it.
    pub card_count: i64,
    /// No card lies beyond this place.
    pub last_place: i64,
    /// Grows with each write, also when cards come and go: a change made of an older state is refused.
    pub revision: i64,
    /// The decks it lies in, from the top down: the last is its parent. At most [`super::MAX_DEPTH`] minus one.
    pub ancestors: Vec<DeckId>,
    /// Its place among the decks of the same parent: see [`crate::place`].
    pub position: i64,
    /// Put aside by its owner.
    pub archived: bool,
    /// The entry of the trash it lies in, if it was deleted.
    pub trash: Option<TrashId>,
}

impl Deck {
    /// Its name for sorting: without regard to case.
    #[must_use]
    pub fn sort_name(&self) -> String {
        self.name.to_lowercase()
    }

    /// The deck it lies in; `None` at the top.
    #[must_use]
    pub fn parent(&self) -> Option<DeckId> {
        self.ancestors.last().copied()
    }

    /// What other domains are told of it.
    #[must_use]
    pub fn told(&self, deleted: bool) -> Event {
        Event::Deck(DeckChanged {
            deck: self.id,
            owner: self.owner,
            version: self.version,
            deleted,
            parent: self.parent(),
            archived: Some(self.archived),
        })
    }

    /// The ancestors of the decks in it.
    #[must_use]
    pub fn ancestors_of_children(&self) -> Vec<DeckId> {
        self.ancestors.iter().copied().chain([self.id]).collect()
    }
}

/// The names from the outermost deck down to each of these, those of decks that are not among them left out.
#[must_use]
pub fn paths(decks: &[Deck]) -> HashMap<DeckId, Arc<[String]>> {
    let names: HashMap<DeckId, &String> = decks.iter().map(|deck| (deck.id, &deck.name)).collect();
    let path = |deck: &Deck| {
        let above = deck.ancestors.iter().filter_map(|id| names.get(id).copied());
        above.chain([&deck.name]).cloned().collect()
    };
    decks.iter().map(|deck| (deck.id, path(deck))).collect()
}

/// A deck to be made.
#[derive(Debug, Clone)]
pub struct NewDeck {
    /// The client's own id, so that making it twice makes it once.
    pub id: Option<DeckId>,
    /// Its name.
    pub name: Name,
    /// Its description.
    pub description: Description,
    /// Its color.
    pub color: Option<Color>,
    /// The deck it will lie in, at the end; `None` for the top.
    pub parent: Option<DeckId>,
}

impl NewDeck {
    /// Whether `deck` is what would be made.
    #[must_use]
    pub fn describes(&self, deck: &Deck) -> bool {
        deck.name == self.name.0
            && deck.description == self.description.0
            && deck.color.as_ref() == self.color.as_ref().map(|color| &color.0)
            && deck.parent() == self.parent
    }
}

/// What to change about a deck; `None` leaves it as it is.
#[derive(Debug, Clone)]
pub struct DeckEdit {
    /// Which deck.
    pub id: DeckId,
    /// Its new name.
    pub name: Option<Name>,
    /// Its new description.
    pub description: Option<Description>,
    /// Its new color, or none any more.
    pub color: Option<Option<Color>>,
    /// Whether it is put aside.
    pub archived: Option<bool>,
    /// Refuse when it has another version by now.
    pub expected_version: Option<i64>,
}

/// Where a deck is to lie.
#[derive(Debug, Clone, Copy)]
pub struct DeckMove {
    /// Which deck; those in it go along.
    pub id: DeckId,
    /// The deck it will lie in; `None` for the top.
    pub parent: Option<DeckId>,
    /// The deck of the same parent before which it will lie; `None`: at the end.
    pub before: Option<DeckId>,
}

/// Which of a person's decks are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct DeckFilter {
    /// Those in this deck, or for `Some(None)` those at the top.
    pub parent: Option<Option<DeckId>>,
    /// Those that are put aside, or those that are not.
    pub archived: Option<bool>,
}

/// What a list of decks is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeckSort {
    /// Their name, without regard to case.
    Name,
    /// When they were made.
    CreatedAt,
    /// When they last changed.
    UpdatedAt,
    /// Their places among the decks of the same parent.
    Position,
}

/// The order of a list of decks. Decks of the same value are in the order of their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeckOrder {
    /// What it is sorted by.
    pub by: DeckSort,
    /// From the greatest to the least.
    pub descending: bool,
}

/// A deck's place in a list of decks: what its cursor says.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DeckKey {
    /// In a list by name.
    Name(String, DeckId),
    /// In a list by time of making, in milliseconds since the epoch.
    CreatedAt(i64, DeckId),
    /// In a list by time of change, in milliseconds since the epoch.
    UpdatedAt(i64, DeckId),
    /// In a list by place.
    Position(i64, DeckId),
}

impl DeckKey {
    /// The key of `deck` in a list sorted `by`.
    #[must_use]
    pub fn of(deck: &Deck, by: DeckSort) -> Self {
        match by {
            DeckSort::Name => Self::Name(deck.sort_name(), deck.id),
            DeckSort::CreatedAt => Self::CreatedAt(deck.created_at.as_millisecond(), deck.id),
            DeckSort::UpdatedAt => Self::UpdatedAt(deck.updated_at.as_millisecond(), deck.id),
            DeckSort::Position => Self::Position(deck.position, deck.id),
        }
    }

    /// What the list that this key belongs to is sorted by.
    #[must_use]
    pub const fn sort(&self) -> DeckSort {
        match self {
            Self::Name(..) => DeckSort::Name,
            Self::CreatedAt(..) => DeckSort::CreatedAt,
            Self::UpdatedAt(..) => DeckSort::UpdatedAt,
            Self::Position(..) => DeckSort::Position,
        }
    }
}
