//! What changed since a device last asked, so that it need not read everything again.
//!
//! What is gone lies in the trash for [`TRASH_KEPT`], and is told from there: so a place among the changes is good for a little less.

use common::page::{decode_cursor, encode_cursor};
use common::{Error, Viewer, sync};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Node, Service};
use crate::model::{ChangeKey, Kind, TRASH_KEPT};

/// How long a place is good for: a day less than the trash keeps things, because the clocks of processes differ.
const RETENTION: SignedDuration = SignedDuration::from_hours(TRASH_KEPT.as_hours() - 24);

/// A page of changes.
#[derive(Debug, Clone, Default)]
pub struct ChangePage {
    /// Decks, notes and cards as they are now.
    pub nodes: Vec<Node>,
    /// Those that are gone.
    pub gone: Vec<(Kind, Uuid)>,
    /// Where to go on; `None` when everything is to be read again.
    pub cursor: Option<String>,
    /// Whether there is more beyond it.
    pub has_more: bool,
}

/// A place, when it was asked for, in milliseconds since the epoch, and in which era of the store.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Cursor(ChangeKey, i64, #[serde(default)] i32);

impl Service {
    /// The changes of the viewer's decks, notes and cards since `since`, in their order, at most `first`; without it, everything there is. What changed several
    /// times comes once. A note comes when it, or which of its cards are there, changed; its tags come with it.
    ///
    /// # Errors
    /// [`Error::Invalid`] when `first` is out of range or `since` is no cursor; [`Error::Store`].
    pub async fn changes(
        &self,
        viewer: &Viewer,
        since: Option<&str>,
        first: i32,
    ) -> Result<ChangePage, Error> {
        let limit = sync::limit(first)?;
        let now = self.clock.now();
        let given: Option<Cursor> = since.map(|text| decode_cursor("since", text)).transpose()?;
        let era = self.store.era();
        // A device of another era may have seen what is not there any more: a backup was brought back.
        let is_good =
            |Cursor(_, asked_at, of): Cursor| of == era && sync::is_kept(asked_at, now, RETENTION);
        if given.is_some_and(|given| !is_good(given)) {
            return Ok(ChangePage::default());
        }
        let after = given.map_or(ChangeKey::START, |Cursor(key, ..)| key);
        let (mut keys, last) = self.store.changes(viewer.user, after, limit + 1).await?;
        // Nor is a device ahead of the store, whoever brought it back.
        if after.change > last {
            return Ok(ChangePage::default());
        }
        let has_more = keys.len() > limit as usize;
        keys.truncate(limit as usize);
        let end = match keys.last() {
            Some(key) if has_more => *key,
            _ => ChangeKey { change: last, kind: Kind::Card, id: Uuid::max() },
        };
        let ids: Vec<Uuid> = keys.iter().map(|key| key.id).collect();
        let nodes = self.nodes(viewer, &ids).await?;
        let mut page = ChangePage {
            cursor: Some(encode_cursor(&Cursor(end, now.as_millisecond(), era))),
            has_more,
            ..ChangePage::default()
        };
        for (key, node) in keys.into_iter().zip(nodes) {
            match node {
                Some(node) => page.nodes.push(node),
                // Who asks for the first time never knew it.
                None if given.is_none() => {}
                None => page.gone.push((key.kind, key.id)),
            }
        }
        Ok(page)
    }
}
