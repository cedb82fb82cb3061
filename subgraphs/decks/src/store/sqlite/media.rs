//! Media in SQLite: rows, chunks, and the names that notes hold.

use bytes::Bytes;
use common::page::{Direction, Page, PageRequest};
use common::sqlite::Sqlite;
use common::{MediaId, StoreError, TransferId, TrashId, UserId};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::rows::{self, NOTE, blob, list};
use super::{SqliteStore, exactly_one};
use crate::model::{ContentHash, Media, MediaFilter, MediaKind, MediaName, MediaTotals, Note};
use crate::references::media_of;
use crate::store::media::{MediaStore, NewContent};
use crate::store::{Changes, Reply};

/// What [`media`] reads.
const MEDIA: &str = "id, owner_id, name, hash, content_type, size, created_at";
/// How many notes of earlier versions are read at once.
const BATCH: usize = 500;

fn media(row: &Row<'_>) -> rusqlite::Result<Media> {
    Ok(Media {
        id: row.get(0)?,
        owner: row.get(1)?,
        name: MediaName::stored(row.get(2)?),
        hash: ContentHash(row.get(3)?),
        kind: media_kind(row, 4)?,
        size: row.get(5)?,
        created_at: rows::time(row, 6)?,
    })
}

pub(super) fn media_kind(row: &Row<'_>, index: usize) -> rusqlite::Result<MediaKind> {
    let content_type: String = row.get(index)?;
    MediaKind::of_content_type(&content_type).ok_or_else(|| {
        let text = rusqlite::types::Type::Text;
        rusqlite::Error::FromSqlConversionFailure(index, text, content_type.into())
    })
}

pub(super) fn names(names: impl IntoIterator<Item = impl AsRef<str>>) -> Value {
    let names: Vec<String> = names.into_iter().map(|name| name.as_ref().to_owned()).collect();
    // A list of texts always serialises.
    Value::from(serde_json::to_string(&names).unwrap_or_default())
}

fn meant(filter: MediaFilter) -> String {
    let staged = if filter.with_staged { "" } else { "AND staged_by IS NULL" };
    format!("{staged} {}", used(filter))
}

fn used(filter: MediaFilter) -> &'static str {
    const USED: &str = "AND EXISTS (SELECT 1 FROM note_media WHERE note_media.owner_id = media.owner_id AND note_media.name = media.name)";
    const UNUSED: &str = "AND NOT EXISTS (SELECT 1 FROM note_media WHERE note_media.owner_id = media.owner_id AND note_media.name = media.name)";
    match filter.unused {
        None => "",
        Some(false) => USED,
        Some(true) => UNUSED,
    }
}

impl MediaStore for SqliteStore {
    fn media(&self, ids: Vec<MediaId>) -> Reply<'_, Vec<Media>> {
        let sql = format!(
            "SELECT {MEDIA} FROM media WHERE id IN (SELECT unhex(value) FROM json_each(?1))"
        );
        self.rows(sql, vec![list(ids.into_iter().map(MediaId::uuid))], media)
    }

    fn media_named(&self, owner: UserId, wanted: Vec<MediaName>) -> Reply<'_, Vec<Media>> {
        let sql = format!(
            "SELECT {MEDIA} FROM media WHERE owner_id = ?1 AND name IN (SELECT value FROM json_each(?2))"
        );
        let wanted = names(wanted.iter().map(MediaName::text));
        self.rows(sql, vec![blob(owner.uuid()), wanted], media)
    }

    fn holders(
        &self,
        owner: UserId,
        hashes: Vec<ContentHash>,
    ) -> Reply<'_, Vec<(MediaId, ContentHash)>> {
        let hashes = names(hashes.iter().map(ContentHash::to_string));
        self.rows(include_str!("sql/holders.sql"), vec![blob(owner.uuid()), hashes], |row| {
            Ok((row.get(0)?, ContentHash(row.get(1)?)))
        })
    }

    fn trashed_media(
        &self,
        owner: UserId,
        entry: Option<TrashId>,
        limit: u32,
    ) -> Reply<'_, Vec<(Media, TrashId)>> {
        let mut values = vec![blob(owner.uuid()), Value::from(limit)];
        let in_entry = entry.map_or("", |entry| {
            values.push(blob(entry.uuid()));
            "AND trash_id = ?3"
        });
        let sql = format!(
            "SELECT {MEDIA}, trash_id FROM trashed_media WHERE owner_id = ?1 {in_entry} LIMIT ?2"
        );
        self.rows(sql, values, |row| Ok((media(row)?, row.get(7)?)))
    }

    fn media_ending_with(&self, entry: TrashId, limit: u32) -> Reply<'_, Vec<Media>> {
        let sql = include_str!("sql/media_ending_with.sql").replace("{columns}", MEDIA);
        self.rows(sql, vec![blob(entry.uuid()), Value::from(limit)], media)
    }

    fn staged_media(&self, import: TransferId, limit: u32) -> Reply<'_, Vec<Media>> {
        let sql = format!("SELECT {MEDIA} FROM media WHERE staged_by = ?1 ORDER BY id LIMIT ?2");
        self.rows(sql, vec![blob(import.uuid()), Value::from(limit)], media)
    }

    fn staging_of(&self, ids: Vec<MediaId>) -> Reply<'_, Vec<(MediaId, TransferId)>> {
        let sql = "SELECT id, staged_by FROM media WHERE staged_by IS NOT NULL AND id IN (SELECT unhex(value) FROM json_each(?1))";
        let ids = list(ids.into_iter().map(MediaId::uuid));
        self.rows(sql, vec![ids], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    fn names_in_notes(&self, owner: UserId, wanted: Vec<MediaName>) -> Reply<'_, Vec<MediaName>> {
        let sql = "SELECT DISTINCT name FROM note_media \
            WHERE owner_id = ?1 AND name IN (SELECT value FROM json_each(?2))";
        let wanted = names(wanted.iter().map(MediaName::text));
        self.rows(sql, vec![blob(owner.uuid()), wanted], |row| Ok(MediaName::stored(row.get(0)?)))
    }

    fn media_page(
        &self,
        owner: UserId,
        filter: MediaFilter,
        page: PageRequest<String>,
    ) -> Reply<'_, Page<Media>> {
        let (direction, sign) = match page.direction {
            Direction::Forward => ("ASC", ">"),
            Direction::Backward => ("DESC", "<"),
        };
        let meant = meant(filter);
        let mut values = vec![blob(owner.uuid()), Value::from(i64::from(page.limit) + 1)];
        let beyond = match &page.cursor {
            Some(name) => {
                values.push(Value::from(name.clone()));
                format!("AND name {sign} ?3")
            }
            None => String::new(),
        };
        let sql = format!(
            "SELECT {MEDIA} FROM media WHERE owner_id = ?1 {beyond} {meant} ORDER BY name {direction} LIMIT ?2"
        );
        let rows = self.rows(sql, values, media);
        Box::pin(async move { Ok(Page::from_overfull(&page, rows.await?)) })
    }

    fn media_totals(&self, owner: UserId, filter: MediaFilter) -> Reply<'_, MediaTotals> {
        let meant = meant(filter);
        let sql = format!(
            "SELECT count(*), coalesce(sum(size), 0) FROM media WHERE owner_id = ?1 {meant}"
        );
        let rows = self.rows(sql, vec![blob(owner.uuid())], |row| {
            Ok(MediaTotals { files: row.get(0)?, bytes: row.get(1)? })
        });
        Box::pin(async move { Ok(rows.await?.pop().unwrap_or_default()) })
    }

    fn media_chunk(
        &self,
        owner: UserId,
        hash: ContentHash,
        number: i64,
    ) -> Reply<'_, Option<Bytes>> {
        let read = move |connection: &Connection| {
            let sql =
                "SELECT bytes FROM media_chunk WHERE owner_id = ?1 AND hash = ?2 AND number = ?3";
            let mut select = connection.prepare_cached(sql)?;
            let chunk = select.query_row(params![owner, hash.0, number], |row| row.get(0));
            Ok(chunk.optional()?.map(|bytes: Vec<u8>| Bytes::from(bytes)))
        };
        Box::pin(self.0.read(read))
    }
}

/// Stores and deletes what `changes` say of media.
pub(super) fn write(connection: &Connection, changes: &Changes) -> Result<(), StoreError> {
    for content in &changes.new_contents {
        insert_content(connection, content)?;
    }
    let sql = "INSERT INTO media (id, owner_id, name, hash, content_type, size, created_at, staged_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    for media in &changes.new_media {
        connection.prepare_cached(sql)?.execute(params![
            media.id,
            media.owner,
            media.name.text(),
            media.hash.0,
            media.kind.content_type(),
            media.size,
            media.created_at.as_millisecond(),
            changes.staged_by,
        ])?;
    }
    for media in &changes.adopted_media {
        let sql = "UPDATE media SET staged_by = NULL WHERE id = ?1 AND staged_by IS NOT NULL";
        exactly_one(connection, sql, [media])?;
    }
    if let Some(import) = changes.adopted_from {
        connection.execute("UPDATE media SET staged_by = NULL WHERE staged_by = ?1", [import])?;
    }
    for media in &changes.deleted_media {
        exactly_one(connection, "DELETE FROM media WHERE id = ?1", [media])?;
    }
    let sql = "INSERT INTO trashed_media (id, owner_id, name, hash, content_type, size, created_at, trash_id)
        SELECT id, owner_id, name, hash, content_type, size, created_at, ?2 FROM media WHERE id = ?1";
    for (media, trash) in &changes.trashed_media {
        exactly_one(connection, sql, params![media.id, trash])?;
        exactly_one(connection, "DELETE FROM media WHERE id = ?1", [media.id])?;
    }
    for (media, trash) in &changes.untrashed_media {
        let sql = "DELETE FROM trashed_media WHERE id = ?1 AND trash_id = ?2";
        exactly_one(connection, sql, params![media, trash])?;
        let sql = "DELETE FROM trash WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM trashed_media WHERE trash_id = ?1)";
        connection.prepare_cached(sql)?.execute([trash])?;
    }
    for (owner, hash) in &changes.deleted_contents {
        let sql = "DELETE FROM media_chunk WHERE owner_id = ?1 AND hash = ?2";
        connection.prepare_cached(sql)?.execute(params![owner, hash.0])?;
    }
    Ok(())
}

fn insert_content(connection: &Connection, content: &NewContent) -> Result<(), StoreError> {
    let sql = "INSERT INTO media_chunk (owner_id, hash, number, bytes) VALUES (?1, ?2, ?3, ?4)";
    let mut insert = connection.prepare_cached(sql)?;
    for (number, chunk) in content.chunks() {
        insert.execute(params![content.owner, content.hash.0, number, chunk])?;
    }
    Ok(())
}

/// Writes down which files a note names, in place of those it named.
pub(super) fn write_names(connection: &Connection, note: &Note) -> Result<(), StoreError> {
    connection.prepare_cached("DELETE FROM note_media WHERE note_id = ?1")?.execute([note.id])?;
    let sql = "INSERT INTO note_media (owner_id, name, note_id) VALUES (?1, ?2, ?3)";
    for name in media_of(&note.content) {
        connection.prepare_cached(sql)?.execute(params![note.owner, name.text(), note.id])?;
    }
    Ok(())
}

/// Looks which files the notes name that were written before there were any.
pub(super) async fn read_old(sqlite: &Sqlite) -> Result<(), StoreError> {
    while sqlite.write(read_some).await? {}
    Ok(())
}

fn read_some(connection: &Connection) -> Result<bool, StoreError> {
    let sql =
        format!("SELECT {NOTE} FROM note_to_read JOIN note ON note.id = note_id LIMIT {BATCH}");
    let mut select = connection.prepare_cached(&sql)?;
    let notes = select.query_map([], rows::note)?.collect::<rusqlite::Result<Vec<_>>>()?;
    for note in &notes {
        write_names(connection, note)?;
        let sql = "DELETE FROM note_to_read WHERE note_id = ?1";
        connection.prepare_cached(sql)?.execute([note.id])?;
    }
    if notes.is_empty() {
        // Of notes that are gone meanwhile.
        connection.execute("DELETE FROM note_to_read", [])?;
    }
    Ok(!notes.is_empty())
}
