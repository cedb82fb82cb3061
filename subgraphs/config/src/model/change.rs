//! A change of a key. Changes are only ever added, so that together they are the key's history; the last one is what is stored.

use common::{ConfigChangeId, UserId};
use jiff::Timestamp;

/// What was done to a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Later in order than the changes that were made before it.
    pub id: ConfigChangeId,
    /// The key's name.
    pub key: String,
    /// The key's version after it: 1 for its first change, then one more each time. A store keeps each version of a key once.
    pub version: i64,
    /// The value as JSON text, as whoever stored it understood it; `None` puts the default back.
    pub value: Option<String>,
    /// When.
    pub made_at: Timestamp,
    /// Who.
    pub made_by: UserId,
}
