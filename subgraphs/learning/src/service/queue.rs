//! The study queue: which card comes next, and what each rating would do to it.

use common::{DeckId, Error, Viewer};

use super::view::{CardView, Moment};
use super::{Service, unusable};
use crate::model::{QUEUE, StoredCard};
use crate::scheduler::{Due, Preview, interleave};
use crate::store::{QueueCards, QueueQuery};

/// A card to study.
#[derive(Debug, Clone)]
pub struct QueueItem {
    /// The card.
    pub card: CardView,
    /// What each of the four ratings would lead to, with the moment it comes back.
    pub previews: [(Preview, jiff::Timestamp); 4],
}

impl Service {
    /// The next cards to study, at most `limit`: those in their steps that are due, then reviews with the day's new cards among them;
    /// when nothing else is left, those in their steps that are due soon.
    ///
    /// # Errors
    /// [`Error::Invalid`] when `limit` is out of range; [`Error::Store`].
    pub async fn queue(
        &self,
        viewer: &Viewer,
        deck: Option<DeckId>,
        limit: i32,
    ) -> Result<Vec<QueueItem>, Error> {
        let limit = u32::try_from(limit).ok().filter(|_| QUEUE.contains(&limit));
        let limit = limit.ok_or_else(|| {
            let message = format!("is out of range: {} to {}", QUEUE.start(), QUEUE.end());
            Error::invalid("limit", message)
        })?;
        let moment = self.moment(viewer.user).await?;
        let settings = &self.scheduler.settings;
        let query = QueueQuery {
            deck,
            now: moment.now,
            ahead: moment.now.saturating_add(settings.learn_ahead).unwrap_or(moment.now),
            today: moment.today,
            limit,
            reviews_per_day: settings.reviews_per_day,
            new_per_day: settings.new_per_day,
        };
        let cards = self.store.queue(viewer.user, query).await?;
        let mut queue = self.in_order(cards, &moment);
        queue.truncate(limit as usize);
        queue.into_iter().map(|card| self.item(card, &moment)).collect()
    }

    fn in_order(&self, cards: QueueCards, moment: &Moment) -> Vec<StoredCard> {
        let QueueCards { done, due, mut new } = cards;
        let settings = &self.scheduler.settings;
        let (mut queue, mut reviews, mut ahead) = (Vec::new(), Vec::new(), Vec::new());
        for card in due {
            match card.memory.as_ref().map(|memory| memory.due) {
                Some(Due::At(at)) if at <= moment.now => queue.push(card),
                Some(Due::At(_)) => ahead.push(card),
                Some(Due::On(_)) => reviews.push(card),
                None => {}
            }
        }
        reviews.truncate(settings.reviews_per_day.saturating_sub(done.reviews) as usize);
        new.truncate(settings.new_per_day.saturating_sub(done.new) as usize);
        queue.extend(interleave(reviews, new, done));
        if queue.is_empty() { ahead } else { queue }
    }

    fn item(&self, card: StoredCard, moment: &Moment) -> Result<QueueItem, Error> {
        let previews = self
            .scheduler
            .previews(card.memory.as_ref(), moment.now, moment.today)
            .map_err(unusable)?
            .map(|preview| (preview, moment.due_at(preview.due)));
        Ok(QueueItem { card: CardView::new(card, &self.scheduler.model, moment), previews })
    }
}
