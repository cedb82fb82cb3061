//! Reading published decks, releases, clones and ratings from a SQLite file. Writing them is in [`super::publish`].

use std::collections::HashMap;

use common::page::{Page, PageRequest};
use common::{DeckId, MediaId, PublicationId, UserId};
use rusqlite::Row;
use rusqlite::types::Value;
use uuid::Uuid;

use super::media::media_kind;
use super::rows::{self, blob, list};
use super::{SqliteStore, publish};
use crate::model::{
    Content, ContentHash, Licence, Links, MediaName, PublicFilter, PublicKey, PublicOrder,
    Publication, PublishedDeck, PublishedMedia, PublishedNote, PublishedPlace, Rating, Release,
    SampleKey, Subscription, Tag, Tags,
};
use crate::store::sharing::{ShareStore, release_pages, sample_pages};
use crate::store::{Reply, reading_down};

/// What [`publication`] reads.
const PUBLICATION: &str = "publication.id, deck_id, owner_id, slug, title, description, tags, licence, author, listed, created_at, \
    updated_at, release, deck_count, note_count, card_count, rating_sum, rating_count, subscriber_count, revision, media_count, media_bytes";
/// What [`release`] reads.
const RELEASE: &str = "release.publication_id, release.number, release.change_note, release.published_at, release.deck_count, \
    release.note_count, release.card_count";
/// What [`note`] reads.
const NOTE: &str = "published_note.publication_id, published_note.origin_id, published_note.since, published_note.until, \
    published_note.origin_deck_id, published_note.position, published_note.kind, published_note.fields, published_note.tags";
/// What [`published_media`] reads.
const MEDIA: &str = "id, publication_id, owner_id, name, hash, content_type, size";
/// What [`subscription`] reads.
const SUBSCRIPTION: &str = "deck_id, owner_id, publication_id, release, revision";
/// Begins a condition on a JSON list of ids.
pub(super) const IDS: &str = "(SELECT unhex(value) FROM json_each(?1))";

impl SqliteStore {
    fn publications_by(&self, condition: &str, values: Vec<Value>) -> Reply<'_, Vec<Publication>> {
        let sql = format!("SELECT {PUBLICATION} FROM publication WHERE {condition}");
        self.rows(sql, values, publication)
    }
}

impl ShareStore for SqliteStore {
    fn publications(&self, ids: Vec<PublicationId>) -> Reply<'_, Vec<Publication>> {
        let ids = list(ids.into_iter().map(PublicationId::uuid));
        self.publications_by(&format!("id IN {IDS}"), vec![ids])
    }

    fn publication_by_slug(&self, slug: String) -> Reply<'_, Option<Publication>> {
        let found = self.publications_by("slug = ?1", vec![Value::from(slug)]);
        Box::pin(async move { Ok(found.await?.pop()) })
    }

    fn publications_of_decks(&self, decks: Vec<DeckId>) -> Reply<'_, Vec<Publication>> {
        let ids = list(decks.into_iter().map(DeckId::uuid));
        self.publications_by(&format!("deck_id IN {IDS}"), vec![ids])
    }

    fn publications_of(&self, owner: UserId, limit: u32) -> Reply<'_, Vec<Publication>> {
        let values = vec![blob(owner.uuid()), Value::from(limit)];
        self.publications_by("owner_id = ?1 LIMIT ?2", values)
    }

    fn public_page(
        &self,
        filter: PublicFilter,
        order: PublicOrder,
        page: PageRequest<PublicKey>,
    ) -> Reply<'_, Page<Publication>> {
        let key = match order {
            PublicOrder::Newest => "created_at",
            PublicOrder::Rating => "rating_rank",
            PublicOrder::Subscribers => "subscriber_count",
        };
        let mut values = Vec::new();
        let mut condition = listed(&filter, &mut values);
        let (direction, sign) =
            if reading_down(true, &page) { ("DESC", "<") } else { ("ASC", ">") };
        if let Some(PublicKey(_, value, id)) = page.cursor {
            values.extend([Value::from(value), blob(id.uuid())]);
            let [value, id] = [values.len() - 1, values.len()];
            condition += &format!(" AND ({key}, id) {sign} (?{value}, ?{id})");
        }
        values.push(Value::from(i64::from(page.limit) + 1));
        condition +=
            &format!(" ORDER BY {key} {direction}, id {direction} LIMIT ?{}", values.len());
        let rows = self.publications_by(&condition, values);
        Box::pin(async move { Ok(Page::from_overfull(&page, rows.await?)) })
    }

    fn public_count(&self, filter: PublicFilter) -> Reply<'_, i64> {
        let mut values = Vec::new();
        let condition = listed(&filter, &mut values);
        let sql = format!("SELECT count(*) FROM publication WHERE {condition}");
        let rows = self.rows(sql, values, |row| row.get(0));
        Box::pin(async move { Ok(rows.await?.pop().unwrap_or_default()) })
    }

    fn release_pages(
        &self,
        ids: Vec<PublicationId>,
        page: PageRequest<i64>,
    ) -> Reply<'_, HashMap<PublicationId, Page<Release>>> {
        let ids = list(ids.into_iter().map(PublicationId::uuid));
        let mut values = vec![ids, Value::from(i64::from(page.limit) + 1)];
        let (direction, sign) =
            if reading_down(true, &page) { ("DESC", "<") } else { ("ASC", ">") };
        let beyond = page.cursor.map(|number| {
            values.push(Value::from(number));
            format!("AND number {sign} ?3")
        });
        let sql = format!(
            "SELECT {RELEASE} FROM json_each(?1) AS wanted CROSS JOIN release WHERE release.rowid IN (
                SELECT rowid FROM release AS entry WHERE publication_id = unhex(wanted.value) {}
                ORDER BY number {direction} LIMIT ?2
            )",
            beyond.unwrap_or_default()
        );
        let rows = self.rows(sql, values, release);
        Box::pin(async move { Ok(release_pages(&page, rows.await?)) })
    }

    fn release_decks(
        &self,
        id: PublicationId,
        number: i64,
    ) -> Reply<'_, Option<Vec<PublishedDeck>>> {
        let sql = "SELECT decks FROM release WHERE publication_id = ?1 AND number = ?2";
        let values = vec![blob(id.uuid()), Value::from(number)];
        let rows = self.rows(sql, values, |row| rows::json(row, 0));
        Box::pin(async move { Ok(rows.await?.pop()) })
    }

    fn sample_pages(
        &self,
        ids: Vec<PublicationId>,
        page: PageRequest<SampleKey>,
    ) -> Reply<'_, HashMap<PublicationId, Page<PublishedNote>>> {
        let ids = list(ids.into_iter().map(PublicationId::uuid));
        let mut values = vec![ids, Value::from(i64::from(page.limit) + 1)];
        let (direction, sign) =
            if reading_down(false, &page) { ("DESC", "<") } else { ("ASC", ">") };
        let beyond = page.cursor.map(|(deck, position, origin)| {
            values.extend([blob(deck), Value::from(position), blob(origin)]);
            format!("AND (origin_deck_id, position, origin_id) {sign} (?3, ?4, ?5)")
        });
        let sql = format!(
            "SELECT {NOTE} FROM json_each(?1) AS wanted CROSS JOIN published_note WHERE published_note.seq IN (
                SELECT seq FROM published_note AS entry
                WHERE publication_id = unhex(wanted.value) AND until IS NULL {}
                ORDER BY origin_deck_id {direction}, position {direction}, origin_id {direction} LIMIT ?2
            )",
            beyond.unwrap_or_default()
        );
        let rows = self.rows(sql, values, note);
        Box::pin(async move { Ok(sample_pages(&page, rows.await?)) })
    }

    fn release_places(&self, id: PublicationId, number: i64) -> Reply<'_, Vec<PublishedPlace>> {
        // Two indexes, neither of which leads past what ended before.
        let of = |condition: &str| {
            format!(
                "SELECT origin_id, since, origin_deck_id, position FROM published_note
                WHERE publication_id = ?1 AND since <= ?2 AND {condition}"
            )
        };
        let sql = format!("{} UNION ALL {}", of("until IS NULL"), of("until > ?2"));
        self.rows(sql, vec![blob(id.uuid()), Value::from(number)], |row| {
            Ok(PublishedPlace {
                origin: row.get(0).map(DeckId::uuid)?,
                since: row.get(1)?,
                deck: row.get(2).map(DeckId::uuid)?,
                position: row.get(3)?,
            })
        })
    }

    fn notes_in_releases(
        &self,
        id: PublicationId,
        wanted: Vec<(Uuid, i64)>,
    ) -> Reply<'_, Vec<PublishedNote>> {
        let sql = format!(
            "SELECT {NOTE} FROM json_each(?1) AS wanted CROSS JOIN published_note
            WHERE published_note.seq = (
                SELECT seq FROM published_note AS entry
                WHERE publication_id = ?2 AND origin_id = unhex(wanted.value ->> 0) AND since <= wanted.value ->> 1
                ORDER BY since DESC LIMIT 1
            ) AND (published_note.until IS NULL OR published_note.until > wanted.value ->> 1)"
        );
        let wanted = wanted.iter().map(|(origin, release)| (origin.simple().to_string(), release));
        // Texts and numbers always serialise.
        let wanted = serde_json::to_string(&wanted.collect::<Vec<_>>()).unwrap_or_default();
        self.rows(sql, vec![Value::from(wanted), blob(id.uuid())], note)
    }

    fn published_media(&self, ids: Vec<MediaId>) -> Reply<'_, Vec<PublishedMedia>> {
        let sql = format!("SELECT {MEDIA} FROM published_media WHERE id IN {IDS}");
        self.rows(sql, vec![list(ids.into_iter().map(MediaId::uuid))], published_media)
    }

    fn published_media_of(&self, id: PublicationId, limit: u32) -> Reply<'_, Vec<PublishedMedia>> {
        let sql = format!("SELECT {MEDIA} FROM published_media WHERE publication_id = ?1 LIMIT ?2");
        self.rows(sql, vec![blob(id.uuid()), Value::from(limit)], published_media)
    }

    fn unlisted_with_media(&self, limit: u32) -> Reply<'_, Vec<(PublicationId, UserId)>> {
        let sql = "SELECT id, owner_id FROM publication WHERE NOT listed
            AND EXISTS (SELECT 1 FROM published_media WHERE publication_id = publication.id) LIMIT ?1";
        self.rows(sql, vec![Value::from(limit)], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    fn subscriptions(&self, decks: Vec<DeckId>) -> Reply<'_, Vec<Subscription>> {
        let ids = list(decks.into_iter().map(DeckId::uuid));
        let sql = format!("SELECT {SUBSCRIPTION} FROM cloned_deck WHERE deck_id IN {IDS}");
        self.rows(sql, vec![ids], subscription)
    }

    fn subscriptions_of(&self, owner: UserId) -> Reply<'_, Vec<Subscription>> {
        let sql = format!("SELECT {SUBSCRIPTION} FROM cloned_deck WHERE owner_id = ?1");
        self.rows(sql, vec![blob(owner.uuid())], subscription)
    }

    fn links(&self, clone: DeckId) -> Reply<'_, Option<Links>> {
        let sql = "SELECT links FROM cloned_deck WHERE deck_id = ?1";
        let rows = self.rows(sql, vec![blob(clone.uuid())], |row| rows::json(row, 0));
        Box::pin(async move { Ok(rows.await?.pop()) })
    }

    fn ratings(
        &self,
        user: UserId,
        ids: Vec<PublicationId>,
    ) -> Reply<'_, HashMap<PublicationId, i64>> {
        let ids = list(ids.into_iter().map(PublicationId::uuid));
        let sql = format!(
            "SELECT publication_id, stars FROM rating WHERE publication_id IN {IDS} AND user_id = ?2"
        );
        let rows =
            self.rows(sql, vec![ids, blob(user.uuid())], |row| Ok((row.get(0)?, row.get(1)?)));
        Box::pin(async move { Ok(rows.await?.into_iter().collect()) })
    }

    fn ratings_of(&self, user: UserId, limit: u32) -> Reply<'_, Vec<Rating>> {
        let sql = "SELECT publication_id, user_id, stars FROM rating WHERE user_id = ?1 LIMIT ?2";
        self.rows(sql, vec![blob(user.uuid()), Value::from(limit)], |row| {
            Ok(Rating {
                publication: row.get(0)?,
                user: row.get(1)?,
                before: Some(row.get(2)?),
                stars: None,
            })
        })
    }

    fn erase_publication(&self, id: PublicationId, limit: u32) -> Reply<'_, bool> {
        Box::pin(self.0.write(move |connection| publish::erase(connection, id, limit)))
    }
}

/// The condition for what is listed and meant.
fn listed(filter: &PublicFilter, values: &mut Vec<Value>) -> String {
    let mut condition = String::from("listed = 1");
    if !filter.words.is_empty() {
        let words = filter.words.iter().map(|word| format!("\"{word}\"*"));
        values.push(Value::from(words.collect::<Vec<_>>().join(" AND ")));
        let words = values.len();
        condition += &format!(
            " AND seq IN (SELECT rowid FROM publication_text WHERE publication_text MATCH ?{words})"
        );
    }
    for tag in &filter.tags {
        values.push(Value::from(tag.key()));
        let key = values.len();
        condition += &format!(
            " AND EXISTS (SELECT 1 FROM publication_tag WHERE publication_id = publication.id AND key = ?{key})"
        );
    }
    if let Some(licence) = filter.licence {
        values.push(Value::from(licence.number()));
        condition += &format!(" AND licence = ?{}", values.len());
    }
    condition
}

fn publication(row: &Row<'_>) -> rusqlite::Result<Publication> {
    let licence = row.get(7)?;
    let tags: Vec<String> = rows::json(row, 6)?;
    Ok(Publication {
        id: row.get(0)?,
        deck: row.get(1)?,
        owner: row.get(2)?,
        slug: row.get(3)?,
        title: row.get(4)?,
        description: row.get(5)?,
        tags: Tags::stored(tags.into_iter().map(Tag::stored).collect()),
        licence: Licence::of_number(licence)
            .ok_or(rusqlite::Error::IntegralValueOutOfRange(7, licence))?,
        author: row.get(8)?,
        listed: row.get(9)?,
        created_at: rows::time(row, 10)?,
        updated_at: rows::time(row, 11)?,
        release: row.get(12)?,
        deck_count: row.get(13)?,
        note_count: row.get(14)?,
        card_count: row.get(15)?,
        rating_sum: row.get(16)?,
        rating_count: row.get(17)?,
        subscriber_count: row.get(18)?,
        revision: row.get(19)?,
        media_count: row.get(20)?,
        media_bytes: row.get(21)?,
    })
}

fn release(row: &Row<'_>) -> rusqlite::Result<Release> {
    Ok(Release {
        publication: row.get(0)?,
        number: row.get(1)?,
        change_note: row.get(2)?,
        published_at: rows::time(row, 3)?,
        deck_count: row.get(4)?,
        note_count: row.get(5)?,
        card_count: row.get(6)?,
    })
}

fn note(row: &Row<'_>) -> rusqlite::Result<PublishedNote> {
    let uuid = |index| row.get(index).map(DeckId::uuid);
    let tags: Vec<String> = rows::json(row, 8)?;
    Ok(PublishedNote {
        publication: row.get(0)?,
        origin: uuid(1)?,
        since: row.get(2)?,
        until: row.get(3)?,
        deck: uuid(4)?,
        position: row.get(5)?,
        content: Content::stored(rows::kind(row, 6)?, rows::fields(row, 7)?),
        tags: Tags::stored(tags.into_iter().map(Tag::stored).collect()),
    })
}

fn published_media(row: &Row<'_>) -> rusqlite::Result<PublishedMedia> {
    Ok(PublishedMedia {
        id: row.get(0)?,
        publication: row.get(1)?,
        owner: row.get(2)?,
        name: MediaName::stored(row.get(3)?),
        hash: ContentHash(row.get(4)?),
        kind: media_kind(row, 5)?,
        size: row.get(6)?,
    })
}

fn subscription(row: &Row<'_>) -> rusqlite::Result<Subscription> {
    Ok(Subscription {
        deck: row.get(0)?,
        owner: row.get(1)?,
        publication: row.get(2)?,
        release: row.get(3)?,
        revision: row.get(4)?,
    })
}
