//! The tags of a person's notes in MongoDB: each card has those of its note, so that they are gathered from the cards that are not in the trash.

use common::page::{Direction, Page, PageRequest};
use common::{StoreError, UserId};
use futures::TryStreamExt;
use mongodb::bson::{Bson, Document, doc};

use super::MongoStore;
use super::documents::TaggedDocument;
use super::filters::{all, live};
use crate::model::{Tag, Tagged};

impl MongoStore {
    pub(super) async fn tag_page(
        &self,
        owner: UserId,
        below: Option<Tag>,
        page: PageRequest<String>,
    ) -> Result<Page<Tagged>, StoreError> {
        let (direction, sign) = match page.direction {
            Direction::Forward => (1, "$gt"),
            Direction::Backward => (-1, "$lt"),
        };
        let beyond = page.cursor.as_ref().map(|key| doc! { "tags.key": { sign: key } });
        let mut pipeline = tagged(owner, below, beyond);
        pipeline.extend([
            doc! { "$group": {
                "_id": "$tags.key", "text": { "$min": "$tags.text" }, "notes": { "$sum": 1i64 },
            } },
            doc! { "$sort": { "_id": direction } },
            doc! { "$limit": i64::from(page.limit) + 1 },
        ]);
        let found = self.cards.aggregate(pipeline).with_type::<TaggedDocument>().await?;
        Ok(Page::from_overfull(&page, all(found, |tag| Ok(tag.into())).await?))
    }

    pub(super) async fn count_tags(
        &self,
        owner: UserId,
        below: Option<Tag>,
    ) -> Result<i64, StoreError> {
        let mut pipeline = tagged(owner, below, None);
        pipeline.push(doc! { "$group": { "_id": "$tags.key" } });
        pipeline.push(doc! { "$group": { "_id": null, "tags": { "$sum": 1i64 } } });
        let found: Vec<Document> = self.cards.aggregate(pipeline).await?.try_collect().await?;
        Ok(found.first().and_then(|found| found.get_i64("tags").ok()).unwrap_or(0))
    }
}

/// The tags of each note with a card, one a document, of which these are meant.
fn tagged(owner: UserId, below: Option<Tag>, also: Option<Document>) -> Vec<Document> {
    let mut cards = live(doc! { "owner": owner });
    let mut keys = Vec::new();
    if let Some(tag) = below {
        cards.insert("tagKeys", tag.key());
        let start = vec![
            Bson::from("$tags.key"),
            0.into(),
            i64::try_from(tag.key_below().len()).unwrap_or(i64::MAX).into(),
        ];
        keys.push(doc! { "$or": [
            { "tags.key": tag.key() },
            { "$expr": { "$eq": [{ "$substrBytes": start }, tag.key_below()] } },
        ] });
    }
    keys.extend(also);
    let mut pipeline = vec![
        doc! { "$match": cards },
        doc! { "$group": { "_id": "$note", "tags": { "$first": "$tags" } } },
        doc! { "$unwind": "$tags" },
    ];
    pipeline.extend(keys.into_iter().map(|key| doc! { "$match": key }));
    pipeline
}
