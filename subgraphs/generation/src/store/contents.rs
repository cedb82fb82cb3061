//! What is kept of contents, and of what the service is still to delete. The suite in `tests/store` says what each implementation must do.

use common::page::PageRequest;
use common::{ContentId, StoreError, UserId};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::Reply;
use crate::model::Content;

/// When the service is told once more to forget a person: what it was at for them when it was told first is done by then.
pub(super) const ONCE_MORE: SignedDuration = SignedDuration::from_mins(15);

/// Where contents are kept.
pub trait ContentStore: Send + Sync {
    /// Adds a content, unless its owner has too many of them.
    fn insert_content(&self, content: Content, most: Most) -> Reply<'_, Added>;

    /// Those of the contents that exist, in any order.
    fn contents(&self, ids: Vec<ContentId>) -> Reply<'_, Vec<Content>>;

    /// A person's contents, the newest first: one more than the page's limit where there are as many, in the direction of reading.
    fn content_page(&self, owner: UserId, page: PageRequest<ContentId>) -> Reply<'_, Vec<Content>>;

    /// Stores a content in place of its last version; answers `false` and changes nothing when that is another one by now.
    fn replace_content(&self, content: Content) -> Reply<'_, bool>;

    /// Deletes a content of that version, and keeps in the same transaction that the service is to delete it; answers whether it did.
    fn remove_content(&self, content: Content, now: Timestamp) -> Reply<'_, bool>;

    /// Contents that are being processed, the oldest first, at most `limit`.
    fn unfinished_contents(&self, limit: u32) -> Reply<'_, Vec<Content>>;

    /// Keeps that the service is to delete something.
    fn insert_removal(&self, removal: Removal) -> Reply<'_, ()>;

    /// What the service is to delete and is due, the oldest first, at most `limit`.
    fn removals(&self, now: Timestamp, limit: u32) -> Reply<'_, Vec<Removal>>;

    /// The service has deleted it.
    fn removed(&self, removal: Uuid) -> Reply<'_, ()>;
}

/// How many contents a person may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Most {
    /// In all.
    pub kept: u32,
    /// That are being processed.
    pub unfinished: u32,
}

impl Most {
    /// What becomes of one more beside those that are there.
    pub(super) fn admits(self, kept: u64, unfinished: u64) -> Added {
        if kept >= u64::from(self.kept) {
            Added::Full
        } else if unfinished >= u64::from(self.unfinished) {
            Added::Busy
        } else {
            Added::New
        }
    }
}

/// What became of a content that was to be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It is there.
    New,
    /// Its owner has too many.
    Full,
    /// Of its owner's too many are being processed.
    Busy,
    /// The account is gone.
    Gone,
}

/// What the service is to delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// Which entry.
    pub id: Uuid,
    /// Whose.
    pub owner: UserId,
    /// What of theirs.
    pub what: What,
    /// From when on.
    pub due: Timestamp,
}

/// What of a person's the service is to delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// All.
    All,
    /// What it calls so.
    One(String),
    /// What it took of a source without this being known here.
    Lost {
        /// The address or the file's name.
        source: String,
        /// When it was asked to take it.
        since: Timestamp,
    },
}

/// What is kept of [`What`]: the name, the source and since when.
pub(super) type Columns = (Option<String>, Option<String>, Option<i64>);

impl What {
    pub(super) fn columns(self) -> Columns {
        match self {
            Self::All => (None, None, None),
            Self::One(remote) => (Some(remote), None, None),
            Self::Lost { source, since } => (None, Some(source), Some(since.as_millisecond())),
        }
    }

    pub(super) fn of(columns: Columns) -> Result<Self, StoreError> {
        match columns {
            (None, None, None) => Ok(Self::All),
            (Some(remote), None, None) => Ok(Self::One(remote)),
            (None, Some(source), Some(since)) => {
                Ok(Self::Lost { source, since: super::moment(since)? })
            }
            _ => Err(StoreError::Corrupt("a removal of several things".to_owned())),
        }
    }
}

impl Removal {
    /// One content.
    #[must_use]
    pub fn of(owner: UserId, remote: String, now: Timestamp) -> Self {
        Self { id: Uuid::now_v7(), owner, what: What::One(remote), due: now }
    }

    /// What the service may take of a source from now on, should it never be known here: in a while, when it has surely taken it.
    #[must_use]
    pub fn of_lost(owner: UserId, source: String, now: Timestamp) -> Self {
        let what = What::Lost { source, since: now };
        Self { id: Uuid::now_v7(), owner, what, due: now + ONCE_MORE }
    }

    /// All of a person whose account is gone: now, and once more.
    pub(super) fn of_all(owner: UserId, now: Timestamp) -> [Self; 2] {
        [now, now + ONCE_MORE].map(|due| Self { id: Uuid::now_v7(), owner, what: What::All, due })
    }
}

pub(super) fn written(content: &Content) -> Result<String, StoreError> {
    serde_json::to_string(content).map_err(|error| StoreError::Other(Box::new(error)))
}

pub(super) fn read(body: &str) -> Result<Content, StoreError> {
    serde_json::from_str(body).map_err(|error| StoreError::Corrupt(error.to_string()))
}
