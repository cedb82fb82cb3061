//! What imports and exports ask of a store: their rows, the parts of their files, and what waits to be made.
//!
//! A transfer is replaced only as long as it has the revision that was read: whoever works on one is fenced off by whoever calls it off.

use common::{StoreError, TransferId, UserId};
use jiff::Timestamp;

use super::{Commit, Reply};
use crate::model::{Direction, Item, Transfer};

/// Where imports and exports are kept.
pub trait TransferStore: Send + Sync {
    /// Stores a transfer: a new one where its revision is 0, else in place of the one with its revision. It is stored with the next one.
    fn put_transfer(&self, transfer: Transfer) -> Reply<'_, Commit>;

    /// A transfer.
    fn transfer(&self, id: TransferId) -> Reply<'_, Option<Transfer>>;

    /// A person's transfers, newest first.
    fn transfers(&self, owner: UserId, direction: Option<Direction>) -> Reply<'_, Vec<Transfer>>;

    /// Transfers with work to do that nobody was at at this moment, oldest first, at most `limit`.
    fn waiting_transfers(&self, now: Timestamp, limit: u32) -> Reply<'_, Vec<Transfer>>;

    /// Transfers that are to be forgotten at this moment, at most `limit`.
    fn expired_transfers(&self, now: Timestamp, limit: u32) -> Reply<'_, Vec<Transfer>>;

    /// Removes a transfer with its file and its items.
    fn delete_transfer(&self, id: TransferId) -> Reply<'_, ()>;

    /// Stores a part of a file together with the transfer that counts it: see [`TransferStore::put_transfer`].
    fn put_part(&self, transfer: Transfer, number: u32, bytes: Vec<u8>) -> Reply<'_, Commit>;

    /// A part of a file.
    fn part(&self, id: TransferId, number: u32) -> Reply<'_, Option<Vec<u8>>>;

    /// Removes a file, and what waits to be made.
    fn delete_parts(&self, id: TransferId) -> Reply<'_, ()>;

    /// The first items of a transfer, with their numbers, at most `limit`.
    fn items(&self, id: TransferId, limit: u32) -> Reply<'_, Vec<(i64, Item)>>;
}

/// An item as stores keep it.
pub(super) fn to_json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Other(Box::new(error)))
}

/// What stores keep as JSON.
pub(super) fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt(error.to_string()))
}
