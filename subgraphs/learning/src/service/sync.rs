//! What changed since a device last asked, so that it need not read everything again.

use common::page::{decode_cursor, encode_cursor};
use common::{CardId, Error, Viewer, sync};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{CardView, Learner, Service};
use crate::model::RETENTION_DAYS;
use crate::store::ChangeKey;

const RETENTION: SignedDuration = SignedDuration::from_hours(24 * RETENTION_DAYS);

/// A page of changes.
#[derive(Debug, Clone, Default)]
pub struct ChangePage {
    /// Cards as they are now.
    pub cards: Vec<CardView>,
    /// Cards that are gone.
    pub gone: Vec<CardId>,
    /// Whether settings of decks or presets changed.
    pub settings_changed: bool,
    /// Where to go on; `None` when everything is to be read again.
    pub cursor: Option<String>,
    /// Whether there is more beyond it.
    pub has_more: bool,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Cursor(i64, CardId, i64, #[serde(default)] i32);

impl Service {
    /// The changes of the viewer's cards and settings since `since`, in their order, at most `first` cards; without it, everything there is. A card that
    /// changed several times comes once. A cursor is good for [`RETENTION_DAYS`].
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
        let Learner { moment, models } = self.learner(viewer.user).await?;
        let given: Option<Cursor> = since.map(|text| decode_cursor("since", text)).transpose()?;
        let era = self.store.era();
        let now = moment.now.as_millisecond();
        let start = given.unwrap_or(Cursor(0, Uuid::nil().into(), now, era));
        // A device of another era may have seen what is not there any more: a backup was brought back.
        if start.3 != era || !sync::is_kept(start.2, moment.now, RETENTION) {
            return Ok(ChangePage::default());
        }
        let after = ChangeKey { seq: start.0, card: start.1 };
        let mut changes = self.store.changes(viewer.user, after, limit + 1).await?;
        // Nor is a device ahead of the store, whoever brought it back.
        if start.0 > changes.last_seq {
            return Ok(ChangePage::default());
        }
        let has_more = changes.cards.len() > limit as usize;
        changes.cards.truncate(limit as usize);
        let end = match changes.cards.last() {
            Some(last) if has_more => (last.key.seq, last.key.card),
            _ => (changes.last_seq, Uuid::max().into()),
        };
        let mut page = ChangePage {
            settings_changed: changes.settings_seq > start.0,
            cursor: Some(encode_cursor(&Cursor(end.0, end.1, now, era))),
            has_more,
            ..ChangePage::default()
        };
        for change in changes.cards {
            match change.card {
                Some(card) => page.cards.push(CardView::new(card, &models, &moment)),
                // Who asks for the first time never knew it.
                None if given.is_none() => {}
                None => page.gone.push(change.key.card),
            }
        }
        Ok(page)
    }
}
