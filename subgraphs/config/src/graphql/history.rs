//! The history of changes, as a Relay connection.

use async_graphql::{Json, Object, SimpleObject};
use common::graphql::{DateTime, PageInfo};
use common::page::{Page, encode_cursor};
use common::{ConfigChangeId, UserId};
use serde_json::Value;

use crate::model::{Change, Key};

/// A page of changes.
pub(crate) struct ConfigChangeConnection(pub(crate) Page<Change>);

/// A page of changes.
#[Object]
impl ConfigChangeConnection {
    /// The changes with their cursors.
    async fn edges(&self) -> Vec<ConfigChangeEdge> {
        let edge =
            |change: &Change| ConfigChangeEdge { cursor: cursor(change), node: node(change) };
        self.0.rows.iter().map(edge).collect()
    }

    /// The changes.
    async fn nodes(&self) -> Vec<ConfigChange> {
        self.0.rows.iter().map(node).collect()
    }

    /// Where the page lies in the list.
    async fn page_info(&self) -> PageInfo {
        PageInfo::of(&self.0, cursor)
    }
}

/// A change in a list.
#[derive(SimpleObject)]
struct ConfigChangeEdge {
    /// Names the change's place in the list, for `after` and `before`.
    cursor: String,
    /// The change.
    node: ConfigChange,
}

/// What somebody did to a setting.
#[derive(SimpleObject)]
struct ConfigChange {
    /// The change's id, a UUID.
    id: ConfigChangeId,
    /// Which setting; null when this program knows it no more.
    key: Option<Key>,
    /// The setting's version after it: `revertConfig` goes back to it.
    version: i64,
    /// The value that was set; null where the default was put back.
    value: Option<Json<Value>>,
    /// When.
    made_at: DateTime,
    /// The account that did it.
    made_by: UserId,
}

fn cursor(change: &Change) -> String {
    encode_cursor(&change.id)
}

fn node(change: &Change) -> ConfigChange {
    // What is no JSON is shown as the text that it is.
    let read = |text: &String| serde_json::from_str(text).unwrap_or_else(|_| text.clone().into());
    ConfigChange {
        id: change.id,
        key: Key::named(&change.key),
        version: change.version,
        value: change.value.as_ref().map(read).map(Json),
        made_at: DateTime(change.made_at),
        made_by: change.made_by,
    }
}
