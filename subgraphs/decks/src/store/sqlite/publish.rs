//! Writing published decks, releases, clones and ratings in the transaction of a change. What is found in another state than the decision was
//! made on fails it.

use common::{PublicationId, StoreError};
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::rows::{self, list};
use super::sharing::IDS;
use super::write::exactly_one;
use crate::model::{Publication, RATED_BESIDES, RATED_MIDDLE, Rating, Subscription, Tag};
use crate::store::sharing::{NewRelease, ShareChanges};

fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Other(Box::new(error)))
}

/// Makes the changes that concern sharing.
pub(super) fn write(connection: &Connection, changes: &ShareChanges) -> Result<(), StoreError> {
    if let Some(publication) = &changes.new_publication {
        insert(connection, publication)?;
    }
    changes.publications.iter().try_for_each(|publication| update(connection, publication))?;
    if let Some(release) = &changes.release {
        write_release(connection, release)?;
    }
    write_media(connection, changes)?;
    if let Some((clone, links)) = &changes.clone {
        let Subscription { deck, owner, publication, release, revision } = clone;
        let sql = "INSERT INTO cloned_deck (deck_id, owner_id, publication_id, release, links, revision) VALUES (?1, ?2, ?3, ?4, ?5, ?6 + 1)
            ON CONFLICT (deck_id) DO UPDATE SET release = ?4, links = ?5, revision = revision + 1 WHERE revision = ?6";
        let values = params![deck, owner, publication, release, json(links)?, revision];
        exactly_one(connection, sql, values)?;
    }
    if let Some(rating) = &changes.rating {
        write_rating(connection, rating)?;
    }
    for (publication, people) in &changes.subscribers {
        let sql = "UPDATE publication SET subscriber_count = subscriber_count + ?2 WHERE id = ?1";
        connection.prepare_cached(sql)?.execute(params![publication, people])?;
    }
    Ok(())
}

fn insert(connection: &Connection, publication: &Publication) -> Result<(), StoreError> {
    let sql = "INSERT INTO publication (
            id, deck_id, owner_id, slug, title, description, tags, licence, author, listed, created_at, updated_at, release, deck_count,
            note_count, card_count, rating_sum, rating_count, rating_rank, subscriber_count, revision, media_count, media_bytes
        ) VALUES (
            ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23
        )";
    let texts: Vec<&str> = publication.tags.list().iter().map(Tag::text).collect();
    connection.prepare_cached(sql)?.execute(params![
        publication.id,
        publication.deck,
        publication.owner,
        publication.slug,
        publication.title,
        publication.description,
        json(&texts)?,
        publication.licence.number(),
        publication.author,
        publication.listed,
        publication.created_at.as_millisecond(),
        publication.updated_at.as_millisecond(),
        publication.release,
        publication.deck_count,
        publication.note_count,
        publication.card_count,
        publication.rating_sum,
        publication.rating_count,
        publication.rank(),
        publication.subscriber_count,
        publication.revision,
        publication.media_count,
        publication.media_bytes,
    ])?;
    write_words(connection, publication)
}

fn update(connection: &Connection, publication: &Publication) -> Result<(), StoreError> {
    let sql = "UPDATE publication
        SET slug = ?3, title = ?4, description = ?5, tags = ?6, licence = ?7, author = ?8, listed = ?9, updated_at = ?10, release = ?11,
            deck_count = ?12, note_count = ?13, card_count = ?14, media_count = ?15, media_bytes = ?16, revision = ?2 + 1
        WHERE id = ?1 AND revision = ?2";
    let texts: Vec<&str> = publication.tags.list().iter().map(Tag::text).collect();
    let values = params![
        publication.id,
        publication.revision,
        publication.slug,
        publication.title,
        publication.description,
        json(&texts)?,
        publication.licence.number(),
        publication.author,
        publication.listed,
        publication.updated_at.as_millisecond(),
        publication.release,
        publication.deck_count,
        publication.note_count,
        publication.card_count,
        publication.media_count,
        publication.media_bytes,
    ];
    exactly_one(connection, sql, values)?;
    write_words(connection, publication)
}

fn write_words(connection: &Connection, publication: &Publication) -> Result<(), StoreError> {
    let sql = "DELETE FROM publication_tag WHERE publication_id = ?1";
    connection.prepare_cached(sql)?.execute([publication.id])?;
    for key in publication.tags.keys() {
        let sql = "INSERT INTO publication_tag (publication_id, key) VALUES (?1, ?2)";
        connection.prepare_cached(sql)?.execute(params![publication.id, key])?;
    }
    let sql = "INSERT OR REPLACE INTO publication_text (rowid, words) SELECT seq, ?2 FROM publication WHERE id = ?1";
    let words = publication.words().join(" ");
    connection.prepare_cached(sql)?.execute(params![publication.id, words])?;
    Ok(())
}

fn write_release(connection: &Connection, new: &NewRelease) -> Result<(), StoreError> {
    let NewRelease { release, decks, ended, notes } = new;
    let sql = "INSERT INTO release (publication_id, number, change_note, published_at, deck_count, note_count, card_count, decks)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    connection.prepare_cached(sql)?.execute(params![
        release.publication,
        release.number,
        release.change_note,
        release.published_at.as_millisecond(),
        release.deck_count,
        release.note_count,
        release.card_count,
        json(decks)?,
    ])?;
    let sql = format!(
        "UPDATE published_note SET until = ?3 WHERE publication_id = ?2 AND until IS NULL AND origin_id IN {IDS}"
    );
    let ended = list(ended.iter().copied());
    connection.execute(&sql, params![ended, release.publication, release.number])?;
    let sql = "INSERT INTO published_note (publication_id, origin_id, since, until, origin_deck_id, position, kind, fields, tags)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let mut insert = connection.prepare_cached(sql)?;
    for note in notes {
        let (fields, tags) = rows::texts(&note.content, &note.tags)?;
        let bytes = |id: Uuid| id.into_bytes();
        insert.execute(params![
            note.publication,
            bytes(note.origin),
            note.since,
            note.until,
            bytes(note.deck),
            note.position,
            note.content.kind().number(),
            fields,
            tags,
        ])?;
    }
    Ok(())
}

fn write_media(connection: &Connection, changes: &ShareChanges) -> Result<(), StoreError> {
    for id in &changes.dropped_media {
        let sql = "DELETE FROM published_media WHERE id = ?1";
        exactly_one(connection, sql, params![id])?;
    }
    let sql =
        "INSERT INTO published_media (id, publication_id, owner_id, name, hash, content_type, size)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let mut insert = connection.prepare_cached(sql)?;
    for file in &changes.new_media {
        insert.execute(params![
            file.id,
            file.publication,
            file.owner,
            file.name.text(),
            file.hash.0,
            file.kind.content_type(),
            file.size,
        ])?;
    }
    Ok(())
}

fn write_rating(connection: &Connection, rating: &Rating) -> Result<(), StoreError> {
    let Rating { publication, user, before, stars } = *rating;
    let which = "WHERE user_id = ?1 AND publication_id = ?2 AND stars = ?3";
    match (before, stars) {
        (None, None) => return Ok(()),
        (None, Some(stars)) => {
            let sql = "INSERT INTO rating (user_id, publication_id, stars) VALUES (?1, ?2, ?3)";
            exactly_one(connection, sql, params![user, publication, stars])?;
        }
        (Some(before), Some(stars)) => {
            let sql = format!("UPDATE rating SET stars = ?4 {which}");
            exactly_one(connection, &sql, params![user, publication, before, stars])?;
        }
        (Some(before), None) => {
            let sql = format!("DELETE FROM rating {which}");
            exactly_one(connection, &sql, params![user, publication, before])?;
        }
    }
    let sql = "UPDATE publication
        SET rating_sum = rating_sum + ?2, rating_count = rating_count + ?3,
            rating_rank = (rating_sum + ?2 + ?4 * ?5) * 1000 / (rating_count + ?3 + ?4)
        WHERE id = ?1";
    let sum = stars.unwrap_or(0) - before.unwrap_or(0);
    let count = i64::from(stars.is_some()) - i64::from(before.is_some());
    let values = params![publication, sum, count, RATED_BESIDES, RATED_MIDDLE];
    connection.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

/// Deletes a part of a published deck for good; answers whether it is gone.
pub(super) fn erase(
    connection: &Connection,
    id: PublicationId,
    limit: u32,
) -> Result<bool, StoreError> {
    connection.execute("UPDATE publication SET listed = 0 WHERE id = ?1", [id])?;
    let sql = "DELETE FROM published_note WHERE seq IN (SELECT seq FROM published_note WHERE publication_id = ?1 LIMIT ?2)";
    if connection.execute(sql, params![id, limit])? == limit as usize {
        return Ok(false);
    }
    for sql in [
        "DELETE FROM release WHERE publication_id = ?1",
        "DELETE FROM rating WHERE publication_id = ?1",
        "DELETE FROM publication_tag WHERE publication_id = ?1",
        "DELETE FROM publication_text WHERE rowid IN (SELECT seq FROM publication WHERE id = ?1)",
        "DELETE FROM publication WHERE id = ?1",
    ] {
        connection.execute(sql, [id])?;
    }
    Ok(true)
}
