//! What learning knows of a deck.

use async_graphql::{Object, SimpleObject};
use common::DeckId;
use common::graphql::sdl::key;

use crate::service::{DeckCounts, DeckView};

/// A deck, seen now.
#[derive(Debug, Clone)]
pub(super) struct DeckNode(pub(super) DeckView);

/// A set of cards that belongs to one person.
#[Object(name = "Deck", directive = key::apply("id".into()))]
impl DeckNode {
    /// The deck's id, a UUID.
    async fn id(&self) -> DeckId {
        self.0.id
    }

    /// Its cards, by what is to be done with them today.
    async fn counts(&self) -> Option<DeckCountsNode> {
        Some(self.0.counts.into())
    }

    /// How well the whole deck is remembered, 0 to 1 in two decimals: the mean over all its cards of the half-life's probability of recall,
    /// where a card that is more likely recalled than not counts 1 and one never studied 0.
    async fn recall_score(&self) -> Option<f64> {
        Some(self.0.recall_score)
    }

    /// The mean probability of recall now over its studied cards, 0 to 1, by FSRS. Null when none was studied.
    async fn retrievability(&self) -> Option<f64> {
        self.0.retrievability
    }
}

/// A deck's cards, by what is to be done with them today.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "DeckCounts")]
pub(super) struct DeckCountsNode {
    /// Cards never studied.
    new: i32,
    /// Cards in their learning or relearning steps that come back today.
    learning: i32,
    /// Learned cards that come back today or should have before.
    review: i32,
    /// All cards.
    total: i32,
}

impl From<DeckCounts> for DeckCountsNode {
    fn from(counts: DeckCounts) -> Self {
        let int = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
        Self {
            new: int(counts.new),
            learning: int(counts.learning),
            review: int(counts.review),
            total: int(counts.total),
        }
    }
}
