//! All rules of the domain, and who may do what: only the owner of a deck sees or changes it and its cards. What belongs to somebody else is
//! answered as if it did not exist.
//!
//! A change is decided on rows that were read before, and committed only if they are still the same; otherwise it is decided again.

mod accepted;
mod browse;
mod cards;
mod check;
mod cloned_media;
mod clones;
mod copies;
mod decks;
mod media;
mod media_trash;
mod moves;
mod notes;
mod people;
mod pieces;
mod public_media;
mod publish;
mod pull;
mod read;
mod rewrite;
mod search;
mod subscribers;
mod sync;
mod tags;
mod tell;
pub(crate) mod transfers;
mod trash;
mod tree;

use std::sync::Arc;

use common::outbox::Outbox;
use common::{Clock, Endpoint, Error, PublicRevision, UserId};
use tokio::sync::{Mutex, MutexGuard, Notify};

use crate::model::{Card, MediaLimits, Note};
use crate::store::{Changes, Commit, Store};

pub use browse::Source;
pub use cloned_media::{CopiedMedia, LeftOut, MAX_LEFT_OUT};
pub use pull::{ConflictKind, DeckConflict, PullConflict, Pulled};
pub use read::Node;
pub use sync::ChangePage;

/// How often a change is decided again. Within a process the changes of one person wait for one another, so this bounds how many processes may
/// be at the same deck at once.
const ATTEMPTS: usize = 10;
/// How many people's changes run at the same time, at most.
const LOCKS: usize = 64;

/// A note with those of its cards that are not in the trash: at least one, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteWithCards {
    /// The note.
    pub note: Note,
    /// Its cards.
    pub cards: Vec<Card>,
}

/// The rules of decks, notes and cards.
pub struct Service {
    store: Arc<dyn Store>,
    outbox: Outbox,
    clock: Clock,
    media_limits: MediaLimits,
    locks: [Mutex<()>; LOCKS],
    /// What knows how well cards are learned.
    learning: Option<Arc<dyn Endpoint>>,
    workers: transfers::work::Workers,
    /// Somebody has work for those who import and export.
    wake: Arc<Notify>,
    /// How often public decks changed.
    public: PublicRevision,
}

impl Service {
    /// Starts the domain on its store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, outbox: Outbox, clock: Clock) -> Self {
        Self {
            store,
            outbox,
            clock,
            media_limits: MediaLimits::default(),
            locks: std::array::from_fn(|_| Mutex::default()),
            learning: None,
            workers: transfers::work::Workers::default(),
            wake: Arc::default(),
            public: PublicRevision::default(),
        }
    }

    /// The same with other limits of media than the usual ones.
    #[must_use]
    pub fn with_media_limits(mut self, limits: MediaLimits) -> Self {
        self.media_limits = limits;
        self
    }

    /// The same, with what is asked how well cards are learned when they are exported.
    #[must_use]
    pub fn with_learning(mut self, learning: Option<Arc<dyn Endpoint>>) -> Self {
        self.learning = learning;
        self
    }

    /// Until it is dropped, no other change of a person is made in this process, but for a few people's whose turn is the same.
    async fn lock(&self, person: UserId) -> MutexGuard<'_, ()> {
        self.locks[person.uuid().as_u128() as usize % LOCKS].lock().await
    }

    /// Decides and commits until nobody is faster, then tells other domains.
    async fn change<T, F>(&self, person: UserId, decide: impl Fn() -> F + Send) -> Result<T, Error>
    where
        F: Future<Output = Result<(T, Changes), Error>> + Send,
        T: Send,
    {
        let answer = self.commit(person, decide).await?;
        self.outbox.flush().await;
        Ok(answer)
    }

    async fn commit<T, F>(&self, person: UserId, decide: impl Fn() -> F + Send) -> Result<T, Error>
    where
        F: Future<Output = Result<(T, Changes), Error>> + Send,
        T: Send,
    {
        let _one_at_a_time = self.lock(person).await;
        for _ in 0..ATTEMPTS {
            let (answer, mut changes) = decide().await?;
            self.tell_tags(&mut changes).await?;
            if changes.is_empty() {
                return Ok(answer);
            }
            let of_public_decks = !changes.sharing.is_empty();
            let committed = self.store.commit(changes).await;
            if of_public_decks {
                // Also where it failed: it may be stored all the same.
                self.public.advance();
            }
            if committed? == Commit::Done {
                return Ok(answer);
            }
        }
        Err(Error::Conflict("others change the same things at this moment: try again".into()))
    }
}
