//! All rules of the domain, and who may do what: a person sees and reviews only their own cards. What belongs to somebody else is answered as if it
//! did not exist.

mod queue;
mod reviews;
mod sessions;
mod view;

use std::collections::HashMap;
use std::sync::Arc;

use common::endpoint::Domain;
use common::page::{Page, PageRequest};
use common::{CardId, Clock, DeckId, Error, Event, StoreError, UserId, Viewer};
use futures::future::BoxFuture;

use crate::model::{Review, Stats};
use crate::scheduler::{AnswerKey, Model, ModelError, Scheduler, Settings};
use crate::store::Store;

pub use queue::QueueItem;
pub use reviews::{ReviewResult, ReviewStatus, SubmittedReview};
pub use view::{CardView, DeckCounts, DeckView, Moment};

/// The rules of learning.
pub struct Service {
    store: Arc<dyn Store>,
    scheduler: Arc<Scheduler>,
    clock: Clock,
}

impl Service {
    /// Starts the domain on its store.
    ///
    /// # Errors
    /// When the memory model cannot be made.
    pub fn new(store: Arc<dyn Store>, clock: Clock) -> Result<Self, Error> {
        let model = Model::average().map_err(unusable)?;
        let scheduler = Arc::new(Scheduler { settings: Settings::default(), model });
        Ok(Self { store, scheduler, clock })
    }

    /// Now, where the person is.
    async fn moment(&self, user: UserId) -> Result<Moment, Error> {
        let person = self.store.person(user).await?;
        let calendar = person.map(|person| person.calendar()).unwrap_or_default();
        Ok(Moment::new(self.clock.now(), calendar))
    }

    /// The viewer's cards among `ids`, in any order.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn cards(&self, viewer: &Viewer, ids: Vec<CardId>) -> Result<Vec<CardView>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let (moment, cards) =
            futures::try_join!(self.moment(viewer.user), self.stored_cards(viewer, ids))?;
        let model = &self.scheduler.model;
        Ok(cards.into_iter().map(|card| CardView::new(card, model, &moment)).collect())
    }

    /// The viewer's decks among `ids`, in any order.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn decks(&self, viewer: &Viewer, ids: Vec<DeckId>) -> Result<Vec<DeckView>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let moment = self.moment(viewer.user).await?;
        let decks = self.store.decks(viewer.user, ids).await?;
        let model = &self.scheduler.model;
        Ok(decks.iter().map(|deck| DeckView::new(deck, model, &moment)).collect())
    }

    /// The same page of the log of each of the viewer's cards.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn review_pages(
        &self,
        viewer: &Viewer,
        cards: Vec<CardId>,
        page: PageRequest<AnswerKey>,
    ) -> Result<HashMap<CardId, Page<Review>>, Error> {
        let logs = self.store.reviews(viewer.user, cards, page.clone()).await?;
        let page_of = |(card, rows)| (card, Page::from_overfull(&page, rows));
        Ok(logs.into_iter().map(page_of).collect())
    }

    /// The viewer's work in numbers.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn stats(&self, viewer: &Viewer) -> Result<Stats, Error> {
        let moment = self.moment(viewer.user).await?;
        Ok(self.store.stats(viewer.user, moment.today, moment.tomorrow).await?)
    }

    async fn stored_cards(
        &self,
        viewer: &Viewer,
        ids: Vec<CardId>,
    ) -> Result<Vec<crate::model::StoredCard>, Error> {
        Ok(self.store.cards(viewer.user, ids).await?)
    }
}

impl Domain for Service {
    fn apply<'a>(&'a self, events: &'a [Event]) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move { Ok(self.store.apply(events.to_vec()).await?) })
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move { Ok(self.store.ping().await?) })
    }
}

/// A stored state that the model refuses is damaged data.
fn unusable(error: ModelError) -> Error {
    StoreError::Corrupt(error.to_string()).into()
}
