//! All rules of the domain, and who may do what: a person sees and reviews only their own cards. What belongs to somebody else is answered as if it
//! did not exist.

mod fit;
mod history;
mod queue;
mod reviews;
mod sessions;
mod settings;
mod statistics;
mod sync;
mod view;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use common::endpoint::Domain;
use common::outbox::Outbox;
use common::page::{Page, PageRequest};
use common::{CardId, Clock, DeckId, Error, Event, StoreError, UserId, Viewer};
use futures::future::BoxFuture;
use jiff::Timestamp;

use crate::entry::Logged;
use crate::model::{Person, Stats, StoredDeck};
use crate::scheduler::{AnswerKey, Model, ModelError, Settings};
use crate::shelf::Tree;
use crate::store::Store;
use crate::submission::Terms;

pub use fit::{FitRecord, FitState};
pub use history::MAX_TOLD;
pub use queue::{QueueItem, QueueRequest};
pub use reviews::{ReviewResult, ReviewStatus, Submission, UndoInput, Unreadable};
pub use settings::{DeckSettings, PresetInput};
pub use statistics::{DayPoint, Retention, Statistics};
pub use sync::ChangePage;
pub use view::{CardView, DeckCounts, DeckView, Moment};

/// The rules of learning.
pub struct Service {
    store: Arc<dyn Store>,
    outbox: Outbox,
    average: Arc<Model>,
    clock: Clock,
    fitter: Arc<fit::Fitter>,
}

/// The memory models of a person: the average one, and those that were fitted.
#[derive(Debug, Clone)]
pub struct Models {
    average: Arc<Model>,
    fitted: Vec<Arc<Model>>,
}

impl Models {
    fn new(average: &Arc<Model>, person: Option<&Person>) -> Result<Self, Error> {
        let weights = person.map_or(&[][..], |person| &person.weights);
        let model = |weights: &crate::model::Weights| {
            Model::new(weights.version, &weights.numbers).map(Arc::new).map_err(unusable)
        };
        let mut fitted: Vec<_> = weights.iter().map(model).collect::<Result<_, _>>()?;
        fitted.sort_unstable_by_key(|model: &Arc<Model>| model.version());
        Ok(Self { average: Arc::clone(average), fitted })
    }

    /// The one that new answers are scheduled by.
    #[must_use]
    pub fn current(&self) -> &Arc<Model> {
        self.fitted.last().unwrap_or(&self.average)
    }

    /// The one with this version, or the average one.
    #[must_use]
    pub fn of(&self, version: i64) -> &Model {
        self.fitted.iter().find(|model| model.version() == version).unwrap_or(&self.average)
    }
}

/// A person at a moment.
pub(crate) struct Learner {
    moment: Moment,
    models: Models,
}

impl Service {
    /// Starts the domain on its store. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the memory model cannot be made.
    pub fn new(store: Arc<dyn Store>, outbox: Outbox, clock: Clock) -> Result<Self, Error> {
        let average = Arc::new(Model::average().map_err(unusable)?);
        let fitter = fit::Fitter::start(store.clone(), Arc::clone(&average), clock.clone());
        Ok(Self { store, outbox, average, clock, fitter })
    }

    /// A person, now, where they are.
    async fn learner(&self, user: UserId) -> Result<Learner, Error> {
        self.learner_at(user, self.clock.now()).await
    }

    async fn learner_at(&self, user: UserId, at: Timestamp) -> Result<Learner, Error> {
        let person = self.store.person(user).await?;
        let models = Models::new(&self.average, person.as_ref())?;
        let calendar = person.map(|person| person.calendar()).unwrap_or_default();
        Ok(Learner { moment: Moment::new(at, calendar), models })
    }

    async fn tree(&self, user: UserId) -> Result<Tree, Error> {
        Ok(Tree::new(&self.store.shelf(user).await?))
    }

    /// The decks that are put aside, and those in them: their cards do not come.
    async fn asleep(&self, user: UserId) -> Result<HashSet<DeckId>, Error> {
        if !self.store.has_archived(user).await? {
            return Ok(HashSet::new());
        }
        Ok(self.tree(user).await?.asleep().collect())
    }

    /// What new entries are scheduled by.
    fn terms(models: &Models, tree: &Tree) -> Arc<Terms> {
        let rules = tree.all().map(|(deck, settings)| (deck, Arc::new(settings.rules.clone())));
        Arc::new(Terms {
            model: Arc::clone(models.current()),
            rules: rules.collect(),
            default_rules: Arc::new(Settings::default().rules),
        })
    }

    /// The viewer's cards among `ids`, in any order.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn cards(&self, viewer: &Viewer, ids: Vec<CardId>) -> Result<Vec<CardView>, Error> {
        self.cards_at(viewer, ids, self.clock.now()).await
    }

    /// The same, as they will be at a moment, or were with what is known now.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn cards_at(
        &self,
        viewer: &Viewer,
        ids: Vec<CardId>,
        at: Timestamp,
    ) -> Result<Vec<CardView>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let learner = self.learner_at(viewer.user, at).await?;
        let cards = self.store.cards(viewer.user, ids).await?;
        let view = |card| CardView::new(card, &learner.models, &learner.moment);
        Ok(cards.into_iter().map(view).collect())
    }

    /// The viewer's decks among `ids`, in any order.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn decks(&self, viewer: &Viewer, ids: Vec<DeckId>) -> Result<Vec<DeckView>, Error> {
        self.decks_at(viewer, ids, self.clock.now()).await
    }

    /// The same, as they will be at a moment, or were with what is known now.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn decks_at(
        &self,
        viewer: &Viewer,
        ids: Vec<DeckId>,
        at: Timestamp,
    ) -> Result<Vec<DeckView>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let learner = self.learner_at(viewer.user, at).await?;
        let decks = self.store.decks(viewer.user, ids, learner.moment.today);
        let decks = async { Ok(decks.await?) };
        let (decks, asleep) = futures::future::try_join(decks, self.asleep(viewer.user)).await?;
        let view = |deck: &StoredDeck| {
            DeckView::new(deck, asleep.contains(&deck.id), &learner.models, &learner.moment)
        };
        Ok(decks.iter().map(view).collect())
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
    ) -> Result<HashMap<CardId, Page<Logged>>, Error> {
        let logs = self.store.reviews(viewer.user, cards, page.clone()).await?;
        let page_of = |(card, rows)| (card, Page::from_overfull(&page, rows));
        Ok(logs.into_iter().map(page_of).collect())
    }

    /// The viewer's work in numbers.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn stats(&self, viewer: &Viewer) -> Result<Stats, Error> {
        let Learner { moment, .. } = self.learner(viewer.user).await?;
        let asleep = self.asleep(viewer.user).await?.into_iter().collect();
        Ok(self.store.stats(viewer.user, asleep, moment.today, moment.tomorrow).await?)
    }
}

impl Domain for Service {
    fn apply<'a>(&'a self, events: &'a [Event]) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let (mut others, mut histories) = (Vec::new(), Vec::new());
            for event in events {
                match event {
                    Event::History(told) => histories.push(told),
                    other => others.push(other.clone()),
                }
            }
            if !others.is_empty() {
                self.store.apply(others).await?;
            }
            // The cards come first: what was learned of one that is not known would be dropped.
            self.take_histories(&histories).await
        })
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move { Ok(self.store.ping().await?) })
    }
}

/// A stored state that the model refuses is damaged data.
fn unusable(error: ModelError) -> Error {
    StoreError::Corrupt(error.to_string()).into()
}
