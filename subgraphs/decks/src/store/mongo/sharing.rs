//! Published decks, releases, clones and ratings in MongoDB: collections `publications`, `releases`, `publishedNotes`, `clonedDecks`,
//! `ratings`.

use std::collections::HashMap;

use common::page::{Page, PageRequest};
use common::{DeckId, MediaId, PublicationId, StoreError, UserId};
use mongodb::bson::{Bson, DateTime, Document, Uuid, doc};
use mongodb::error::{Error, Result};
use mongodb::options::IndexOptions;
use mongodb::{ClientSession, Collection};

use super::filters::{all, beyond, one_of, sort};
use super::public_media::PUBLISHED_MEDIA;
use super::sharing_documents::{
    CloneDocument, PublicationDocument, PublishedNoteDocument, PublishedPlaceDocument,
    RatingDocument, ReleaseDocument, edited,
};
use super::write::{exactly, insert};
use super::{MongoStore, ONE_BATCH};
use crate::model::{
    Links, PublicFilter, PublicKey, PublicOrder, Publication, PublishedDeck, PublishedMedia,
    PublishedNote, PublishedPlace, RATED_BESIDES, RATED_MIDDLE, Rating, Release, SampleKey,
    Subscription,
};
use crate::store::sharing::{NewRelease, ShareChanges, ShareStore, release_pages, sample_pages};
use crate::store::{Reply, reading_down};

pub(super) const PUBLICATIONS: &str = "publications";
const RELEASES: &str = "releases";
const NOTES: &str = "publishedNotes";
const CLONES: &str = "clonedDecks";
const RATINGS: &str = "ratings";

impl MongoStore {
    pub(super) async fn make_sharing_indexes(&self) -> std::result::Result<(), StoreError> {
        for (collection, name, keys) in [
            (PUBLICATIONS, "by_owner", doc! { "owner": 1 }),
            (PUBLICATIONS, "by_word", doc! { "listed": 1, "words": 1 }),
            (PUBLICATIONS, "by_created_at", doc! { "listed": 1, "createdAt": -1, "_id": -1 }),
            (PUBLICATIONS, "by_rank", doc! { "listed": 1, "ratingRank": -1, "_id": -1 }),
            (
                PUBLICATIONS,
                "by_subscribers",
                doc! { "listed": 1, "subscriberCount": -1, "_id": -1 },
            ),
            (
                NOTES,
                "now",
                doc! { "publication": 1, "until": 1, "deck": 1, "position": 1, "origin": 1 },
            ),
            // Without `until`, which a release changes of every note that differs.
            (NOTES, "versions", doc! { "publication": 1, "origin": 1, "since": 1 }),
            (PUBLISHED_MEDIA, "of_publication", doc! { "publication": 1 }),
            (PUBLISHED_MEDIA, "by_hash", doc! { "owner": 1, "hash": 1 }),
            (CLONES, "by_owner", doc! { "owner": 1 }),
            (RATINGS, "by_publication", doc! { "publication": 1 }),
        ] {
            self.mongo.ensure_index(collection, name, keys, IndexOptions::default()).await?;
        }
        for (collection, name, keys) in [
            (PUBLICATIONS, "of_slug", doc! { "slug": 1 }),
            (PUBLICATIONS, "of_deck", doc! { "deck": 1 }),
            (RELEASES, "of_publication", doc! { "publication": 1, "number": 1 }),
            (NOTES, "of_origin", doc! { "publication": 1, "origin": 1, "since": 1 }),
            (RATINGS, "of_user", doc! { "user": 1, "publication": 1 }),
        ] {
            let unique = IndexOptions::builder().unique(true).build();
            self.mongo.ensure_index(collection, name, keys, unique).await?;
        }
        Ok(())
    }

    fn published(&self) -> Collection<PublicationDocument> {
        self.mongo.collection(PUBLICATIONS)
    }

    fn releases(&self) -> Collection<ReleaseDocument> {
        self.mongo.collection(RELEASES)
    }

    fn published_note_documents(&self) -> Collection<PublishedNoteDocument> {
        self.mongo.collection(NOTES)
    }

    fn clones(&self) -> Collection<CloneDocument> {
        self.mongo.collection(CLONES)
    }

    fn rating_documents(&self) -> Collection<RatingDocument> {
        self.mongo.collection(RATINGS)
    }

    fn publications_by(&self, filter: Document) -> Reply<'_, Vec<Publication>> {
        let publications = self.published();
        Box::pin(async move {
            let found = publications.find(filter).batch_size(ONE_BATCH);
            all(found.await?, Publication::try_from).await
        })
    }

    fn clones_by(&self, filter: Document) -> Reply<'_, Vec<Subscription>> {
        let clones = self.clones();
        Box::pin(async move {
            let found = clones.find(filter).projection(doc! { "links": 0 }).batch_size(ONE_BATCH);
            all(found.await?, |clone| Ok(clone.into())).await
        })
    }
}

impl ShareStore for MongoStore {
    fn publications(&self, ids: Vec<PublicationId>) -> Reply<'_, Vec<Publication>> {
        self.publications_by(one_of(ids))
    }

    fn publication_by_slug(&self, slug: String) -> Reply<'_, Option<Publication>> {
        let found = self.publications_by(doc! { "slug": slug });
        Box::pin(async move { Ok(found.await?.pop()) })
    }

    fn publications_of_decks(&self, decks: Vec<DeckId>) -> Reply<'_, Vec<Publication>> {
        self.publications_by(doc! { "deck": { "$in": decks } })
    }

    fn publications_of(&self, owner: UserId, limit: u32) -> Reply<'_, Vec<Publication>> {
        let publications = self.published();
        Box::pin(async move {
            let found = publications.find(doc! { "owner": owner }).limit(i64::from(limit));
            all(found.await?, Publication::try_from).await
        })
    }

    fn public_page(
        &self,
        filter: PublicFilter,
        order: PublicOrder,
        page: PageRequest<PublicKey>,
    ) -> Reply<'_, Page<Publication>> {
        let key = match order {
            PublicOrder::Newest => "createdAt",
            PublicOrder::Rating => "ratingRank",
            PublicOrder::Subscribers => "subscriberCount",
        };
        let descending = reading_down(true, &page);
        let cursor = page.cursor.map(|PublicKey(_, value, id)| {
            let value = match order {
                PublicOrder::Newest => Bson::from(DateTime::from_millis(value)),
                PublicOrder::Rating | PublicOrder::Subscribers => Bson::from(value),
            };
            (value, id.to_bson())
        });
        let mut found = listed(&filter);
        found.extend(beyond(key, descending, cursor));
        let publications = self.published();
        Box::pin(async move {
            let limit = i64::from(page.limit) + 1;
            let found = publications.find(found).sort(sort(key, descending)).limit(limit).await?;
            Ok(Page::from_overfull(&page, all(found, Publication::try_from).await?))
        })
    }

    fn public_count(&self, filter: PublicFilter) -> Reply<'_, i64> {
        let publications = self.published();
        Box::pin(async move {
            let count = publications.count_documents(listed(&filter)).await?;
            Ok(i64::try_from(count).unwrap_or(i64::MAX))
        })
    }

    fn release_pages(
        &self,
        ids: Vec<PublicationId>,
        page: PageRequest<i64>,
    ) -> Reply<'_, HashMap<PublicationId, Page<Release>>> {
        let descending = reading_down(true, &page);
        let sign = if descending { "$lt" } else { "$gt" };
        let filter = page.cursor.map_or_else(|| doc! {}, |n| doc! { "number": { sign: n } });
        let sort = doc! { "number": if descending { -1 } else { 1 } };
        let mut pipeline = self.joined(ids, RELEASES, "publication", filter, sort, page.limit);
        pipeline.push(doc! { "$project": { "decks": 0 } });
        let publications = self.published();
        Box::pin(async move {
            let found = publications.aggregate(pipeline).batch_size(ONE_BATCH);
            let cursor = found.with_type::<ReleaseDocument>().await?;
            Ok(release_pages(&page, all(cursor, Release::try_from).await?))
        })
    }

    fn release_decks(
        &self,
        id: PublicationId,
        number: i64,
    ) -> Reply<'_, Option<Vec<PublishedDeck>>> {
        let releases = self.releases();
        Box::pin(async move {
            let found = releases.find_one(doc! { "publication": id, "number": number }).await?;
            found.map(|release| release.decks()).transpose()
        })
    }

    fn sample_pages(
        &self,
        ids: Vec<PublicationId>,
        page: PageRequest<SampleKey>,
    ) -> Reply<'_, HashMap<PublicationId, Page<PublishedNote>>> {
        let descending = reading_down(false, &page);
        let (sign, direction) = if descending { ("$lt", -1) } else { ("$gt", 1) };
        let mut filter = doc! { "until": null };
        if let Some((deck, position, origin)) = page.cursor {
            let [deck, origin] = [deck, origin].map(uuid);
            filter.insert(
                "$or",
                vec![
                    doc! { "deck": { sign: deck } },
                    doc! { "deck": deck, "position": { sign: position } },
                    doc! { "deck": deck, "position": position, "origin": { sign: origin } },
                ],
            );
        }
        let sort = doc! { "deck": direction, "position": direction, "origin": direction };
        let pipeline = self.joined(ids, NOTES, "publication", filter, sort, page.limit);
        let publications = self.published();
        Box::pin(async move {
            let found = publications.aggregate(pipeline).batch_size(ONE_BATCH);
            let cursor = found.with_type::<PublishedNoteDocument>().await?;
            Ok(sample_pages(&page, all(cursor, PublishedNote::try_from).await?))
        })
    }

    fn release_places(&self, id: PublicationId, number: i64) -> Reply<'_, Vec<PublishedPlace>> {
        let still = vec![doc! { "until": null }, doc! { "until": { "$gt": number } }];
        let found = doc! { "publication": id, "since": { "$lte": number }, "$or": still };
        let fields = doc! { "_id": 0, "origin": 1, "since": 1, "deck": 1, "position": 1 };
        let notes = self.mongo.collection::<PublishedPlaceDocument>(NOTES);
        Box::pin(async move {
            let found = notes.find(found).projection(fields).batch_size(ONE_BATCH);
            all(found.await?, |place| Ok(place.into())).await
        })
    }

    fn notes_in_releases(
        &self,
        id: PublicationId,
        wanted: Vec<(uuid::Uuid, i64)>,
    ) -> Reply<'_, Vec<PublishedNote>> {
        let version = |(origin, release): (uuid::Uuid, i64)| {
            let still = vec![doc! { "until": null }, doc! { "until": { "$gt": release } }];
            let since = doc! { "$lte": release };
            doc! { "publication": id, "origin": uuid(origin), "since": since, "$or": still }
        };
        let versions: Vec<Document> = wanted.into_iter().map(version).collect();
        let notes = self.published_note_documents();
        Box::pin(async move {
            if versions.is_empty() {
                return Ok(Vec::new());
            }
            let found = notes.find(doc! { "$or": versions }).batch_size(ONE_BATCH);
            all(found.await?, PublishedNote::try_from).await
        })
    }

    fn published_media(&self, ids: Vec<MediaId>) -> Reply<'_, Vec<PublishedMedia>> {
        self.published_media_by(one_of(ids), 0)
    }

    fn published_media_of(&self, id: PublicationId, limit: u32) -> Reply<'_, Vec<PublishedMedia>> {
        self.published_media_by(doc! { "publication": id }, i64::from(limit))
    }

    fn unlisted_with_media(&self, limit: u32) -> Reply<'_, Vec<(PublicationId, UserId)>> {
        Box::pin(self.unlisted_with_files(limit))
    }

    fn subscriptions(&self, decks: Vec<DeckId>) -> Reply<'_, Vec<Subscription>> {
        self.clones_by(one_of(decks))
    }

    fn subscriptions_of(&self, owner: UserId) -> Reply<'_, Vec<Subscription>> {
        self.clones_by(doc! { "owner": owner })
    }

    fn links(&self, clone: DeckId) -> Reply<'_, Option<Links>> {
        let clones = self.clones();
        Box::pin(async move {
            let found = clones.find_one(doc! { "_id": clone }).await?;
            found.map(|clone| clone.links()).transpose()
        })
    }

    fn ratings(
        &self,
        user: UserId,
        ids: Vec<PublicationId>,
    ) -> Reply<'_, HashMap<PublicationId, i64>> {
        let ratings = self.rating_documents();
        Box::pin(async move {
            let found = ratings.find(doc! { "user": user, "publication": { "$in": ids } });
            let found = found.batch_size(ONE_BATCH).await?;
            let found = all(found, |rating| Ok((rating.publication.into(), rating.stars))).await?;
            Ok(found.into_iter().collect())
        })
    }

    fn ratings_of(&self, user: UserId, limit: u32) -> Reply<'_, Vec<Rating>> {
        let ratings = self.rating_documents();
        Box::pin(async move {
            let found = ratings.find(doc! { "user": user }).limit(i64::from(limit)).await?;
            let rating = |rating: RatingDocument| {
                let (publication, before) = (rating.publication.into(), Some(rating.stars));
                Ok(Rating { publication, user, before, stars: None })
            };
            all(found, rating).await
        })
    }

    /// Each step may be taken again, and the document that names the others goes last.
    fn erase_publication(&self, id: PublicationId, limit: u32) -> Reply<'_, bool> {
        Box::pin(async move {
            let unlist = doc! { "$set": { "listed": false } };
            self.published().update_one(doc! { "_id": id }, unlist).await?;
            let notes = self.mongo.collection::<Document>(NOTES);
            let found = notes.find(doc! { "publication": id }).projection(doc! { "_id": 1 });
            let found = all(found.limit(i64::from(limit)).await?, Ok).await?;
            let ids: Vec<Bson> = found.iter().filter_map(|note| note.get("_id").cloned()).collect();
            if !ids.is_empty() {
                notes.delete_many(one_of(ids)).await?;
                return Ok(false);
            }
            self.releases().delete_many(doc! { "publication": id }).await?;
            self.rating_documents().delete_many(doc! { "publication": id }).await?;
            self.published().delete_one(doc! { "_id": id }).await?;
            Ok(true)
        })
    }
}

impl MongoStore {
    /// Makes the changes that concern sharing.
    pub(super) async fn write_sharing(
        &self,
        session: &mut ClientSession,
        changes: &ShareChanges,
    ) -> Result<()> {
        let new = changes.new_publication.as_ref().map(PublicationDocument::from);
        insert(session, &self.published(), new).await?;
        for publication in &changes.publications {
            let filter = doc! { "_id": publication.id, "revision": publication.revision };
            let publications = self.published();
            let update = publications.update_one(filter, edited(publication));
            exactly(update.session(&mut *session).await?.matched_count, 1)?;
        }
        if let Some(release) = &changes.release {
            self.write_release(session, release).await?;
        }
        self.write_published_media(session, changes).await?;
        if let Some((clone, links)) = &changes.clone {
            let document = CloneDocument::new(clone, links).map_err(Error::custom)?;
            if clone.revision == 0 {
                insert(session, &self.clones(), [document]).await?;
            } else {
                let filter = doc! { "_id": clone.deck, "revision": clone.revision };
                let clones = self.clones();
                let replace = clones.replace_one(filter, document);
                exactly(replace.session(&mut *session).await?.matched_count, 1)?;
            }
        }
        if let Some(rating) = &changes.rating {
            self.write_rating(session, rating).await?;
        }
        for (publication, people) in &changes.subscribers {
            let update = doc! { "$inc": { "subscriberCount": *people } };
            let publications = self.published();
            let update = publications.update_one(doc! { "_id": *publication }, update);
            update.session(&mut *session).await?;
        }
        Ok(())
    }

    async fn write_release(&self, session: &mut ClientSession, new: &NewRelease) -> Result<()> {
        let NewRelease { release, decks, ended, notes } = new;
        let document = ReleaseDocument::new(release, decks).map_err(Error::custom)?;
        insert(session, &self.releases(), [document]).await?;
        let ended: Vec<Uuid> = ended.iter().copied().map(uuid).collect();
        let ended =
            doc! { "publication": release.publication, "until": null, "origin": { "$in": ended } };
        let end = doc! { "$set": { "until": release.number } };
        let documents = self.published_note_documents();
        documents.update_many(ended, end).session(&mut *session).await?;
        insert(session, &documents, notes.iter().map(PublishedNoteDocument::from)).await
    }

    async fn write_rating(&self, session: &mut ClientSession, rating: &Rating) -> Result<()> {
        let Rating { publication, user, before, stars } = *rating;
        let ratings = self.rating_documents();
        let filter = doc! { "user": user, "publication": publication, "stars": before };
        match (before, stars) {
            (None, None) => return Ok(()),
            (None, Some(stars)) => {
                let (publication, user) = (publication.to_bson(), user.to_bson());
                let document = RatingDocument { publication, user, stars };
                ratings.insert_one(document).session(&mut *session).await?;
            }
            (Some(_), Some(stars)) => {
                let update = ratings.update_one(filter, doc! { "$set": { "stars": stars } });
                exactly(update.session(&mut *session).await?.matched_count, 1)?;
            }
            (Some(_), None) => {
                let gone = ratings.delete_one(filter).session(&mut *session).await?;
                exactly(gone.deleted_count, 1)?;
            }
        }
        let sum = stars.unwrap_or(0) - before.unwrap_or(0);
        let count = i64::from(stars.is_some()) - i64::from(before.is_some());
        let ranked = vec![
            Bson::from(doc! { "$multiply": [
                { "$add": ["$ratingSum", RATED_BESIDES * RATED_MIDDLE] }, 1_000i64,
            ] }),
            doc! { "$add": ["$ratingCount", RATED_BESIDES] }.into(),
        ];
        let update = vec![
            doc! { "$set": {
                "ratingSum": { "$add": ["$ratingSum", sum] },
                "ratingCount": { "$add": ["$ratingCount", count] },
            } },
            doc! { "$set": { "ratingRank": { "$toLong": { "$floor": { "$divide": ranked } } } } },
        ];
        let publications = self.published();
        let update = publications.update_one(doc! { "_id": publication }, update);
        update.session(session).await?;
        Ok(())
    }

    /// Forgets that decks which are deleted for good are clones.
    pub(super) async fn forget_clones(
        &self,
        session: &mut ClientSession,
        decks: Vec<Uuid>,
    ) -> Result<()> {
        self.clones().delete_many(one_of(decks)).session(session).await?;
        Ok(())
    }
}

fn uuid(id: uuid::Uuid) -> Uuid {
    Uuid::from_bytes(id.into_bytes())
}

/// The condition for what is listed and meant.
fn listed(filter: &PublicFilter) -> Document {
    let mut conditions = vec![doc! { "listed": true }];
    // Words are letters and digits only, so that nothing in them has a meaning in a pattern.
    let word = |word: &String| doc! { "words": { "$regex": format!("^{word}") } };
    conditions.extend(filter.words.iter().map(word));
    conditions.extend(filter.tags.iter().map(|tag| doc! { "tagKeys": tag.key() }));
    conditions.extend(filter.licence.map(|licence| doc! { "licence": licence.number() }));
    doc! { "$and": conditions }
}
