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
    /// Adds a content, unless its owner has `most` of them.
    fn insert_content(&self, content: Content, most: u32) -> Reply<'_, Added>;

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

/// What became of a content that was to be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It is there.
    New,
    /// Its owner has too many.
    Full,
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
    /// What the service calls it; `None` for all it has of that person.
    pub remote: Option<String>,
    /// From when on.
    pub due: Timestamp,
}

impl Removal {
    /// One content.
    #[must_use]
    pub fn of(owner: UserId, remote: String, now: Timestamp) -> Self {
        Self { id: Uuid::now_v7(), owner, remote: Some(remote), due: now }
    }

    /// All of a person whose account is gone: now, and once more.
    pub(super) fn of_all(owner: UserId, now: Timestamp) -> [Self; 2] {
        [now, now + ONCE_MORE].map(|due| Self { id: Uuid::now_v7(), owner, remote: None, due })
    }
}

pub(super) fn written(content: &Content) -> Result<String, StoreError> {
    serde_json::to_string(content).map_err(|error| StoreError::Other(Box::new(error)))
}

pub(super) fn read(body: &str) -> Result<Content, StoreError> {
    serde_json::from_str(body).map_err(|error| StoreError::Corrupt(error.to_string()))
}
