//! What learning knows of a deck.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use common::DeckId;
use common::graphql::batch::Batch;
use common::graphql::sdl::key;
use common::graphql::{DateTime, Result, caller};
use jiff::Timestamp;

use super::settings::DeckStudySettings;
use crate::service::{DeckCounts, DeckSettings, DeckView, Service};

/// A deck, seen now, and those it was read with.
#[derive(Debug, Clone)]
pub(super) struct DeckNode {
    pub(super) deck: Arc<DeckView>,
    batch: Arc<DeckBatch>,
}

/// Decks that were read together.
#[derive(Debug)]
struct DeckBatch {
    decks: Vec<DeckId>,
    settings: Batch<(), HashMap<DeckId, DeckSettings>>,
    views: Batch<Timestamp, HashMap<DeckId, DeckView>>,
}

impl DeckNode {
    /// The decks as nodes, by their ids.
    pub(super) fn by_id(decks: Vec<DeckView>) -> HashMap<DeckId, Self> {
        let ids = decks.iter().map(|deck| deck.id).collect();
        let (settings, views) = (Batch::default(), Batch::default());
        let batch = Arc::new(DeckBatch { decks: ids, settings, views });
        let node =
            |deck: DeckView| (deck.id, Self { deck: Arc::new(deck), batch: Arc::clone(&batch) });
        decks.into_iter().map(node).collect()
    }

    async fn views(
        &self,
        ctx: &Context<'_>,
        DateTime(at): DateTime,
    ) -> Result<Arc<HashMap<DeckId, DeckView>>> {
        let load = || async {
            let viewer = caller(ctx)?.viewer()?;
            let decks = self.batch.decks.clone();
            let decks = ctx.data::<Arc<Service>>()?.decks_at(viewer, decks, at).await?;
            Ok(decks.into_iter().map(|deck| (deck.id, deck)).collect())
        };
        self.batch.views.get(at, load).await
    }
}

/// A set of cards that belongs to one person.
#[Object(name = "Deck", directive = key::apply("id".into()))]
impl DeckNode {
    /// The deck's id, a UUID.
    async fn id(&self) -> DeckId {
        self.deck.id
    }

    /// How it and all within it are learned.
    async fn study_settings(&self, ctx: &Context<'_>) -> Result<Option<DeckStudySettings>> {
        let load = || async {
            let viewer = caller(ctx)?.viewer()?;
            let settings = ctx.data::<Arc<Service>>()?.settings(viewer, &self.batch.decks).await?;
            Ok(settings.into_iter().map(|settings| (settings.deck, settings)).collect())
        };
        let settings: Arc<HashMap<_, _>> = self.batch.settings.get((), load).await?;
        Ok(settings.get(&self.deck.id).cloned().map(DeckStudySettings::from))
    }

    /// Its recall score at a moment, when nothing is reviewed until then.
    async fn recall_score_at(&self, ctx: &Context<'_>, at: DateTime) -> Result<Option<f64>> {
        let views = self.views(ctx, at).await?;
        Ok(views.get(&self.deck.id).map(|deck| deck.recall_score))
    }

    /// The mean probability of recall at a moment over its studied cards, 0 to 1, by FSRS, when nothing is reviewed until then. Null when none was
    /// studied.
    async fn retrievability_at(&self, ctx: &Context<'_>, at: DateTime) -> Result<Option<f64>> {
        let views = self.views(ctx, at).await?;
        Ok(views.get(&self.deck.id).and_then(|deck| deck.retrievability))
    }

    /// Its cards, by what is to be done with them today.
    async fn counts(&self) -> Option<DeckCountsNode> {
        Some(self.deck.counts.into())
    }

    /// How well the whole deck is remembered, 0 to 1 in two decimals: the mean over all its cards of the half-life's probability of recall,
    /// where a card that is more likely recalled than not counts 1 and one never studied 0.
    async fn recall_score(&self) -> Option<f64> {
        Some(self.deck.recall_score)
    }

    /// The mean probability of recall now over its studied cards, 0 to 1, by FSRS. Null when none was studied.
    async fn retrievability(&self) -> Option<f64> {
        self.deck.retrievability
    }
}

/// A deck's cards, by what is to be done with them today.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "DeckCounts")]
pub(super) struct DeckCountsNode {
    /// Cards never studied, neither suspended nor buried.
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
