//! The study queue: which card comes next, and what each rating would do to it.

use std::collections::HashMap;

use common::{CardId, DeckId, Error, Viewer};
use jiff::SignedDuration;

use super::view::{CardView, Moment};
use super::{Learner, Models, Service, unusable};
use crate::choice::{When, Wish, choose, window};
use crate::model::{QUEUE, StoredCard};
use crate::scheduler::{Day, Preview, Rules, Scheduler, Settings};
use crate::shelf::Tree;
use crate::store::QueueQuery;

/// What is asked of the study queue.
#[derive(Debug, Clone, Default)]
pub struct QueueRequest {
    /// At most so many cards: [`QUEUE`].
    pub limit: i32,
    /// Only this deck and those within it.
    pub deck: Option<DeckId>,
    /// So many new cards more than the day brings: 0 to 9,999.
    pub extra_new: i32,
    /// So many reviews more than the day brings: 0 to 9,999.
    pub extra_reviews: i32,
    /// Learned cards that are due within so many days as well, last: 0 to 365.
    pub ahead_days: i32,
    /// Only cards with this tag: at most 100 characters.
    pub tag: Option<String>,
}

/// A card to study.
#[derive(Debug, Clone)]
pub struct QueueItem {
    /// The card.
    pub card: CardView,
    /// What each of the four ratings would lead to, with the moment it comes back.
    pub previews: [(Preview, jiff::Timestamp); 4],
}

impl Service {
    /// The next cards to study: those in their steps that are due, then reviews with the day's new cards among them; when nothing else is left, those in
    /// their steps that are due soon.
    ///
    /// # Errors
    /// [`Error::Invalid`] when something asked for is out of range; [`Error::Store`].
    pub async fn queue(
        &self,
        viewer: &Viewer,
        request: QueueRequest,
    ) -> Result<Vec<QueueItem>, Error> {
        let limit = within("limit", request.limit, *QUEUE.start(), *QUEUE.end())?;
        let wish = Wish {
            deck: request.deck,
            extra_new: within("extraNew", request.extra_new, 0, 9_999)?,
            extra_reviews: within("extraReviews", request.extra_reviews, 0, 9_999)?,
        };
        let ahead_days = within("aheadDays", request.ahead_days, 0, 365)?;
        if request.tag.as_ref().is_some_and(|tag| tag.chars().count() > 100) {
            return Err(Error::invalid("tag", "at most 100 characters are accepted"));
        }
        let Learner { moment, models } = self.learner(viewer.user).await?;
        let tree = self.tree(viewer.user).await?;
        let decks = tree.awake(request.deck);
        if decks.is_empty() {
            return Ok(Vec::new());
        }
        let most = |of: fn(&Settings) -> u32| {
            decks.iter().filter_map(|deck| tree.settings(*deck)).map(of).max().unwrap_or(0)
        };
        let learn_ahead = decks.iter().filter_map(|deck| tree.settings(*deck));
        let learn_ahead = learn_ahead.map(|settings| settings.learn_ahead).max();
        let ahead = moment.now.checked_add(learn_ahead.unwrap_or(SignedDuration::ZERO));
        let reviews = window(most(|settings| settings.reviews_per_day));
        let new = most(|settings| settings.new_per_day);
        let query =
            QueueQuery {
                decks,
                ahead: ahead.unwrap_or(moment.now),
                today: moment.today,
                until: Day(moment.today.0.saturating_add_unsigned(ahead_days)),
                tag: request.tag,
                steps: limit,
                learned: reviews
                    .saturating_add(wish.extra_reviews)
                    .saturating_add(if ahead_days > 0 { limit } else { 0 }),
                new: new.saturating_add(wish.extra_new).saturating_mul(2),
            };
        let cards = self.store.queue(viewer.user, query).await?;
        let when = When { now: moment.now, today: moment.today };
        let mut chosen = choose(cards, &tree, &wish, when);
        chosen.truncate(limit as usize);
        let stored = self.store.cards(viewer.user, chosen.clone()).await?;
        let mut stored: HashMap<CardId, StoredCard> =
            stored.into_iter().map(|card| (card.id, card)).collect();
        let chosen = chosen.into_iter().filter_map(|id| stored.remove(&id));
        chosen.map(|card| item(card, &models, &tree, &moment)).collect()
    }
}

fn item(
    card: StoredCard,
    models: &Models,
    tree: &Tree,
    moment: &Moment,
) -> Result<QueueItem, Error> {
    let default = Rules::default();
    let rules = tree.settings(card.deck).map_or(&default, |settings| &settings.rules);
    let scheduler = Scheduler { model: models.current(), rules };
    let previews = scheduler
        .previews(card.id, card.memory(), moment.now, moment.today)
        .map_err(unusable)?
        .map(|preview| (preview, moment.due_at(preview.due)));
    Ok(QueueItem { card: CardView::new(card, models, moment), previews })
}

fn within(argument: &'static str, value: i32, least: i32, most: i32) -> Result<u32, Error> {
    let value = u32::try_from(value).ok().filter(|_| (least..=most).contains(&value));
    value.ok_or_else(|| Error::invalid(argument, format!("is out of range: {least} to {most}")))
}
