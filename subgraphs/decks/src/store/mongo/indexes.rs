//! The indexes of each collection.

use common::StoreError;
use mongodb::bson::doc;
use mongodb::options::IndexOptions;

use super::{MongoStore, media, roads, transfers};

impl MongoStore {
    /// Makes those that are missing.
    ///
    /// # Errors
    /// What the server says.
    pub(super) async fn make_indexes(&self) -> Result<(), StoreError> {
        for (collection, name, keys) in [
            ("decks", "by_name", doc! { "owner": 1, "sortName": 1, "_id": 1 }),
            ("decks", "by_created_at", doc! { "owner": 1, "createdAt": 1, "_id": 1 }),
            ("decks", "by_updated_at", doc! { "owner": 1, "updatedAt": 1, "_id": 1 }),
            ("decks", "by_position", doc! { "owner": 1, "position": 1, "_id": 1 }),
            ("decks", "by_parent", doc! { "owner": 1, "parent": 1, "position": 1, "_id": 1 }),
            ("decks", "in_deck", doc! { "parent": 1, "position": 1, "_id": 1 }),
            ("decks", "by_ancestor", doc! { "ancestors": 1 }),
            ("decks", "in_trash", doc! { "trash": 1 }),
            ("notes", "by_guid", doc! { "owner": 1, "guid": 1 }),
            ("notes", "by_tag", doc! { "owner": 1, "tagKeys": 1 }),
            ("cards", "by_place", doc! { "deck": 1, "position": 1, "_id": 1 }),
            ("cards", "by_deck_and_created_at", doc! { "deck": 1, "createdAt": 1, "_id": 1 }),
            ("cards", "by_deck_and_updated_at", doc! { "deck": 1, "updatedAt": 1, "_id": 1 }),
            ("cards", "in_trash", doc! { "trash": 1 }),
            ("cards", roads::BY_TERM, doc! { "owner": 1, "terms": 1, "_id": 1 }),
            ("cards", "by_created_at", doc! { "owner": 1, "createdAt": 1, "_id": 1 }),
            ("cards", "by_owner", doc! { "owner": 1, "_id": 1 }),
            ("trash", "by_owner", doc! { "owner": 1, "deletedAt": 1, "_id": 1 }),
            ("trash", "by_age", doc! { "deletedAt": 1, "_id": 1 }),
        ]
        .into_iter()
        .chain(transfers::indexes())
        .chain(media::indexes())
        {
            self.mongo.ensure_index(collection, name, keys, IndexOptions::default()).await?;
        }
        for collection in ["decks", "notes", "cards"] {
            let keys = doc! { "owner": 1, "change": 1, "_id": 1 };
            let options = IndexOptions::default();
            self.mongo.ensure_index(collection, "by_change", keys, options).await?;
        }
        // What holds for few cards.
        for (name, field) in [
            ("due", "study.comesFrom"),
            ("buried", "study.buriedUntil"),
            ("answered", "study.answeredAt"),
        ] {
            let filter = doc! { field: { "$exists": true } };
            let options = IndexOptions::builder().partial_filter_expression(filter).build();
            let keys = doc! { "owner": 1, field: 1, "_id": 1 };
            self.mongo.ensure_index("cards", name, keys, options).await?;
        }
        // Before cards had terms.
        for name in ["by_word", "by_state", "suspended", "leech"] {
            self.mongo.drop_index("cards", name).await?;
        }
        let sparse = IndexOptions::builder().sparse(true).build();
        self.mongo.ensure_index("media", "staged", doc! { "stagedBy": 1 }, sparse).await?;
        let unique = IndexOptions::builder().unique(true).build();
        let of_note = doc! { "note": 1, "ordinal": 1 };
        self.mongo.ensure_index("cards", "of_note", of_note, unique.clone()).await?;
        let by_name = doc! { "owner": 1, "name": 1 };
        self.mongo.ensure_index("media", "by_name", by_name, unique.clone()).await?;
        let by_place = doc! { "owner": 1, "hash": 1, "number": 1 };
        self.mongo.ensure_index("mediaChunks", "by_place", by_place, unique).await?;
        self.make_sharing_indexes().await?;
        // A transaction makes no collection while another writes: those without an index of their own are made here.
        for collection in ["owners", "deleted", "outbox", "persons", "sync"] {
            let id = doc! { "_id": 1 };
            self.mongo.ensure_index(collection, "_id_", id, IndexOptions::default()).await?;
        }
        Ok(())
    }
}
