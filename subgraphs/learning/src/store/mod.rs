//! What the rules of this domain need of a store. Both implementations pass the suite in `tests/store.rs`.
//!
//! A store decides nothing: what a batch of reviews does is decided by [`crate::submission`], which it calls within its transaction.

mod mongo;
mod sqlite;

use std::collections::HashMap;
use std::sync::Arc;

use common::page::PageRequest;
use common::{Backend, CardId, DeckId, Event, LearningSessionId, StoreError, UserId};
use futures::future::BoxFuture;
use jiff::Timestamp;

pub use mongo::MongoStore;
pub use sqlite::{MIGRATIONS, SqliteStore};

use crate::model::{Person, Review, Session, SessionKey, Stats, StoredCard, StoredDeck};
use crate::scheduler::{AnswerKey, Day, Done, Scheduler};
use crate::submission::Verdict;

/// What a store answers.
pub type Answering<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// Opens the store of a backend: migrations or indexes are made as needed.
///
/// # Errors
/// When the backend cannot be used.
pub async fn open(backend: Backend) -> Result<Arc<dyn Store>, StoreError> {
    Ok(match backend {
        Backend::Sqlite(sqlite) => Arc::new(SqliteStore::new(sqlite)),
        Backend::Mongo(mongo) => Arc::new(MongoStore::open(mongo).await?),
    })
}

/// Which cards the study queue is made of.
#[derive(Debug, Clone, Copy)]
pub struct QueueQuery {
    /// Only this deck.
    pub deck: Option<DeckId>,
    /// Cards in their steps that are due by then come first,
    pub now: Timestamp,
    /// and those due by then last.
    pub ahead: Timestamp,
    /// Learned cards that are due on this local day or earlier.
    pub today: Day,
    /// How many cards in their steps.
    pub limit: u32,
    /// How many learned cards a day brings back.
    pub reviews_per_day: u32,
    /// How many new cards a day brings.
    pub new_per_day: u32,
}

/// What the study queue is made of.
#[derive(Debug, Clone, Default)]
pub struct QueueCards {
    /// What was done of the day's work.
    pub done: Done,
    /// Cards in their steps that are due now by their time; then learned ones, the least likely to be recalled first, then by id, at least
    /// as many as the day has left; then those in their steps that are due soon.
    pub due: Vec<StoredCard>,
    /// New ones, deck by deck in the order of their making, then by position; as many as the day has left.
    pub new: Vec<StoredCard>,
}

/// What a batch led to.
#[derive(Debug, Clone)]
pub struct Submitted {
    /// For each review, in the order of the batch.
    pub verdicts: Vec<Verdict>,
    /// The owner's cards that the batch names, as they are now.
    pub cards: HashMap<CardId, StoredCard>,
}

/// What became of a session that was to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Started {
    /// It runs, or did before: the one that is stored.
    Session(Session),
    /// The owner has no such deck.
    UnknownDeck,
}

/// The store of this domain. Each method is one read of a consistent state, or one transaction.
pub trait Store: Send + Sync {
    /// Takes in what other domains tell: newer versions only.
    fn apply(&self, events: Vec<Event>) -> Answering<'_, ()>;

    /// A person, unless nothing was told of them yet.
    fn person(&self, user: UserId) -> Answering<'_, Option<Person>>;

    /// Those of the cards that exist and are the owner's, in any order.
    fn cards(&self, owner: UserId, ids: Vec<CardId>) -> Answering<'_, Vec<StoredCard>>;

    /// Those of the decks that exist and are the owner's, in any order.
    fn decks(&self, owner: UserId, ids: Vec<DeckId>) -> Answering<'_, Vec<StoredDeck>>;

    /// The cards that the study queue is made of.
    fn queue(&self, owner: UserId, query: QueueQuery) -> Answering<'_, QueueCards>;

    /// Puts reviews into the log, and settles their cards by `scheduler`.
    fn submit(
        &self,
        owner: UserId,
        batch: Arc<[Review]>,
        scheduler: Arc<Scheduler>,
    ) -> Answering<'_, Submitted>;

    /// A page of each card's log, in the direction of reading, with one review more than the page holds where there is one.
    fn reviews(
        &self,
        owner: UserId,
        cards: Vec<CardId>,
        page: PageRequest<AnswerKey>,
    ) -> Answering<'_, HashMap<CardId, Vec<Review>>>;

    /// The numbers of a local day that ends before `tomorrow`.
    fn stats(&self, owner: UserId, today: Day, tomorrow: Timestamp) -> Answering<'_, Stats>;

    /// Starts a session, unless there is one with its id.
    fn start_session(&self, session: Session) -> Answering<'_, Started>;

    /// Finishes a session, unless it was finished before. `None` when the owner has none with this id.
    fn finish_session(
        &self,
        owner: UserId,
        id: LearningSessionId,
        at: Timestamp,
    ) -> Answering<'_, Option<Session>>;

    /// A page of the owner's sessions, newest first, in the direction of reading, with one more than the page holds where there is one.
    fn sessions(
        &self,
        owner: UserId,
        page: PageRequest<SessionKey>,
    ) -> Answering<'_, Vec<Session>>;

    /// Whether it answers now.
    fn ping(&self) -> Answering<'_, ()>;
}
