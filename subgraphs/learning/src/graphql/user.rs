//! What learning knows of a person: what to study next, and how the work goes.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use common::graphql::sdl::key;
use common::graphql::{DateTime, Result, caller};
use common::page::PageRequest;
use common::{DeckId, UserId, Viewer};

use super::card::CardNode;
use super::fit::{SimulatedWorkload, WeightsFit};
use super::scalar::Date;
use super::session::{DEFAULT_PAGE, LearningSessionConnection};
use super::settings::StudyPreset;
use super::statistics::{ForecastDay, StudyStatistics, milliseconds};
use super::sync::LearningChanges;
use crate::model::Stats;
use crate::scheduler::{Preview, Rating};
use crate::service::{QueueRequest, Service};

/// A person, by id.
#[derive(Debug, Clone)]
pub(super) struct UserNode {
    pub(super) id: UserId,
}

impl UserNode {
    /// The viewer, when this is the viewer: nobody else's learning can be asked for.
    fn myself<'a>(&self, ctx: &Context<'a>) -> Result<Option<&'a Viewer>> {
        Ok(Some(caller(ctx)?.viewer()?).filter(|viewer| viewer.user == self.id))
    }
}

/// A person.
#[Object(name = "User", directive = key::apply("id".into()))]
impl UserNode {
    /// The person's id, a UUID.
    pub(super) async fn id(&self) -> UserId {
        self.id
    }

    /// The next cards to study, in order: those in their steps that are due; then reviews, with the day's new cards among them; when nothing
    /// else is left, those in their steps that are due soon. How many a day brings, and what siblings do, is told by the settings of each deck. Its order stays the
    /// same while one works through it.
    #[expect(clippy::too_many_arguments, reason = "they are the arguments of a field")]
    async fn study_queue(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most so many: 1 to 200.", default = 20)] limit: i32,
        #[graphql(desc = "Only cards of this deck and of those within it.")] deck_id: Option<
            DeckId,
        >,
        #[graphql(desc = "So many new cards more than the day brings: 0 to 9,999.", default = 0)]
        extra_new: i32,
        #[graphql(desc = "So many reviews more than the day brings: 0 to 9,999.", default = 0)]
        extra_reviews: i32,
        #[graphql(
            desc = "Last, learned cards that are due within so many days: 0 to 365. Reviewing them moves their schedule, unless it is for practice.",
            default = 0
        )]
        ahead_days: i32,
        #[graphql(desc = "Only cards whose note has this tag.")] tag: Option<String>,
    ) -> Result<Option<Vec<StudyItem>>> {
        let Some(viewer) = self.myself(ctx)? else { return Ok(None) };
        let deck = deck_id;
        let request = QueueRequest { limit, deck, extra_new, extra_reviews, ahead_days, tag };
        let items = ctx.data::<Arc<Service>>()?.queue(viewer, request).await?;
        let (cards, previews): (Vec<_>, Vec<_>) =
            items.into_iter().map(|item| (item.card, item.previews)).unzip();
        let item = |(card, previews): (CardNode, [(Preview, jiff::Timestamp); 4])| StudyItem {
            card,
            previews: previews.map(RatingPreview::from).to_vec(),
        };
        Ok(Some(CardNode::all(cards).into_iter().zip(previews).map(item).collect()))
    }

    /// How the work goes.
    async fn stats(&self, ctx: &Context<'_>) -> Result<Option<LearningStats>> {
        let Some(viewer) = self.myself(ctx)? else { return Ok(None) };
        Ok(Some(ctx.data::<Arc<Service>>()?.stats(viewer).await?.into()))
    }

    /// The work of a range of local days.
    async fn statistics(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only what was done in this deck and in those within it.")]
        deck_id: Option<DeckId>,
        #[graphql(desc = "The first day; 29 days before the last one unless given.")] from: Option<
            Date,
        >,
        #[graphql(desc = "The last day; today unless given. At most 36,525 days are answered.")]
        to: Option<Date>,
    ) -> Result<Option<StudyStatistics>> {
        let Some(viewer) = self.myself(ctx)? else { return Ok(None) };
        let (from, to) = (from.map(|date| date.0), to.map(|date| date.0));
        let statistics = ctx.data::<Arc<Service>>()?.statistics(viewer, deck_id, from, to).await?;
        Ok(Some(StudyStatistics(statistics)))
    }

    /// How many cards come back on each of the next local days, today first. What is overdue, or in its steps, comes today.
    async fn forecast(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only cards of this deck and of those within it.")] deck_id: Option<
            DeckId,
        >,
        #[graphql(desc = "For how many days: 1 to 3,650.", default = 30)] days: i32,
    ) -> Result<Option<Vec<ForecastDay>>> {
        let Some(viewer) = self.myself(ctx)? else { return Ok(None) };
        let forecast = ctx.data::<Arc<Service>>()?.forecast(viewer, deck_id, days).await?;
        let day = |(date, due): (_, u32)| ForecastDay { date: Date(date), due: due.into() };
        Ok(Some(forecast.into_iter().map(day).collect()))
    }

    /// The last fitting of the memory model's weights to the person's reviews. Null when there was none.
    async fn weights_fit(&self, ctx: &Context<'_>) -> Result<Option<WeightsFit>> {
        let Some(viewer) = self.myself(ctx)? else { return Ok(None) };
        Ok(ctx.data::<Arc<Service>>()?.last_fit(viewer).await?.map(WeightsFit::from))
    }

    /// What learning new cards would take at each of some retentions, by the person's weights: simulated, always with the same luck.
    async fn simulation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "1 to 10 retentions, 0.7 to 0.99.")] retentions: Vec<f64>,
        #[graphql(desc = "How many cards: 1 to 10,000.", default = 1000)] cards: i32,
        #[graphql(desc = "How many new ones a day: 1 to 9,999.", default = 20)] new_per_day: i32,
        #[graphql(desc = "Over how many days: 1 to 365.", default = 180)] days: i32,
    ) -> Result<Option<Vec<SimulatedWorkload>>> {
        let Some(viewer) = self.myself(ctx)? else { return Ok(None) };
        let question = (cards, new_per_day, days);
        let workloads = ctx.data::<Arc<Service>>()?.simulate(viewer, retentions, question).await?;
        Ok(Some(workloads.into_iter().map(SimulatedWorkload::from).collect()))
    }

    /// The person's named sets of settings, by name: at most 100.
    async fn study_presets(&self, ctx: &Context<'_>) -> Result<Option<Vec<StudyPreset>>> {
        let Some(viewer) = self.myself(ctx)? else { return Ok(None) };
        let presets = ctx.data::<Arc<Service>>()?.presets(viewer).await?;
        Ok(Some(presets.into_iter().map(StudyPreset::from).collect()))
    }

    /// What changed in learning since a device last asked, in pages: cards that were studied, changed, made or deleted. Without `since`, all cards there are.
    async fn learning_changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The `nextCursor` of an earlier answer, at most 180 days old.")]
        since: Option<String>,
        #[graphql(desc = "At most so many cards: 1 to 500.", default = 200)] first: i32,
    ) -> Result<Option<LearningChanges>> {
        let Some(viewer) = self.myself(ctx)? else { return Ok(None) };
        let page = ctx.data::<Arc<Service>>()?.changes(viewer, since.as_deref(), first).await?;
        Ok(Some(page.into()))
    }

    /// The person's learning sessions, newest first: 50 unless `first` or `last` says otherwise, at most 500.
    async fn learning_sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, or those after `after`: 0 to 500.")] first: Option<
            i32,
        >,
        #[graphql(desc = "A cursor: sessions after it.")] after: Option<String>,
        #[graphql(desc = "The last so many, or those before `before`: 0 to 500.")] last: Option<
            i32,
        >,
        #[graphql(desc = "A cursor: sessions before it.")] before: Option<String>,
    ) -> Result<Option<LearningSessionConnection>> {
        let Some(viewer) = self.myself(ctx)? else { return Ok(None) };
        let page =
            PageRequest::new(first, after.as_deref(), last, before.as_deref(), DEFAULT_PAGE)?;
        let page = ctx.data::<Arc<Service>>()?.sessions(viewer, page).await?;
        Ok(Some(LearningSessionConnection { page }))
    }
}

/// A card to study.
#[derive(Debug, SimpleObject)]
pub(super) struct StudyItem {
    /// The card.
    card: CardNode,
    /// What each rating would lead to: AGAIN, HARD, GOOD, EASY.
    previews: Vec<RatingPreview>,
}

/// What a rating would lead to.
#[derive(Debug, Clone, SimpleObject)]
pub(super) struct RatingPreview {
    /// The rating.
    rating: Rating,
    /// The time until the card comes back, in whole seconds; whole days for a learned card. A Float, because the longest interval, 100 years,
    /// is beyond an Int.
    interval: f64,
    /// When it comes back; a learned card at the start of its day.
    due: DateTime,
}

impl From<(Preview, jiff::Timestamp)> for RatingPreview {
    fn from((preview, due): (Preview, jiff::Timestamp)) -> Self {
        Self {
            rating: preview.rating,
            interval: preview.interval.as_secs_f64(),
            due: DateTime(due),
        }
    }
}

/// How a person's work goes. A day starts at the person's rollover hour.
#[derive(Debug, SimpleObject)]
pub(super) struct LearningStats {
    /// Reviews today.
    reviews_today: i64,
    /// The time they took, in milliseconds. A Float, as that of all days is.
    time_today_ms: f64,
    /// Days in a row with a review, up to today, or up to yesterday while today has none yet.
    streak_days: i64,
    /// Studied cards that come back before the day ends.
    due_today: i64,
    /// Cards never studied.
    new_cards: i64,
}

impl From<Stats> for LearningStats {
    fn from(stats: Stats) -> Self {
        Self {
            reviews_today: stats.reviews_today.into(),
            time_today_ms: milliseconds(stats.time_today_ms),
            streak_days: stats.streak_days.into(),
            due_today: stats.due_today.into(),
            new_cards: stats.new_cards.into(),
        }
    }
}
