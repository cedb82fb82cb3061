//! What queries of the store are put together from: conditions, orders, and pages of many decks at once.

use std::collections::HashMap;

use common::{DeckId, StoreError, UserId};
use futures::TryStreamExt;
use mongodb::Cursor;
use mongodb::bson::{self, Bson, DateTime, Document, doc};
use serde::de::DeserializeOwned;

use super::documents::CountDocument;
use super::{MongoStore, ONE_BATCH};
use crate::model::{CardList, DeckFilter, DeckKey};

impl MongoStore {
    /// How many rows of a collection each deck has.
    pub(super) async fn counts(
        &self,
        collection: &str,
        filter: Document,
        deck: &str,
    ) -> Result<HashMap<DeckId, i64>, StoreError> {
        let pipeline = vec![
            doc! { "$match": filter },
            doc! { "$group": { "_id": deck, "count": { "$sum": 1i64 } } },
        ];
        let rows = self.mongo.collection::<CountDocument>(collection);
        let found = rows.aggregate(pipeline).batch_size(ONE_BATCH);
        let cursor = found.with_type::<CountDocument>().await?;
        let counts = all(cursor, |count| Ok((count.id.into(), count.count))).await?;
        Ok(counts.into_iter().collect())
    }

    /// The same page of what belongs to each of many things of a collection, such as decks.
    pub(super) fn joined(
        &self,
        ids: Vec<impl Into<Bson>>,
        from: &str,
        field: &str,
        filter: Document,
        sort: Document,
        limit: u32,
    ) -> Vec<Document> {
        let rows = vec![
            doc! { "$match": filter },
            doc! { "$sort": sort },
            doc! { "$limit": i64::from(limit) + 1 },
        ];
        // The server joins `$lookup` and `$unwind` into one step, so no document holds the rows of a whole page.
        vec![
            doc! { "$match": one_of(ids) },
            doc! { "$project": { "_id": 1 } },
            doc! { "$lookup": {
                "from": from,
                "localField": "_id",
                "foreignField": field,
                "pipeline": rows,
                "as": "row",
            } },
            doc! { "$unwind": "$row" },
            doc! { "$replaceRoot": { "newRoot": "$row" } },
        ]
    }
}

/// Reads a cursor to its end.
pub(super) async fn all<D, T>(
    cursor: Cursor<D>,
    read: impl Fn(D) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError>
where
    D: DeserializeOwned + Unpin + Send + Sync,
{
    let documents: Vec<D> = cursor.try_collect().await?;
    documents.into_iter().map(read).collect()
}

pub(super) fn one_of(ids: Vec<impl Into<Bson>>) -> Document {
    doc! { "_id": { "$in": ids.into_iter().map(Into::into).collect::<Vec<Bson>>() } }
}

pub(super) fn sort(key: &str, descending: bool) -> Document {
    let direction = if descending { -1 } else { 1 };
    doc! { key: direction, "_id": direction }
}

/// The rows beyond a cursor in the order of `key` and id; all rows when there is none.
pub(super) fn beyond(key: &str, descending: bool, cursor: Option<(Bson, bson::Uuid)>) -> Document {
    let sign = if descending { "$lt" } else { "$gt" };
    match cursor {
        None => doc! {},
        Some((value, id)) => doc! { "$or": [
            { key: { sign: value.clone() } },
            { key: value, "_id": { sign: id } },
        ] },
    }
}

/// What is meant that does not lie in the trash.
pub(super) fn live(mut filter: Document) -> Document {
    filter.insert("trash", Bson::Null);
    filter
}

pub(super) fn filtered(owner: UserId, filter: DeckFilter) -> Document {
    let mut conditions = live(doc! { "owner": owner });
    if let Some(parent) = filter.parent {
        conditions.insert("parent", parent.map_or(Bson::Null, Bson::from));
    }
    if let Some(archived) = filter.archived {
        conditions.insert("archived", archived);
    }
    conditions
}

pub(super) fn only(list: &CardList) -> Document {
    let mut conditions = live(doc! {});
    if let Some(kind) = list.kind {
        conditions.insert("kind", kind.number());
    }
    if let Some(tag) = &list.tag {
        conditions.insert("tagKeys", tag.key());
    }
    conditions
}

pub(super) fn deck_key(key: &DeckKey) -> (Bson, bson::Uuid) {
    match key {
        DeckKey::Name(name, id) => (Bson::from(name), id.to_bson()),
        DeckKey::CreatedAt(at, id) | DeckKey::UpdatedAt(at, id) => {
            (DateTime::from_millis(*at).into(), id.to_bson())
        }
        DeckKey::Position(at, id) => (Bson::from(*at), id.to_bson()),
    }
}
