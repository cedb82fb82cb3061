//! What the rules of this domain need of a store. Both implementations pass the suite in `tests/store.rs`.
//!
//! A store decides nothing: what a batch of reviews does is decided by [`crate::submission`], which it calls within its transaction.

mod mongo;
mod sqlite;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use common::outbox::OutboxStore;
use common::page::PageRequest;
use common::{
    Backend, CardId, DeckId, Event, LearningSessionId, NoteId, PresetId, ReviewId, StoreError,
    UserId,
};
use futures::future::BoxFuture;
use jiff::Timestamp;
use uuid::Uuid;

pub use mongo::MongoStore;
pub use sqlite::{MIGRATIONS, SqliteStore};

use crate::entry::{LogEntry, Logged};
use crate::fit::Sample;
use crate::model::{
    Candidate, OwnSettings, Person, Preset, Session, SessionKey, Shelf, Stats, StoredCard,
    StoredDeck, Weights,
};
use crate::scheduler::{AnswerKey, Day, Done, Model, Rulebook};
use crate::service::FitRecord;
use crate::submission::{Terms, Verdict};
use crate::tally::Tally;

/// By which field each of MongoDB's collections is sharded, hashed, where there are shards: by whose it is.
pub const SHARD_KEYS: &[(&str, &str)] = &[
    ("cards", "owner"),
    ("decks", "owner"),
    ("fits", "owner"),
    ("persons", "_id"),
    ("presets", "owner"),
    ("reviews", "owner"),
    ("rules", "owner"),
    ("sessions", "owner"),
    ("sync", "_id"),
    ("tallies", "owner"),
];

/// What a store answers.
pub type Answering<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// Opens the store of a backend: migrations or indexes are made as needed.
///
/// # Errors
/// When the backend cannot be used.
pub async fn open(backend: Backend) -> Result<Arc<dyn Store>, StoreError> {
    Ok(match backend {
        Backend::Sqlite(sqlite) => {
            let store = SqliteStore::new(sqlite);
            store.upgrade().await?;
            Arc::new(store)
        }
        Backend::Mongo(mongo) => {
            let store = MongoStore::open(mongo).await?;
            store.upgrade().await?;
            Arc::new(store)
        }
    })
}

/// Which cards the study queue is made of.
#[derive(Debug, Clone)]
pub struct QueueQuery {
    /// Only these decks.
    pub decks: Vec<DeckId>,
    /// Cards in their steps that are due by then.
    pub ahead: Timestamp,
    /// The local day.
    pub today: Day,
    /// Learned cards that are due on this local day or earlier.
    pub until: Day,
    /// Only cards with this tag.
    pub tag: Option<String>,
    /// How many cards in their steps, of each deck.
    pub steps: u32,
    /// How many learned cards, of each deck.
    pub learned: u32,
    /// How many new cards, of each deck.
    pub new: u32,
}

/// What the study queue is made of. Nothing that is suspended, or buried on this day.
#[derive(Debug, Clone, Default)]
pub struct QueueCards {
    /// What was done of the day's work, by the deck that the cards lay in then.
    pub done: HashMap<DeckId, Done>,
    /// Cards in their steps, by the moment they are due.
    pub steps: Vec<Candidate>,
    /// Learned ones, those that have been due the longest, deck by deck.
    pub learned: Vec<Candidate>,
    /// New ones, deck by deck in the order of their making, then by position.
    pub new: Vec<Candidate>,
    /// Cards of notes that were studied on this day.
    pub studied: Vec<(NoteId, CardId)>,
}

/// What a batch led to.
#[derive(Debug, Clone)]
pub struct Submitted {
    /// For each entry, in the order of the batch.
    pub verdicts: Vec<Verdict>,
    /// The owner's cards that the batch names, as they are now.
    pub cards: HashMap<CardId, StoredCard>,
}

/// Logs by card, and the rules that they name.
pub type CardLogs = (HashMap<CardId, Vec<Logged>>, Rulebook);

/// A place in the order of a person's changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeKey {
    /// The number of the change.
    pub seq: i64,
    /// The card: several may change at once.
    pub card: CardId,
}

/// A change of a card.
#[derive(Debug, Clone, PartialEq)]
pub struct CardChange {
    /// Its place.
    pub key: ChangeKey,
    /// The card as it is now; `None` when it is gone.
    pub card: Option<StoredCard>,
}

/// Changes of a person's cards, and where they end.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Changes {
    /// In their order.
    pub cards: Vec<CardChange>,
    /// The number of the last change there is.
    pub last_seq: i64,
    /// The number of the last change of settings.
    pub settings_seq: i64,
}

/// Settings to keep, if the deck's are at the expected version.
#[derive(Debug, Clone)]
pub struct SettingsChange {
    /// Which deck.
    pub deck: DeckId,
    /// The version they must be at.
    pub expected: Option<i64>,
    /// What they are from now on, at any version; `None`: it inherits everything.
    pub own: Option<OwnSettings>,
}

/// Who is at a fitting, and until when others leave it to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The process.
    pub worker: Uuid,
    /// When it is over, unless it was renewed.
    pub until: Timestamp,
}

/// What became of a change that expects a version.
#[derive(Debug, Clone, PartialEq)]
pub enum Changed<T> {
    /// It was made.
    Done(T),
    /// There is no such thing.
    NotFound,
    /// It is at this version, not at the expected one.
    VersionIs(i64),
    /// The name belongs to another one.
    NameTaken,
    /// There are as many as there may be.
    Full,
}

/// What became of a session that was to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Started {
    /// It runs, or did before: the one that is stored.
    Session(Session),
    /// The owner has no such deck.
    UnknownDeck,
}

/// How many events are handed over in one call: each is about up to 1,000 cards.
const EVENTS: usize = 20;

/// The store of this domain. Each method is one read of a consistent state, or one transaction. What changes cards keeps an event about them for
/// delivery.
pub trait Store: OutboxStore {
    /// Takes in what other domains tell: newer versions only.
    fn apply(&self, events: Vec<Event>) -> Answering<'_, ()>;

    /// A person, unless nothing was told of them yet.
    fn person(&self, user: UserId) -> Answering<'_, Option<Person>>;

    /// Those of the cards that exist and are the owner's, in any order.
    fn cards(&self, owner: UserId, ids: Vec<CardId>) -> Answering<'_, Vec<StoredCard>>;

    /// Those of the decks that exist and are the owner's, in any order, seen on a local day.
    fn decks(&self, owner: UserId, ids: Vec<DeckId>, today: Day) -> Answering<'_, Vec<StoredDeck>>;

    /// All of the owner's decks with what they set, and all presets.
    fn shelf(&self, owner: UserId) -> Answering<'_, Shelf>;

    /// Changes what a deck sets itself.
    fn put_settings(
        &self,
        owner: UserId,
        change: SettingsChange,
    ) -> Answering<'_, Changed<OwnSettings>>;

    /// Keeps a preset: a new one when its version is 1 and there is none with its id, else the next version of the one at `expected`. At most
    /// [`crate::model::MAX_PRESETS`].
    fn put_preset(
        &self,
        owner: UserId,
        preset: Preset,
        expected: Option<i64>,
    ) -> Answering<'_, Changed<Preset>>;

    /// Removes a preset. Decks that started from it inherit again.
    fn delete_preset(
        &self,
        owner: UserId,
        id: PresetId,
        expected: Option<i64>,
    ) -> Answering<'_, Changed<()>>;

    /// The cards that the study queue is made of.
    fn queue(&self, owner: UserId, query: QueueQuery) -> Answering<'_, QueueCards>;

    /// Puts entries into the log, and settles their cards by `terms`.
    fn submit(
        &self,
        owner: UserId,
        batch: Arc<[LogEntry]>,
        terms: Arc<Terms>,
    ) -> Answering<'_, Submitted>;

    /// Those of the entries that are in the owner's log.
    fn entries(&self, owner: UserId, ids: Vec<ReviewId>) -> Answering<'_, Vec<Logged>>;

    /// The place in the log of the owner's latest answer but `later`, by the moment it was given.
    fn answer_before(&self, owner: UserId, later: u32) -> Answering<'_, Option<AnswerKey>>;

    /// The whole logs of those of the cards that are the owner's, in any order, and the rules that they name.
    fn logs(&self, owner: UserId, cards: Vec<CardId>) -> Answering<'_, CardLogs>;

    /// The era of [`common::sqlite::Sqlite::era`] or [`common::mongo::Mongo::era`]; a place among the changes is good in its own alone.
    fn era(&self) -> i32;

    /// Changes of cards after `after`, at most `limit`.
    fn changes(&self, owner: UserId, after: ChangeKey, limit: u32) -> Answering<'_, Changes>;

    /// The sums of the days from the first to the last, by day; of all decks, or of these.
    fn tallies(
        &self,
        owner: UserId,
        decks: Option<Vec<DeckId>>,
        days: (Day, Day),
    ) -> Answering<'_, Vec<(Day, Tally)>>;

    /// How many cards come back on each local day up to the last, those in their steps on the day that `tomorrow` ends; of these decks. What was
    /// due before `today` is due today.
    fn forecast(
        &self,
        owner: UserId,
        decks: Vec<DeckId>,
        today: Day,
        last: Day,
    ) -> Answering<'_, BTreeMap<Day, u32>>;

    /// The owner's answers that count, in any order.
    fn samples(&self, owner: UserId) -> Answering<'_, Vec<Sample>>;

    /// Keeps weights from which on the owner's new entries are scheduled.
    fn put_weights(&self, owner: UserId, weights: Weights) -> Answering<'_, ()>;

    /// Replays the logs of some of the owner's cards after `from` by a model. Gives the last of them, `None` when all are done.
    fn reschedule(
        &self,
        owner: UserId,
        model: Arc<Model>,
        from: Option<CardId>,
    ) -> Answering<'_, Option<CardId>>;

    /// Keeps a fitting that begins, by a lease; unless one of the owner's is under way: then that one is answered.
    fn begin_fit(&self, owner: UserId, fit: FitRecord, lease: Lease) -> Answering<'_, FitRecord>;

    /// Keeps how far a fitting is, or what became of it. `false` when it is not its worker's any more: then nothing was kept.
    fn keep_fit(&self, owner: UserId, fit: FitRecord, lease: Lease) -> Answering<'_, bool>;

    /// A fitting under way whose lease was over at `now`; from then on it is held by this one.
    fn take_fit(&self, now: Timestamp, lease: Lease) -> Answering<'_, Option<(UserId, FitRecord)>>;

    /// The fitting that was started last.
    fn last_fit(&self, owner: UserId) -> Answering<'_, Option<FitRecord>>;

    /// A page of the reviews in each card's log, in the direction of reading, with one more than the page holds where there is one.
    fn reviews(
        &self,
        owner: UserId,
        cards: Vec<CardId>,
        page: PageRequest<AnswerKey>,
    ) -> Answering<'_, HashMap<CardId, Vec<Logged>>>;

    /// The numbers of a local day that ends before `tomorrow`; cards of the decks that are `asleep` are not due, nor new.
    fn stats(
        &self,
        owner: UserId,
        asleep: Vec<DeckId>,
        today: Day,
        tomorrow: Timestamp,
    ) -> Answering<'_, Stats>;

    /// Whether any of the owner's decks is put aside.
    fn has_archived(&self, owner: UserId) -> Answering<'_, bool>;

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
    fn sessions(&self, owner: UserId, page: PageRequest<SessionKey>)
    -> Answering<'_, Vec<Session>>;

    /// Whether it answers now.
    fn ping(&self) -> Answering<'_, ()>;
}
