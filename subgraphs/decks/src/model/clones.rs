//! What is remembered of clones of published decks, and what may be asked of published decks: to find, rate, clone and pull them.

use common::{DeckId, Error, NoteId, PublicationId, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::share::{Licence, Publication, public_tags};
use super::{Tag, within};
use crate::search::text::words;

/// The most words of a search in public decks.
const MAX_PUBLIC_WORDS: usize = 20;
/// The most characters of such a search.
const MAX_PUBLIC_QUERY: usize = 200;

/// A clone of a published deck.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// The deck that was made.
    pub deck: DeckId,
    /// Whose it is.
    pub owner: UserId,
    /// What it was made of.
    pub publication: PublicationId,
    /// The release that was cloned, or pulled last; 0 before all of the clone is there.
    pub release: i64,
    /// Grows with each write; 0 before the first.
    pub revision: i64,
}

/// What of a clone came from where.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Links {
    /// Origins of decks, and the decks that were made of them.
    pub decks: Vec<(Uuid, DeckId)>,
    /// The notes.
    pub notes: Vec<NoteLink>,
}

/// A note of a clone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteLink(
    /// Its origin.
    pub Uuid,
    /// The note that was made of it.
    pub NoteId,
    /// The release with which the two were last compared.
    pub i64,
);

/// Which published decks are meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct PublicFilter {
    /// Folded words, each of which begins a word of the deck's.
    pub words: Vec<String>,
    /// Tags that it has, or some below them.
    pub tags: Vec<Tag>,
    /// Its licence.
    pub licence: Option<Licence>,
}

impl PublicFilter {
    /// Checks what is searched for.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the argument: a text or lists that are too long, or a tag that is none.
    pub fn new(query: &str, tags: &[String], licence: Option<Licence>) -> Result<Self, Error> {
        within("query", query, 0, MAX_PUBLIC_QUERY)?;
        let mut words: Vec<String> = words(query).into_iter().map(|word| word.folded).collect();
        words.dedup();
        if words.len() > MAX_PUBLIC_WORDS {
            let message =
                format!("has {} words: at most {MAX_PUBLIC_WORDS} are accepted", words.len());
            return Err(Error::invalid("query", message));
        }
        let tags = public_tags("tags", tags)?.list().to_vec();
        Ok(Self { words, tags, licence })
    }
}

/// What a list of published decks is sorted by, from the greatest to the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PublicOrder {
    /// When they were published first.
    Newest,
    /// How they are rated: see [`Publication::rank`].
    Rating,
    /// How many people have a clone.
    Subscribers,
}

/// A published deck's place in a list: what its cursor says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PublicKey(pub PublicOrder, pub i64, pub PublicationId);

impl PublicKey {
    /// The key of a published deck in a list in this order.
    #[must_use]
    pub fn of(publication: &Publication, order: PublicOrder) -> Self {
        let value = match order {
            PublicOrder::Newest => publication.created_at.as_millisecond(),
            PublicOrder::Rating => publication.rank(),
            PublicOrder::Subscribers => publication.subscriber_count,
        };
        Self(order, value, publication.id)
    }
}

/// Somebody's stars for a published deck: 1 to 5, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rating {
    /// What is rated.
    pub publication: PublicationId,
    /// By whom.
    pub user: UserId,
    /// The stars there were.
    pub before: Option<i64>,
    /// The stars there are.
    pub stars: Option<i64>,
}

/// A clone to be made.
#[derive(Debug, Clone)]
pub struct NewClone {
    /// Of which published deck.
    pub slug: String,
    /// The client's own id of the deck that is made, so that making it twice makes it once.
    pub id: Option<DeckId>,
    /// The deck it will lie in, at the end; `None` for the top.
    pub parent: Option<DeckId>,
}

/// What of a published deck to take, and what of one's own to keep.
#[derive(Debug, Clone)]
pub struct Pull {
    /// The clone.
    pub deck: DeckId,
    /// Only say what would be done.
    pub dry_run: bool,
    /// Where both have changed, take the author's.
    pub take_theirs: bool,
    /// The same for single notes.
    pub choices: Vec<(NoteId, bool)>,
    /// Refuse when another release is the latest by now.
    pub expected_release: Option<i64>,
}
